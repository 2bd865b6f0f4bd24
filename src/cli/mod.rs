//! The command line: what was asked for, and who does it.

mod arguments;
mod components;
mod demo;
mod probe;
mod reload;
mod rules;
mod snapshot;
mod validate;

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::ErrorKind;
use deferd_component::Registry;

use crate::exit::Exit;
use crate::helper;
use crate::service;
use crate::terminal;
use arguments::{Arguments, Command, ConfigArguments};

/// Does what the arguments ask for.
pub(crate) fn run(registry: &Registry, arguments: impl Iterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    match arguments.command {
        None => with_sources(&arguments.config, |sources| service::run(registry, sources, arguments.keep_capabilities)),
        Some(Command::Validate(config)) => with_sources(&config, |sources| validate::run(registry, &sources)),
        Some(Command::Reload(arguments)) => reload::run(registry, &arguments),
        Some(Command::Rules(command)) => rules::run(&command),
        Some(Command::Components) => components::run(registry),
        Some(Command::Snapshot(arguments)) => snapshot::run(&arguments),
        Some(Command::Probe(arguments)) => probe::run(&arguments),
        Some(Command::TargetHelper) => helper::run(),
        Some(Command::ProbeKeeper) => helper::run_keeper(),
        Some(Command::Demo(arguments)) => demo::run(registry, &arguments),
    }
}

/// Shows help, the version, or what is wrong with the arguments.
fn explain(error: &clap::Error) -> Exit {
    // Nobody is left to be told if the stream is closed.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}

fn with_sources(config: &ConfigArguments, act: impl FnOnce(Vec<deferd_config::Source>) -> Exit) -> Exit {
    if let Some(gates) = &config.feature_gates {
        terminal::warn(format_args!("--feature-gates={gates} has no effect: deferd has no feature gates"));
    }
    match config.sources() {
        // The Collector's words, and what it does not say.
        Ok(sources) if sources.is_empty() => {
            terminal::complain("at least one config flag must be provided: deferd --config FILE (deferd --help has examples)");
            Exit::Failed
        }
        Ok(sources) => act(sources),
        Err(problem) => {
            terminal::complain(problem);
            Exit::Failed
        }
    }
}

/// The process's environment, in the form in which configurations look variables up. A value that is no UTF-8 is not there.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
