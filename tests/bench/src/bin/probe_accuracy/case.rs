//! One run.

use std::path::PathBuf;
use std::time::Duration;

use deferd_bench::Failure;
use deferd_bench::judge::{REGISTRATIONS, Verdict, judge};
use deferd_bench::truth::Account;
use deferd_bench::watch::Watcher;
use deferd_fixtures::{Mode, Toolchain, binary};
use deferd_integration::rates::Rates;
use deferd_integration::wait;

/// Between two lines of counters: close, because they are taken to be a straight line, and a bursty program is not one.
const EVERY: &str = "10ms";
/// What an endless function may leave pending; the program refuses more.
const MANY_PENDING: u64 = 10_000_000;

/// What all runs have in common.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) deferd: PathBuf,
    pub(crate) seconds: u32,
    pub(crate) settle: u32,
}

/// What is registered, by which Go.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) toolchain: &'static Toolchain,
    pub(crate) kind: String,
    pub(crate) shape: String,
    pub(crate) rate: u64,
    pub(crate) per_call: u32,
    pub(crate) goroutines: u32,
}

/// Those of the given minors; if none is given, the oldest, the middle and the newest, or the newest alone.
pub(crate) fn toolchains(minors: &[u8], quick: bool) -> Vec<&'static Toolchain> {
    let all = deferd_fixtures::toolchains();
    if !minors.is_empty() {
        return all.iter().filter(|toolchain| minors.contains(&toolchain.version.minor)).collect();
    }
    let mut chosen: Vec<_> = [all.first(), all.get(all.len() / 2), all.last()].into_iter().flatten().collect();
    chosen.dedup();
    chosen.split_off(if quick { chosen.len().saturating_sub(1) } else { 0 })
}

impl Case {
    /// Whether the program does this for so many seconds; what is left out makes no sense, such as a function that never returns
    /// and registers as fast as it can.
    pub(crate) fn is_possible(&self, seconds: u32) -> bool {
        let endless = self.shape == "endless";
        let bounded = self.rate > 0 && self.rate.saturating_mul(u64::from(seconds)) <= MANY_PENDING;
        (!endless || bounded) && (self.kind != "stack" || self.per_call <= 16 && !endless)
    }

    /// Starts both, lets them find their pace, and compares what follows.
    pub(crate) fn run(&self, plan: &Plan) -> Result<Verdict, Failure> {
        let total = u64::from(plan.settle + plan.seconds);
        let [rate, per_call, goroutines] =
            [self.rate, self.per_call.into(), self.goroutines.into()].map(|number| number.to_string());
        let mut arguments = vec!["-rate", &rate, "-per-call", &per_call, "-goroutines", &goroutines, "-every", EVERY];
        // An endless one wants to know when it ends; the others end when they are told to, so that no run is cut short.
        let seconds = total.to_string();
        if self.shape == "endless" {
            arguments.extend(["-seconds", &seconds]);
        }
        arguments.extend(["-kind", &self.kind, "-shape", &self.shape]);
        let mut program = Rates::ready(&binary("rates", self.toolchain, Mode::Plain), &arguments);
        let watcher = Watcher::start(&plan.deferd, program.pid())?;
        program.begin();
        wait::pause(Duration::from_secs(total));
        let complaints = watcher.complaints();
        let recording = watcher.stop();
        let account = Account::new(program.counted());
        let said = program.said().clone();
        program.end();
        let (begin, end) = account.span().ok_or("the program counted nothing")?;
        let settled = begin + u64::from(plan.settle) * 1_000_000_000;
        let verdict = judge(&said, &account, &recording, settled, end);
        if verdict.counter.is_none() && verdict.reports + verdict.at_least + verdict.unbounded == 0 {
            let points = recording.points.len();
            return Err(format!(
                "{} reported no {REGISTRATIONS} of {} within {} s ({points} points of other metrics or sites), so there is nothing to compare: \
                 it has no probes for rates, or could not place them.\nIt complained about: {complaints}",
                plan.deferd.display(),
                said.function,
                plan.seconds
            )
            .into());
        }
        Ok(verdict)
    }
}
