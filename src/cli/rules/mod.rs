//! `deferd rules`: trying rules on recordings, and looking at the rules that come with the binary.

mod compare;
mod replay;
mod suite;

use std::path::Path;

use deferd_processors::threshold::{RuleFile, pack_text};

use super::arguments::RulesCommand;
use super::environment;
use crate::exit::Exit;
use crate::terminal;
use replay::Replay;
use suite::{Suite, Test};

/// Does what the arguments ask for.
pub(crate) fn run(command: &RulesCommand) -> Exit {
    match command {
        RulesCommand::Test { files } => worst(files.iter().map(|file| test(file))),
        RulesCommand::Check { files } => worst(files.iter().map(|file| check(file))),
        RulesCommand::Show { pack } => show(pack),
    }
}

fn worst(exits: impl Iterator<Item = Exit>) -> Exit {
    // All of them, so that every problem is told.
    let exits: Vec<Exit> = exits.collect();
    if exits.iter().all(|exit| *exit == Exit::Done) { Exit::Done } else { Exit::Failed }
}

/// Runs the tests of one file and shows what came of each.
fn test(file: &str) -> Exit {
    let Some(suite) = decode::<Suite>(file) else { return Exit::Failed };
    terminal::show(&format!("{file}\n"));
    let folder = Path::new(file).parent().unwrap_or_else(|| Path::new(""));
    let mut failed = 0;
    for test in &suite.tests {
        let wrong = outcome(&suite, test, folder);
        failed += usize::from(!wrong.is_empty());
        let result = if wrong.is_empty() { "ok" } else { "FAILED" };
        terminal::show(&format!("  {}: {result}\n", test.name));
        for line in &wrong {
            terminal::show(&format!("    {line}\n"));
        }
    }
    let (all, right) = (suite.tests.len(), suite.tests.len() - failed);
    terminal::show(&format!("{right} of {all} tests passed\n"));
    if failed == 0 { Exit::Done } else { Exit::Failed }
}

/// What does not come out as expected; empty if everything does.
fn outcome(suite: &Suite, test: &Test, folder: &Path) -> Vec<String> {
    let path = folder.join(&test.input);
    match Replay::run(&suite.threshold, &path) {
        Ok(replay) => compare::differences(test, &replay),
        Err(error) => vec![error.to_string()],
    }
}

/// Says what is wrong with a rule file.
fn check(file: &str) -> Exit {
    let Some(rules) = decode::<RuleFile>(file) else { return Exit::Failed };
    terminal::show(&format!("{file}: {} rules, {} log rules\n", rules.rules.len(), rules.log_rules.len()));
    Exit::Done
}

fn show(pack: &str) -> Exit {
    match pack_text(pack) {
        Ok(text) => terminal::show_result(text),
        Err(known) => {
            terminal::complain(format_args!("there is no rule pack {pack:?}; allowed: {}", known.join(", ")));
            Exit::Usage
        }
    }
}

/// Reads a file, and tells every problem it has.
fn decode<T>(file: &str) -> Option<T>
where
    T: serde::de::DeserializeOwned + Default + schemars::JsonSchema + deferd_config::Validate,
{
    match deferd_config::decode_file(file, &environment) {
        Ok((decoded, warnings)) => {
            warnings.iter().for_each(terminal::warn);
            Some(decoded)
        }
        Err(problems) => {
            problems.iter().for_each(terminal::complain);
            None
        }
    }
}

#[cfg(test)]
mod tests;
