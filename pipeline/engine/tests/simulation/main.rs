//! The proof of the engine: random reloads under load, and an account of every item.
//!
//! A fake receiver sends uniquely numbered items through a processor that holds them, to a healthy exporter and to one that hangs,
//! while the configuration changes at random up to a thousand times. Afterwards every item must be accounted for: each accepted
//! item reached the healthy exporter exactly once, each refused item reached nobody, each send was answered exactly once, and what
//! the hanging exporter missed is counted to the item. Time is simulated, so a run is quick and a seed replays.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    reason = "a test says what is wrong by panicking"
)]

mod components;
#[path = "../support/forward.rs"]
mod forward;
mod scenario;
mod world;

use std::time::Duration;

use scenario::{Demand, Scenario, Totals, simulate};

const SIMULATED: Duration = Duration::from_mins(10);

/// Seeds per scenario; `DEFERD_SIMULATION_SEEDS` asks for more.
fn seeds() -> u64 {
    std::env::var("DEFERD_SIMULATION_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

fn run(name: &str, scenario: Scenario) {
    let mut totals = Totals::default();
    for seed in 0..seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        totals += runtime.block_on(simulate(seed, scenario));
    }
    assert!(totals.accepted > 0 && totals.delivered_healthy > 0, "the scenario did nothing: {totals:?}");
    println!("{name}: {} seeds, {totals}", seeds());
}

#[test]
fn nothing_is_lost_or_duplicated_while_everything_is_reloaded() {
    run("ordinary", Scenario { reloads: 1000, demand: Demand::None, remove_hung: true, copy: false, drain: SIMULATED });
}

#[test]
fn what_a_hung_exporter_misses_is_counted_to_the_item() {
    let scenario = Scenario { reloads: 1000, demand: Demand::None, remove_hung: false, copy: false, drain: SIMULATED };
    run("accounted", scenario);
}

#[test]
fn every_waiting_sender_is_answered_once_with_the_result() {
    run("wait_for_result", Scenario { reloads: 1000, demand: Demand::Wait, remove_hung: true, copy: false, drain: SIMULATED });
}

#[test]
fn a_blocking_exporter_holds_senders_back_but_loses_nothing() {
    run("block_on_overflow", Scenario { reloads: 1000, demand: Demand::Block, remove_hung: true, copy: false, drain: SIMULATED });
}

#[test]
fn what_exporters_demand_may_change_while_senders_wait_for_them() {
    run("demands", Scenario { reloads: 1000, demand: Demand::Any, remove_hung: true, copy: false, drain: SIMULATED });
}

#[test]
fn two_pipelines_of_one_receiver_both_get_everything_whatever_they_refuse() {
    run("fan-out", Scenario { reloads: 1000, demand: Demand::None, remove_hung: true, copy: true, drain: SIMULATED });
}

#[test]
fn the_same_holds_with_threads_and_real_time() {
    for (number, demand) in (0..seeds().div_ceil(3)).zip([Demand::None, Demand::Any].into_iter().cycle()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let scenario = Scenario { reloads: 100, demand, remove_hung: true, copy: true, drain: Duration::from_secs(30) };
        let totals = runtime.block_on(simulate(99 + number, scenario));
        assert!(totals.accepted > 0, "{totals:?}");
        println!("threads: {totals}");
    }
}
