//! What is left of probes when deferd is killed, and what there is without the right to place them.

use std::process::Command;
use std::time::{Duration, Instant};

use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::config::Watch;
use deferd_integration::deferd::{self, Service};
use deferd_integration::probing::Probing;
use deferd_integration::programs::{Leaky, as_nobody, open_folder};
use deferd_integration::rates::Rates;
use deferd_integration::wait;

use super::breakpoints::{Breakpoints, OF_PANICS, OF_RATES};

#[test]
fn no_breakpoint_is_left_a_second_after_deferd_was_killed_and_the_program_goes_on() {
    let file = binary("rates", newest(), Mode::Plain);
    let mut rates = Rates::ready(&file, &["-rate", "1000", "-every", "50ms"]);
    let pid = rates.pid();
    let Some(probing) = Probing::of(&[pid]) else { return };
    let service = probing.start("{}");
    let breakpoints = Breakpoints::of(pid, &[&OF_PANICS[..], &OF_RATES].concat());
    breakpoints.await_set();
    rates.begin();
    wait::until("it is probed at work", || probing.recording().of("go.defer.registrations").next().map(|_| ()));
    assert!(breakpoints.are_set());
    let begin = Instant::now();
    service.kill();
    breakpoints.await_gone(Duration::from_secs(1).saturating_sub(begin.elapsed()));
    missing::report(&format!("kill -9: the last breakpoint is gone {:?} later", begin.elapsed()));
    rates.counted();
    wait::until("it goes on", || rates.counted().into_iter().find(|count| count.registrations > 0));
    assert_eq!(rates.end().code, Some(0));
}

#[test]
fn without_rights_snapshots_go_on_and_what_is_missing_is_said_once() {
    let folder = open_folder();
    let leaky = binary("leaky", newest(), Mode::Plain);
    let (Some(deferd), Some(program)) = (as_nobody(folder.path(), deferd::binary()), as_nobody(folder.path(), &leaky)) else {
        return;
    };
    let leaky = Leaky::start_by(program, 100);
    let watch = Watch::pids(&[leaky.pid()]);
    let service = Service::start_by(quiet(deferd), &watch.yaml(), watch.ports);
    let line = leaky.counters().line.to_string();
    let shown = || service.scrape().value("go_defer_pending", &[("code_line_number", &line)]);
    let (first, _) = wait::until("it is watched", shown);
    let health = [("component", "receivers::godefer"), ("reason", "no_probes")];
    wait::until("health shows what is missing", || service.own_metrics().value("deferd_health", &health));
    wait::until("snapshots go on", || shown().filter(|now| *now > first + 200.0));
    let exposition = service.scrape();
    let of_probes = ["go_panic", "go_defer_registrations", "go_file_open", "deferd_target", "deferd_probe", "go_defer_cpu"];
    let names = exposition.names();
    let found: Vec<_> = names.iter().filter(|name| of_probes.iter().any(|of| name.starts_with(of))).collect();
    assert!(found.is_empty(), "{found:?}");
    let log = service.log();
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("\twarn\t") || line.contains("\terror\t")).collect();
    let [told] = complaints.as_slice() else { panic!("not one line: {log}") };
    assert!(told.contains("CAP_BPF") && told.contains("setcap") && told.contains("no_permission"), "{told}");
    assert_eq!(service.own_metrics().value("deferd_health", &health), Some(0.0));
    assert_eq!(service.stop().code, Some(0));
}

/// Nothing that the tests' own surroundings say about logging.
fn quiet(mut command: Command) -> Command {
    command.env_remove("RUST_LOG");
    command
}
