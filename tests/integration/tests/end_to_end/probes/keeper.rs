//! The process that holds the breakpoints, when what it holds them for is killed, and when it is killed itself.

use std::fs;
use std::time::{Duration, Instant};

use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::deferd::Service;
use deferd_integration::probing::Probing;
use deferd_integration::rates::Rates;
use deferd_integration::wait;
use rustix::process::{Pid, Signal, kill_process};

use super::breakpoints::{Breakpoints, OF_PANICS, OF_RATES};

const NAME: &str = "deferd-keeper";
/// Services that are killed, each some time after it has begun to open windows.
const KILLS: u64 = 25;
/// The most of that time in milliseconds: more than any window and its removal take.
const AFTER: u64 = 100;
/// Too many to be counted all the time, so that there are windows.
const BUSY: [&str; 4] = ["-rate", "100000", "-every", "50ms"];
/// Programs, so that the breakpoints of one or another are placed or removed at most times.
const PROGRAMS: usize = 4;

fn status(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/status")).ok()
}

/// Nobody may collect it where there is no init; it holds nothing any more in any case.
fn has_ended(pid: u32) -> bool {
    status(pid).is_none_or(|status| status.contains("State:\tZ"))
}

fn send(pid: u32, signal: Signal) {
    kill_process(i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap(), signal).unwrap();
}

fn keeper(service: &Service) -> u32 {
    wait::until("it has a keeper", || service.child(NAME)).0
}

#[test]
fn no_breakpoint_is_left_by_services_that_are_killed_in_the_middle_of_placing_and_removing() {
    let file = binary("rates", newest(), Mode::Plain);
    let mut programs: [Rates; PROGRAMS] = std::array::from_fn(|_| Rates::ready(&file, &BUSY));
    let pids = programs.each_ref().map(Rates::pid);
    let Some(probing) = Probing::of(&pids) else { return };
    let all = Breakpoints::of_all(&pids, &[&OF_PANICS[..], &OF_RATES].concat());
    let windows = Breakpoints::of_all(&pids, &OF_RATES);
    programs.iter_mut().for_each(Rates::begin);
    let mut longest = Duration::ZERO;
    for kill in 0..KILLS {
        let service = probing.start("{max_target_overhead: 5%, rates: {window: 5ms}}");
        let keeper = keeper(&service);
        wait::until("windows open", || windows.iter().any(Breakpoints::are_set).then_some(()));
        wait::until("and close", || windows.iter().any(Breakpoints::are_gone).then_some(()));
        // Not for luck: each kill is to find it at another point of what it does.
        wait::pause(Duration::from_millis(kill * AFTER / KILLS));
        let begin = Instant::now();
        service.kill();
        // In all at the same time: until it has ended the keeper may still place what it was asked for before.
        let gone = || all.iter().all(Breakpoints::are_gone).then_some(());
        wait::within(Duration::from_secs(1).saturating_sub(begin.elapsed()), "no breakpoint", gone);
        longest = longest.max(begin.elapsed());
        wait::until("the keeper has ended", || has_ended(keeper).then_some(()));
        assert!(gone().is_some(), "a breakpoint came back");
    }
    missing::report(&format!("kill -9 in the middle of windows, {KILLS} times: the last breakpoint is gone {longest:?} later"));
    for program in &mut programs {
        program.counted();
    }
    for mut program in programs {
        wait::until("it goes on", || program.counted().into_iter().find(|count| count.registrations > 0));
        assert_eq!(program.end().code, Some(0));
    }
}

#[test]
fn the_keeper_has_no_right_outlives_what_ends_a_group_and_ends_with_the_service() {
    let rates = Rates::ready(&binary("rates", newest(), Mode::Plain), &["-rate", "1000"]);
    let Some(probing) = Probing::of(&[rates.pid()]) else { return };
    let service = probing.start("{}");
    let breakpoints = Breakpoints::of(rates.pid(), &OF_PANICS);
    breakpoints.await_set();
    let keeper = keeper(&service);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        send(keeper, signal);
    }
    let status = status(keeper).unwrap();
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(status.contains(&format!("{set}:\t0000000000000000\n")), "{status}");
    }
    assert!(status.contains("NoNewPrivs:\t1\n"), "{status}");
    service.reload(&probing.yaml("{panics: {enabled: false}}"));
    breakpoints.await_gone(wait::PATIENCE);
    service.reload(&probing.yaml("{}"));
    breakpoints.await_set();
    assert_eq!(service.stop().code, Some(0));
    assert!(breakpoints.are_gone() && has_ended(keeper), "something is left after the end");
}

#[test]
fn without_its_keeper_a_service_goes_on_with_snapshots_and_says_once_what_is_missing() {
    let rates = Rates::ready(&binary("rates", newest(), Mode::Plain), &["-rate", "1000"]);
    let Some(probing) = Probing::of(&[rates.pid()]) else { return };
    let service = probing.start("{}");
    let breakpoints = Breakpoints::of(rates.pid(), &[&OF_PANICS[..], &OF_RATES].concat());
    breakpoints.await_set();
    send(keeper(&service), Signal::KILL);
    let health = [("component", "receivers::godefer"), ("reason", "no_probes")];
    wait::until("health shows what is missing", || service.own_metrics().value("deferd_health", &health));
    breakpoints.await_gone(wait::PATIENCE);
    let looks = || probing.recording().of("go.goroutine.count").count();
    let before = looks();
    wait::until("snapshots go on", || (looks() > before + 2).then_some(()));
    assert!(breakpoints.are_gone(), "somebody else places them");
    let log = service.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("holds the breakpoints")).collect();
    assert!(told.len() == 1 && told[0].contains("keeper_gone") && told[0].contains("restart deferd"), "{log}");
    assert_eq!(service.stop().code, Some(0));
}
