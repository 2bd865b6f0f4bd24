//! Registrations per second, and what it costs to know them.

use std::time::Duration;

use deferd_bench::judge::{Verdict, judge};
use deferd_bench::truth::Account;
use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::probing::Probing;
use deferd_integration::rates::Rates;
use deferd_integration::wait;

use super::breakpoints::{Breakpoints, OF_RATES};

/// What is left out at the beginning: the probes find their pace.
const SETTLE: u64 = 3_000_000_000;
/// What is compared.
const COMPARED: Duration = Duration::from_secs(15);

const STEADY: [&str; 4] = ["-rate", "1000", "-per-call", "10"];
const ENDLESS: [&str; 6] = ["-rate", "100", "-shape", "endless", "-seconds", "600"];
const BUSY: [&str; 4] = ["-rate", "1000000", "-per-call", "100"];

#[test]
fn registrations_are_what_the_program_counts_and_the_interval_holds_within_the_budget() {
    let file = binary("rates", newest(), Mode::Plain);
    let start = |arguments: &[&str]| Rates::ready(&file, &[arguments, &["-every", "2ms"]].concat());
    let mut programs = [start(&STEADY), start(&ENDLESS), start(&BUSY)];
    let pids = programs.each_ref().map(Rates::pid);
    let Some(probing) = Probing::of(&pids) else { return };
    let service = probing.start("{}");
    Breakpoints::of(pids[0], &OF_RATES).await_set();
    programs.iter_mut().for_each(Rates::begin);
    wait::pause(COMPARED + Duration::from_nanos(SETTLE));
    assert_eq!(service.stop().code, Some(0));
    let recording = probing.recording();
    let verdicts = programs.each_mut().map(|program| {
        let account = Account::new(program.counted());
        let (begin, end) = account.span().unwrap();
        judge(program.said(), &account, &recording.about(program.pid()), begin + SETTLE, end)
    });
    for (name, verdict) in ["1,000/s", "100/s without end", "1,000,000/s"].iter().zip(&verdicts) {
        report(name, verdict);
    }
    let [steady, endless, busy] = &verdicts;
    for verdict in &verdicts {
        assert_eq!((verdict.fell, verdict.unbounded), (0, 0), "{verdict:?}");
        assert!(verdict.within_budget(), "{verdict:?}");
    }
    assert!(steady.error().is_some_and(|percent| percent.abs() < 1.0), "{steady:?}");
    assert!(steady.reports >= 10 && holds(steady, 0.9), "{steady:?}");
    assert!(endless.error().is_some_and(|percent| percent.abs() < 3.0), "{endless:?}");
    assert!(endless.reports >= 10 && holds(endless, 0.8), "{endless:?}");
    assert!(busy.reports + busy.at_least >= 10 && holds(busy, 0.8), "{busy:?}");
}

/// Whether so large a share of the reports says nothing wrong.
fn holds(verdict: &Verdict, share: f64) -> bool {
    let all = f64::from(verdict.reports + verdict.at_least);
    f64::from(verdict.held + verdict.at_least_held) >= share * all
}

fn report(name: &str, verdict: &Verdict) {
    missing::report(&format!(
        "{name}: error {:?} %, {} of {} intervals hold, {} of {} lower bounds; width {:?}; cost {:?} of {:.4} of a CPU",
        verdict.error(),
        verdict.held,
        verdict.reports,
        verdict.at_least_held,
        verdict.at_least,
        verdict.width,
        verdict.overhead,
        verdict.allowed
    ));
}
