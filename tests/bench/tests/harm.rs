//! That probes do no harm, as far as ten cycles show it; `deferd-bench attach-cycles` and `kills` do the same for hours.

use std::path::Path;

use deferd_bench::harm::{Agent, LIMIT, attach_and_detach, kill_holders, load};
use deferd_bpf::Probes;
use deferd_fixtures::{Mode, Toolchain, binaries, binary, missing, newest, toolchains};

/// Said loudly where probes cannot be placed.
fn here(loaded: Result<Probes, String>) -> Option<Probes> {
    loaded.inspect_err(|need| missing::skip("probes in Go programs", need)).ok()
}

/// The oldest runtime and the newest.
fn two() -> Vec<Toolchain> {
    let all = toolchains();
    [all.first(), all.last()].into_iter().flatten().cloned().collect()
}

#[test]
fn breakpoints_come_and_go_in_a_program_that_works_and_leave_nothing_behind() {
    let Some(mut probes) = here(load().unwrap()) else { return };
    let versions = two();
    for (slot, (toolchain, mode, file)) in (0..).zip(binaries("churn", &versions, &[Mode::Plain, Mode::PieStripped])) {
        let outcome = attach_and_detach(&mut probes, slot, &file, 10).unwrap();
        assert_eq!(outcome.complaints, Vec::<String>::new(), "{} {mode}", toolchain.version);
        assert_eq!(outcome.cycles, 10);
        let usage = outcome.usage;
        assert!(usage.returns > 0 && usage.raises > 0 && usage.recoveries > 0, "{} {mode}: {usage:?}", toolchain.version);
    }
}

#[test]
fn breakpoints_of_an_agent_that_is_killed_are_gone_within_a_second() {
    let Some(probes) = here(load().unwrap()) else { return };
    let churn = binary("churn", newest(), Mode::Plain);
    for (restless, kills) in [(false, 1), (true, 8)] {
        let agent = Agent { restless, alone: false };
        let outcome = kill_holders(&probes, Path::new(env!("CARGO_BIN_EXE_deferd-bench")), &churn, kills, agent).unwrap();
        assert_eq!((outcome.kills, outcome.left, &outcome.complaints), (kills, 0, &Vec::new()));
        assert!(outcome.gone.longest() < LIMIT, "{outcome:?}");
    }
}
