//! Who opens the files that are open.

use std::time::Duration;

use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::files::Files;
use deferd_integration::probing::Probing;
use deferd_integration::recording::Recording;
use deferd_integration::wait;

use super::has;

const OPEN: &str = "go.file.open";
/// From the first leaked file to its name.
const NAMED_WITHIN: Duration = Duration::from_secs(30);

#[test]
fn a_leak_of_files_is_named_within_half_a_minute_and_a_pool_that_fills_up_is_not() {
    let file = binary("files", newest(), Mode::Plain);
    let mut leaks = ["missing", "deferred"].map(|fault| Files::ready(&file, &["-leak", fault]));
    let mut pool = Files::ready(&file, &["-warm", "2000", "-over", "10s"]);
    let pids: Vec<u32> = leaks.iter().chain([&pool]).map(Files::pid).collect();
    let Some(probing) = Probing::of(&pids) else { return };
    let service = probing.start("{}");
    let counted = |pid| probing.recording().about(pid).of("process.unix.file_descriptor.count").next().is_some();
    wait::until("they are watched", || pids.iter().all(|pid| counted(*pid)).then_some(()));
    leaks.iter_mut().chain([&mut pool]).for_each(Files::begin);
    let ((), took) = wait::within(NAMED_WITHIN, "both leaks are named", || {
        let recording = probing.recording();
        leaks.iter().all(|leak| names(&recording.about(leak.pid()), leak)).then_some(())
    });
    missing::report(&format!("files: both leaks are named {took:?} after they began"));
    for leak in &leaks {
        let recording = probing.recording().about(leak.pid());
        let others = recording.of(OPEN).filter(|point| point.attributes["code.function.name"] != leak.said().function).count();
        assert_eq!(others, 0, "{:?}", leak.said());
    }
    let recording = probing.recording().about(pool.pid());
    assert_eq!(recording.of(OPEN).count(), 0, "a pool that fills up is no leak");
    let open = recording.of("process.unix.file_descriptor.count").last().map_or(0.0, |point| point.value);
    assert!(open > 2000.0, "{open}");
    let cost = |on| service.own_metrics().value("deferd_godefer_cpu_utilization", &[("on", on)]).unwrap_or_default();
    for on in ["looks", "probes"] {
        let ((), _) = wait::until("the cost is shown", || (cost(on) > 0.0).then_some(()));
        assert!(cost(on) < 1.0, "{on}: {}", cost(on));
    }
    assert_eq!(service.stop().code, Some(0));
}

/// Whether the place and what is wrong there are told.
fn names(recording: &Recording, leak: &Files) -> bool {
    let said = leak.said();
    let line = said.line.to_string();
    let place = [
        ("code.function.name", said.function.as_str()),
        ("code.file.path", &said.file),
        ("code.line.number", &line),
        ("go.file.close", &said.fault),
    ];
    recording.of(OPEN).any(|point| has(point, &place) && point.value >= 2.0)
}
