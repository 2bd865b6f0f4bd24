//! Libraries that panic as control flow, thousands of times a second.

use std::path::PathBuf;

use deferd_bench::judge::OVERHEAD;
use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::panics::{Flood, Panics};
use deferd_integration::probing::Probing;
use deferd_integration::recording::Recording;
use deferd_integration::wait;

use super::breakpoints::{Breakpoints, OF_PANICS};
use super::{go, sums};

const COUNT: &str = "go.panic.count";
/// The default.
const RECORDS_PER_SECOND: f64 = 10.0;

/// `encoding/json` of the last Go in which it panics, and `text/template` of the newest.
fn libraries() -> [(&'static str, PathBuf); 2] {
    let with_json = go(26).unwrap_or_else(newest);
    [("json", binary("panics", with_json, Mode::Plain)), ("template", binary("panics", newest(), Mode::Plain))]
}

fn floods(seconds: &str) -> Vec<(&'static str, Panics)> {
    let start = |(library, file): (&'static str, PathBuf)| {
        let arguments = ["-flood", "20000", "-library", library, "-seconds", seconds, "-every", "50ms"];
        let mut panics = Panics::start(&file, &arguments);
        assert!(panics.announced().stages.iter().all(|stage| stage.internal));
        (library, panics)
    };
    libraries().map(start).into()
}

/// All that a flood counts, until its end.
fn counted(panics: &mut Panics) -> Vec<Flood> {
    let mut counts = vec![panics.counted()];
    while counts.last().is_some_and(|last| !last.end) {
        counts.push(panics.counted());
    }
    counts
}

/// Where a count of panics is above what the program had raised by then.
fn above_the_truth(recording: &Recording, stage: &str, truth: &[Flood]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (time, value) in sums(recording, COUNT, &[("go.panic.stage", stage)]) {
        let later = truth.iter().find(|count| count.unix_nano >= time + READ_LATER).or(truth.last());
        let most = later.map_or(0.0, |count| real(count.panics_at_most));
        if value > most {
            wrong.push(format!("{value} {stage} at {time}, at most {most} happened"));
        }
    }
    wrong
}

/// Counts are read after the look whose time they bear, in nanoseconds.
const READ_LATER: u64 = 400_000_000;

#[test]
fn every_panic_of_a_flood_is_counted_if_that_is_wanted() {
    let mut floods = floods("5");
    let pids: Vec<u32> = floods.iter().map(|(_, panics)| panics.pid()).collect();
    let Some(probing) = Probing::of(&pids) else { return };
    let service = probing.start("{panics: {exact: true}}");
    for breakpoints in Breakpoints::of_all(&pids, &OF_PANICS) {
        breakpoints.await_set();
    }
    for (_, panics) in &mut floods {
        panics.begin();
    }
    for (library, panics) in &mut floods {
        let truth = counted(panics);
        let last = *truth.last().unwrap();
        assert!(last.panics == last.panics_at_most && last.panics > 50_000, "{library}: {last:?}");
        let attributes = |stage| [("go.panic.stage", stage), ("go.panic.internal", "true")];
        for stage in ["raised", "recovered"] {
            let now =
                || sums(&probing.recording().about(panics.pid()), COUNT, &attributes(stage)).last().map(|(_, value)| *value);
            let ended = now();
            wait::until(&format!("{library}: {} {stage}, {ended:?} first", last.panics), || {
                (now() == Some(real(last.panics))).then_some(())
            });
        }
        let recording = probing.recording().about(panics.pid());
        let all = sums(&recording, COUNT, &[]).last().map(|(_, value)| *value);
        assert_eq!(all, Some(real(2 * last.panics)), "{library}: raised and recovered, and nothing else");
        assert_eq!(above_the_truth(&recording, "raised", &truth), Vec::<String>::new());
        missing::report(&format!("{library}: {} panics, all counted", last.panics));
    }
    assert_eq!(service.stop().code, Some(0));
}

/// The least that a probe cost on average from the first report on, over ten or more. What was spent before it was known how much it
/// is, or while a busy machine let deferd wait, is paid off by and by: at some moment, everything is.
fn least_average(costs: &[f64]) -> f64 {
    let mut sum = 0.0;
    let averages = costs.iter().zip(1_u32..).map(|(cost, reports)| {
        sum += cost;
        if reports < 10 { f64::INFINITY } else { sum / f64::from(reports) }
    });
    averages.fold(f64::INFINITY, f64::min)
}

#[test]
fn a_flood_costs_no_more_than_is_promised_once_its_beginning_is_paid_off_and_is_counted_as_at_least() {
    let mut floods = floods("25");
    let pids: Vec<u32> = floods.iter().map(|(_, panics)| panics.pid()).collect();
    let Some(probing) = Probing::of(&pids) else { return };
    let service = probing.start("{}");
    for breakpoints in Breakpoints::of_all(&pids, &OF_PANICS) {
        breakpoints.await_set();
    }
    // The probes of registrations have found their pace, too.
    let is_settled =
        |pid| sums(&probing.recording().about(pid), "deferd.probe.coverage", &[("deferd.probe", "rates")]).len() >= 4;
    wait::until("four reports", || pids.iter().all(|pid| is_settled(*pid)).then_some(()));
    for (_, panics) in &mut floods {
        panics.begin();
    }
    let truths: Vec<Vec<Flood>> = floods.iter_mut().map(|(_, panics)| counted(panics)).collect();
    assert_eq!(service.stop().code, Some(0));
    for ((library, panics), truth) in floods.iter().zip(&truths) {
        let recording = probing.recording().about(panics.pid());
        let (first, last) = (truth[0], *truth.last().unwrap());
        let seconds = real(last.unix_nano - first.unix_nano) / 1e9;
        let allowed = (0.01 * real(last.cpu_ns - first.cpu_ns) / 1e9 / seconds).max(0.001);
        let costs = sums(&recording, OVERHEAD, &[]);
        let during: Vec<f64> =
            costs.iter().filter(|(time, _)| (first.unix_nano..last.unix_nano).contains(time)).map(|(_, cost)| *cost).collect();
        let cost = least_average(&during);
        let coverage = sums(&recording, "deferd.probe.coverage", &[("deferd.probe", "panics")]);
        let covered = coverage.iter().map(|(_, part)| *part).fold(1.0, f64::min);
        let counts = sums(&recording, COUNT, &[("go.panic.stage", "raised")]);
        let seen = counts.last().map_or(0.0, |(_, value)| *value);
        missing::report(&format!(
            "{library}: {} panics, {seen} counted; cost {:.3} of {:.3} ms/s allowed in {} reports; least coverage {covered:.3}",
            last.panics,
            cost * 1e3,
            allowed * 1e3,
            during.len(),
        ));
        let of_each = ["panics", "rates", "files", "timer"].map(|probe| sums(&recording, OVERHEAD, &[("deferd.probe", probe)]));
        assert!(during.len() >= 10 && cost <= allowed, "{library}: {cost} of {allowed}: {of_each:?}");
        assert!(covered < 1.0, "{library}: {coverage:?}");
        assert!(seen > 0.0 && seen < real(last.panics), "{library}: {seen}");
        assert_eq!(above_the_truth(&recording, "raised", truth), Vec::<String>::new());
        for stage in ["raised", "recovered"] {
            let of_stage = |name: Option<&String>| name.is_some_and(|name| name == stage);
            let records = recording.events.iter().filter(|event| of_stage(event.attributes.get("go.panic.stage"))).count();
            assert!(records > 0 && real(records as u64) <= RECORDS_PER_SECOND * (seconds + 2.0), "{library}: {records} {stage}");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no count here has 2^53")]
fn real(number: u64) -> f64 {
    number as f64
}
