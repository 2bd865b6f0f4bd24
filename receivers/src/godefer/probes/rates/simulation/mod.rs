//! Whether what is said holds: arbiter, plan and estimators together against simulated targets, from a seed, in no time.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a simulation draws counts from real numbers"
)]

mod driver;
mod target;

use super::HitCost;
use driver::{KNOWN, Outcome, run};
use std::time::Duration;
use target::{Chain, Load, Scenario};

/// Runs per scenario, each of a minute and with a seed of its own.
const SEEDS: u64 = 200;

const STEADY: Scenario = Scenario {
    name: "",
    load: Load::Arrivals { rate: 0.0, each: 5e-6 },
    jump: f64::INFINITY,
    bursts: None,
    pause: 0.0,
    other: 0.0,
    chain: Chain::Even(10),
};

fn arrivals(name: &'static str, rate: f64, chain: Chain) -> Scenario {
    Scenario { name, load: Load::Arrivals { rate, each: 5e-6 }, chain, ..STEADY }
}

fn looping(name: &'static str, threads: f64, each: f64, chain: Chain) -> Scenario {
    Scenario { name, load: Load::Loop { threads, each }, chain, ..STEADY }
}

fn bursts(on: f64, off: f64, scenario: Scenario) -> Scenario {
    Scenario { bursts: Some((on, off)), ..scenario }
}

/// One line of the table.
fn line(scenario: Scenario) -> Outcome {
    let mut all = Outcome::default();
    for seed in 0..SEEDS {
        let outcome = run(scenario, seed, KNOWN);
        assert!(outcome.overhead <= 0.01, "{}: seed {seed} was charged {:.4}", scenario.name, outcome.overhead);
        all.add(&outcome);
    }
    println!("{}", all.line(scenario.name));
    all
}

fn keeps_the_promise(scenario: Scenario) -> bool {
    let all = line(scenario);
    let saturated = matches!(scenario.load, Load::Loop { each, .. } if each < 500e-9);
    all.holds() && (saturated || all.says_something(4.0))
}

/// Every scenario keeps the promise: what is said holds in 95 % of reports, in all and by site. Nor is it kept by saying nothing:
/// only where the probe uses most of the CPU may "at least" be all that is said.
fn all_hold(scenarios: &[Scenario]) {
    println!("{}", Outcome::HEAD);
    let failed: Vec<_> =
        scenarios.iter().filter(|scenario| !keeps_the_promise(**scenario)).map(|scenario| scenario.name).collect();
    assert!(failed.is_empty(), "less than 95 % of reports hold, or too little is said: {failed:?}");
}

#[test]
fn intervals_hold_for_arrivals_at_any_rate() {
    all_hold(&[
        arrivals("arrivals 10/s, 1..10 a call", 10.0, Chain::Even(10)),
        arrivals("arrivals 1k/s, 1 a call", 1e3, Chain::Fixed(1)),
        arrivals("arrivals 10k/s, 1..1000 a call", 1e4, Chain::Even(1000)),
        arrivals("arrivals 10k/s, 1 or rarely 1000", 1e4, Chain::Rare(0.01, 1000)),
        arrivals("arrivals 100k/s, 1..10 a call", 1e5, Chain::Even(10)),
        arrivals("arrivals 100k/s, 1 or rarely 1000", 1e5, Chain::Rare(0.01, 1000)),
        arrivals("arrivals 300k/s, 10 a call", 3e5, Chain::Fixed(10)),
    ]);
}

#[test]
fn intervals_hold_for_threads_that_do_nothing_else() {
    all_hold(&[
        looping("loop of 30 ns, 1 thread, 1 a call", 1.0, 30e-9, Chain::Fixed(1)),
        looping("loop of 300 ns, 2 threads, 10 a call", 2.0, 300e-9, Chain::Fixed(10)),
        looping("loop of 1 us, 1 thread, 1..100 a call", 1.0, 1e-6, Chain::Even(100)),
        looping("loop of 1 us, 8 threads, 100 a call", 8.0, 1e-6, Chain::Fixed(100)),
        looping("loop of 5 us, 4 threads, 1..1000 a call", 4.0, 5e-6, Chain::Even(1000)),
        looping("loop of 100 us, 1 thread, 1000 a call", 1.0, 100e-6, Chain::Fixed(1000)),
    ]);
}

