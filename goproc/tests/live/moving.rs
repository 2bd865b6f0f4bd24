//! A program that runs on while it is looked at: never a wrong number.

use crate::program::{by_function, look, look_until, newest, start};
use deferd_fixtures::{Mode, toolchains};

#[test]
fn a_growing_chain_lies_between_the_programs_counts_before_and_after() {
    for toolchain in toolchains() {
        let mut program = start(toolchain, Mode::Plain);
        program.ask("leak");
        let mut target = program.attach();
        let mut seen = 0;
        for _ in 0..20 {
            let before = program.ask("count").leak_done;
            let snapshot = look(&mut target);
            let after = program.ask("count").leak_begun;
            if let Some(pending) = by_function(&snapshot).get("main.leak") {
                seen += 1;
                assert!((before..=after).contains(pending), "{}: {before} {pending} {after}", toolchain.version);
            } else {
                assert_eq!(snapshot.unverified.goroutines + u64::from(before == 0), 1, "{snapshot:?}");
            }
        }
        assert!(seen >= 15, "{}: a leak seen in {seen} of 20 looks", toolchain.version);

        let paused = program.ask("pause");
        assert_eq!(paused.leak_begun, paused.leak_done);
        let snapshot = look_until(&mut target, |snapshot| snapshot.unverified.goroutines == 0);
        assert_eq!(by_function(&snapshot).get("main.leak"), Some(&paused.leak_done), "{}", toolchain.version);
    }
}

#[test]
fn a_hundred_looks_at_churning_goroutines_yield_no_wrong_total() {
    const EACH: u64 = 20;
    const GOROUTINES: u64 = 500;
    /// Goroutines that may have been preempted between two registrations, without running at either look.
    const PREEMPTED: u64 = 2;
    let mut program = newest();
    program.ask(&format!("churn {GOROUTINES}"));
    let mut target = program.attach();
    let mut doubtful = 0;
    for _ in 0..100 {
        let snapshot = look(&mut target);
        doubtful += snapshot.unverified.goroutines;
        assert!(snapshot.chains.max <= EACH);
        assert!(snapshot.sites.len() <= 1, "{:?}", snapshot.sites);
        if let Some(site) = snapshot.sites.first() {
            assert_eq!((site.name.function.as_str(), site.name.callee.as_str()), ("main.churnOnce", "main.nothing"));
            assert!(site.goroutines + snapshot.unverified.goroutines <= GOROUTINES);
            assert!(site.pending <= site.goroutines * EACH);
            let short = site.goroutines * EACH - site.pending;
            let on_the_way = snapshot.chains.approximate + PREEMPTED;
            assert!(short <= on_the_way * EACH, "{short} too few on {} goroutines, {on_the_way} on the way", site.goroutines);
        }
        assert_eq!(snapshot.goroutines.total, GOROUTINES + 1);
    }
    assert!(doubtful <= 100 * GOROUTINES / 20, "{doubtful} of {} chains not verified", 100 * GOROUTINES);
}

#[test]
fn a_goroutine_that_never_rests_is_counted_right_or_not_at_all() {
    let mut program = newest();
    program.ask("loop 5 7");
    program.ask("spin");
    let mut target = program.attach();
    for _ in 0..100 {
        let snapshot = look(&mut target);
        let mut found = by_function(&snapshot);
        assert_eq!(found.remove("main.loopDefers"), Some(35), "a busy goroutine must not spoil the parked ones");
        let spinning = found.remove("main.spinOnce").unwrap_or_default();
        assert!(spinning <= 1000, "{spinning}");
        assert!(found.is_empty(), "{found:?}");
    }
}
