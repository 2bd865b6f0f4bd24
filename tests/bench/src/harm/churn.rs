//! The program `churn`, and what it says about itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use deferd_integration::process::{Ended, Running};
use deferd_integration::wait;
use rustix::process::Signal;
use serde::Deserialize;

/// Between two of its lines.
const EVERY: Duration = Duration::from_millis(250);

/// A running one. Killed and reaped when dropped.
#[derive(Debug)]
pub struct Churn(Running);

/// A line of it; see `tests/go/churn`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Line {
    kinds: BTreeMap<String, u64>,
    time: u64,
    cpu: u64,
    ended: bool,
}

/// What it did between two of its lines, or in all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    /// Pieces of work by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Time of the processors.
    pub cpu: Duration,
    /// The longest that nothing was heard of some kind of work.
    pub standstill: Duration,
}

impl Churn {
    /// Starts the file and waits for its first line.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(file: &Path) -> Self {
        Self::start_by(Command::new(file))
    }

    /// [`Churn::start`] by a command that runs it, such as one that gives rights up first.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_by(mut command: Command) -> Self {
        command.arg("-every").arg(format!("{}ms", EVERY.as_millis()));
        let churn = Self(Running::start(command));
        churn.after(1);
        churn
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// If the kernel does not tell.
    pub fn is_running(&mut self) -> bool {
        self.0.is_running()
    }

    /// Waits until it has written so many lines, four a second; what it has done by then.
    ///
    /// # Panics
    /// If they do not come.
    pub fn after(&self, lines: usize) -> Account {
        let (lines, _) = wait::until("churn goes on", || Some(parse(&self.0.stdout())).filter(|found| found.len() >= lines));
        account(&lines)
    }

    /// How many lines it has written.
    pub fn lines(&self) -> usize {
        parse(&self.0.stdout()).len()
    }

    /// Tells it to finish, and waits for its end: how it ended, and all that it did.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(self) -> (Ended, Account) {
        self.0.signal(Signal::TERM);
        let ended = self.0.end();
        let lines = parse(&ended.stdout);
        (ended, account(&lines))
    }
}

/// What is wrong with its end, if anything: it must have finished every piece of work, and found nothing wrong.
pub(crate) fn complaint(ended: &Ended) -> Option<String> {
    let finished = parse(&ended.stdout).last().is_some_and(|line| line.ended);
    let wrong = ended.stdout.lines().find(|line| line.starts_with("WRONG"));
    if ended.code == Some(0) && finished && wrong.is_none() {
        return None;
    }
    let first = ended.stderr.lines().next().unwrap_or_default();
    Some(format!("code {:?}, {}{first}", ended.code, wrong.unwrap_or_default()))
}

fn parse(text: &str) -> Vec<Line> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn account(lines: &[Line]) -> Account {
    let mut account = Account::default();
    let mut heard: BTreeMap<&str, u64> = BTreeMap::new();
    let mut standstill = 0;
    for line in lines {
        for (kind, done) in &line.kinds {
            *account.kinds.entry(kind.clone()).or_default() += done;
            let last = heard.entry(kind).or_default();
            standstill = standstill.max(line.time.saturating_sub(*last));
            if *done > 0 {
                *last = line.time;
            }
        }
    }
    account.standstill = Duration::from_nanos(standstill);
    account.cpu = Duration::from_nanos(lines.last().map_or(0, |line| line.cpu));
    account
}

impl Account {
    /// Work per second of the processors, against that of `before`: the geometric mean of all kinds, in which each counts the same.
    #[expect(clippy::cast_precision_loss, reason = "counts of some minutes")]
    pub fn speed_against(&self, before: &Self) -> Option<f64> {
        let speed = |account: &Self, kind: &str| {
            let done = *account.kinds.get(kind)? as f64 / account.cpu.as_secs_f64();
            (done > 0.0 && done.is_finite()).then_some(done)
        };
        let ratios = self.kinds.keys().map(|kind| Some((speed(self, kind)? / speed(before, kind)?).ln()));
        let logarithms = ratios.collect::<Option<Vec<f64>>>().filter(|ratios| !ratios.is_empty())?;
        Some((logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
    }

    /// What was done after `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let rest = |(kind, done): (&String, &u64)| (kind.clone(), done - before.kinds.get(kind).copied().unwrap_or(0).min(*done));
        Self { kinds: self.kinds.iter().map(rest).collect(), cpu: self.cpu.saturating_sub(before.cpu), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"operations":3,"kinds":{"a":2,"b":1},"time":1000000000,"cpu":500000000,"gc":1,"ended":false}
{"operations":2,"kinds":{"a":2,"b":0},"time":2000000000,"cpu":1500000000,"gc":2,"ended":false}
{"operations":3,"kinds":{"a":2,"b":1},"time":3500000000,"cpu":2500000000,"gc":3,"ended":true}
"#;

    fn ended(code: i32, stdout: &str) -> Ended {
        Ended { code: Some(code), stdout: stdout.to_owned(), stderr: String::new() }
    }

    #[test]
    fn a_kind_that_stands_still_is_told_though_others_go_on() {
        let all = account(&parse(TEXT));
        assert_eq!((all.kinds["a"], all.kinds["b"]), (6, 2));
        assert_eq!((all.cpu, all.standstill), (Duration::from_millis(2500), Duration::from_millis(2500)));
    }

    #[test]
    fn speed_is_work_per_second_of_the_processors() {
        let (first, all) = (account(&parse(TEXT)[..1]), account(&parse(TEXT)));
        let after = all.since(&first);
        assert_eq!((after.kinds["a"], after.cpu), (4, Duration::from_secs(2)));
        // a: 4 before and 2 after, b: 2 before and 0.5 after.
        let ratio = after.speed_against(&first).unwrap();
        assert!((ratio - (0.5_f64 * 0.25).sqrt()).abs() < 1e-9, "{ratio}");
    }

    #[test]
    fn an_end_is_good_only_with_the_last_line_and_nothing_wrong() {
        assert_eq!(complaint(&ended(0, TEXT)), None);
        let unfinished = TEXT.rsplit_once('{').unwrap().0;
        for bad in [ended(0, unfinished), ended(3, TEXT), ended(0, &format!("WRONG sum\n{TEXT}"))] {
            assert!(complaint(&bad).is_some(), "{bad:?}");
        }
    }
}
