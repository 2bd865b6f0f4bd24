//! Probes switched off and on, and told to tell more, while panics go on.

use std::time::{Duration, Instant};

use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::panics::Panics;
use deferd_integration::probing::Probing;
use deferd_integration::recording::Recording;
use deferd_integration::wait;

use super::breakpoints::{Breakpoints, OF_PANICS};

/// From SIGHUP to its effect on the process.
const APPLIED_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn a_reload_takes_probes_out_and_puts_them_back_and_what_was_counted_stays() {
    let file = binary("panics", newest(), Mode::Plain);
    let mut panics = Panics::start(&file, &["-flood", "2000", "-library", "template", "-every", "50ms"]);
    panics.announced();
    let Some(probing) = Probing::of(&[panics.pid()]) else { return };
    let service = probing.start("{panics: {exact: true}}");
    let breakpoints = Breakpoints::of(panics.pid(), &OF_PANICS);
    breakpoints.await_set();
    panics.begin();
    let raised = || raised(&probing.recording());
    let grown = |from: f64| wait::until("panics are counted", || raised().filter(|now| *now > from + 2000.0)).0;
    let before = grown(0.0);

    let begin = Instant::now();
    service.reload(&probing.yaml("{enabled: false}"));
    breakpoints.await_gone(APPLIED_WITHIN);
    let off = begin.elapsed();
    let counted_off = panics.counted().panics;
    wait::until("panics go on without probes", || (panics.counted().panics > counted_off + 4000).then_some(()));
    assert!(breakpoints.are_gone());
    let kept = raised().unwrap();

    let begin = Instant::now();
    service.reload(&probing.yaml("{panics: {exact: true, records_per_second: 40}}"));
    wait::within(APPLIED_WITHIN, "breakpoints are back", || breakpoints.are_set().then_some(()));
    missing::report(&format!("reload: breakpoints gone after {off:?}, back after {:?}", begin.elapsed()));
    let after = grown(kept);
    assert!(kept >= before && after > kept, "{before} then {kept} then {after}");
    // Of whole seconds, which begin by another clock than records have.
    let (most, took) = wait::until("more records are told", || {
        let recording = probing.recording();
        let most = most_in_a_second(&recording);
        (most > 30).then_some(most)
    });
    missing::report(&format!("reload: {most} records in a second {took:?} after it"));
    assert!(most <= 80, "{most}");

    let recording = probing.recording();
    let counts: Vec<_> = recording.of("go.panic.count").filter(|point| point.attributes["go.panic.stage"] == "raised").collect();
    let falls = counts.windows(2).filter(|pair| pair[1].value < pair[0].value).count();
    let starts: std::collections::BTreeSet<u64> = counts.iter().map(|point| point.start).collect();
    assert_eq!((falls, starts.len()), (0, 1), "one series that never falls");
    assert_eq!(service.own_metrics().value("deferd_config_reloads", &[("result", "applied"), ("trigger", "sighup")]), Some(2.0));
    assert_eq!(service.stop().code, Some(0));
    let truth = panics.counted_so_far().last().map_or(0, |count| count.panics_at_most);
    assert!(raised().unwrap() <= f64::from(u32::try_from(truth).unwrap()), "no more than there were");
}

/// Panics raised so far, as told.
fn raised(recording: &Recording) -> Option<f64> {
    super::sums(recording, "go.panic.count", &[("go.panic.stage", "raised")]).last().map(|(_, value)| *value)
}

/// The most records of raised panics within a second.
fn most_in_a_second(recording: &Recording) -> usize {
    let raised = |stage: Option<&String>| stage.is_some_and(|stage| stage == "raised");
    let mut times: Vec<u64> =
        recording.events.iter().filter(|event| raised(event.attributes.get("go.panic.stage"))).map(|event| event.time).collect();
    times.sort_unstable();
    let within = |(index, time): (usize, &u64)| times[index..].iter().take_while(|later| **later < time + 1_000_000_000).count();
    times.iter().enumerate().map(within).max().unwrap_or(0)
}