#[test]
fn intervals_hold_for_bursts() {
    let turns = |scenario| Scenario { pause: 1.0, ..scenario };
    all_hold(&[
        turns(bursts(1.0, 1.0, looping("1 s on, 1 s other work, loop of 5 us", 1.0, 5e-6, Chain::Fixed(10)))),
        turns(bursts(2.0, 0.3, looping("2 s on, 0.3 s other work, loop of 1 us", 1.0, 1e-6, Chain::Fixed(10)))),
        turns(bursts(0.4, 2.0, looping("0.4 s on, 2 s other work, loop of 2 us", 1.0, 2e-6, Chain::Even(10)))),
        bursts(0.1, 0.1, looping("0.1 s on, 0.1 s off, loop of 1 us", 2.0, 1e-6, Chain::Even(100))),
        bursts(0.2, 0.8, looping("0.2 s on, 0.8 s off, loop of 5 us", 1.0, 5e-6, Chain::Even(10))),
        bursts(1.5, 1.5, looping("1.5 s on, 1.5 s off, loop of 2 us", 1.0, 2e-6, Chain::Fixed(10))),
        bursts(0.3, 2.7, arrivals("0.3 s on, 2.7 s off, 200k/s", 2e5, Chain::Even(10))),
        bursts(0.5, 0.5, arrivals("0.5 s on, 0.5 s off, 20k/s", 2e4, Chain::Even(100))),
    ]);
}

#[test]
fn intervals_hold_beside_other_work() {
    let beside = |other, scenario| Scenario { other, ..scenario };
    let turns = |on, off, scenario| Scenario { pause: 1.0, ..bursts(on, off, scenario) };
    all_hold(&[
        turns(0.02, 0.06, looping("loop of 1 us, one of 4 threads on a CPU", 1.0, 1e-6, Chain::Fixed(10))),
        beside(1.0, turns(0.01, 0.07, looping("loop of 2 us, one of 9 threads on 2 CPUs", 1.0, 2e-6, Chain::Fixed(10)))),
        beside(1.0, looping("loop of 1 us beside a busy thread", 1.0, 1e-6, Chain::Even(100))),
        beside(1.0, looping("loop of 5 us beside a busy thread", 1.0, 5e-6, Chain::Fixed(10))),
        beside(0.5, arrivals("100k/s beside half a CPU", 1e5, Chain::Even(10))),
        beside(1.0, bursts(0.5, 0.5, arrivals("0.5 s on, 0.5 s off, 100k/s beside a CPU", 1e5, Chain::Fixed(10)))),
        beside(1.0, bursts(0.4, 1.6, looping("0.4 s on, 1.6 s off, loop of 5 us beside a CPU", 1.0, 5e-6, Chain::Even(10)))),
    ]);
}

/// In the target hits find colder caches than where they were calibrated, or warmer ones.
#[test]
fn hits_that_cost_something_else_than_was_calibrated_do_not_shift_what_is_said() {
    println!("{}", Outcome::HEAD);
    for believed in [300, 400, 600] {
        let cost = HitCost { each: Duration::from_nanos(believed), uncertainty: 0.15 };
        for scenario in [
            arrivals("arrivals 100k/s, 1..10 a call", 1e5, Chain::Even(10)),
            arrivals("arrivals 300k/s, 10 a call", 3e5, Chain::Fixed(10)),
            bursts(0.5, 0.5, arrivals("0.5 s on, 0.5 s off, 100k/s", 1e5, Chain::Fixed(10))),
        ] {
            let mut all = Outcome::default();
            (0..SEEDS).for_each(|seed| all.add(&run(scenario, seed, cost)));
            println!("{}", all.line(&format!("{} of 500 ns: {}", believed, scenario.name)));
            assert!(all.holds() && all.shift().abs() < 0.05, "{believed} ns: {}: shifted by {:.3}", scenario.name, all.shift());
        }
    }
}

#[test]
fn a_thousandfold_rate_is_noticed_within_a_second_and_paid_for() {
    let jump = Scenario { jump: 30.0, ..STEADY };
    println!("{}", Outcome::HEAD);
    for (name, rate, each) in [("100/s, then 100k/s", 1e2, 5e-6), ("1k/s, then 1M/s", 1e3, 1e-6)] {
        let outcome = line(Scenario { name, load: Load::Arrivals { rate, each }, ..jump });
        assert!(outcome.holds(), "{name}");
        assert!(outcome.noticed > 0.0 && outcome.noticed <= 1.0, "{name}: noticed after {} s", outcome.noticed);
    }
}

#[test]
fn intervals_would_not_hold_if_hits_were_thought_to_cost_nothing() {
    let free = HitCost { each: Duration::ZERO, uncertainty: 0.0 };
    let mut all = Outcome::default();
    (0..20).for_each(|seed| all.add(&run(looping("", 2.0, 1e-6, Chain::Even(100)), seed, free)));
    assert!(!all.holds(), "the simulation proves nothing");
}
