use std::fmt::Write as _;

use super::*;

/// A recording: one look every 5 s, `pending` deferred calls at main.go:33.
fn recording(pending: impl Iterator<Item = u32>) -> String {
    let site = [("code.file.path", "main.go"), ("code.line.number", "33"), ("go.defer.kind", "heap")];
    recording_of("go.defer.pending", &site, pending)
}

/// A recording of one series of the service `shop`: one look every 5 s.
fn recording_of(metric: &str, attributes: &[(&str, &str)], values: impl Iterator<Item = u32>) -> String {
    let attribute = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let attributes: Vec<String> = attributes.iter().map(|(key, value)| attribute(key, value)).collect();
    let (attributes, resource) = (attributes.join(","), attribute("service.name", "shop"));
    let mut lines = String::new();
    for (look, value) in values.enumerate() {
        let time = 1_700_000_000_000_000_000_u64 + look as u64 * 5_000_000_000;
        let point = format!(r#"{{"timeUnixNano":"{time}","asInt":"{value}","attributes":[{attributes}]}}"#);
        let metric = format!(r#"{{"name":"{metric}","gauge":{{"dataPoints":[{point}]}}}}"#);
        writeln!(
            lines,
            r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{resource}]}},"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#
        )
        .unwrap();
    }
    lines
}

fn run_suite(suite: &str, recording: &str) -> (Exit, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("leak.jsonl"), recording).unwrap();
    let file = folder.path().join("test.yaml");
    std::fs::write(&file, suite).unwrap();
    let exit = test(&file.display().to_string());
    let suite = decode::<Suite>(&file.display().to_string()).unwrap();
    (exit, suite.tests.iter().flat_map(|test| outcome(&suite, test, folder.path())).collect())
}

const SUITE: &str = "
tests:
  - name: a leak fires once it has gone on for a minute
    input: leak.jsonl
    fired: [{ name: DeferPendingGrows, severity: critical, labels: { code.line.number: '33', resource.service.name: shop } }]
    expect:
      - { at: 75s, alerts: [] }
      - { at: 80s, alerts: [{ name: DeferPendingGrows }] }
      - { at: 120s, alerts: [] }
";

#[test]
fn a_recorded_leak_is_judged_as_it_would_have_been_live() {
    let leak = (0..20).map(|look| look * 200).chain([0; 10]);
    assert_eq!(run_suite(SUITE, &recording(leak)), (Exit::Done, vec![]));
}

#[test]
fn what_does_not_come_out_as_expected_is_told_with_what_happened() {
    let (exit, wrong) = run_suite(SUITE, &recording((0..30).map(|look| look * 200)));
    assert_eq!(exit, Exit::Failed);
    let alert = "DeferPendingGrows (critical) {code.file.path=\"main.go\", code.line.number=\"33\", go.defer.kind=\"heap\"}";
    assert_eq!(wrong, [format!("at 2m: {alert} fires and is not expected"), format!("   80.0 s  {alert} fires")]);
    let (_, wrong) = run_suite(SUITE, &recording(std::iter::repeat_n(7, 30)));
    assert_eq!(wrong.first().map(String::as_str), Some("at 1m20s: DeferPendingGrows (any severity) {} does not fire"));
}

#[test]
fn a_test_that_could_only_pass_fails() {
    let (_, wrong) = run_suite(SUITE, "\n");
    assert!(wrong[0].ends_with("leak.jsonl: there is nothing in the recording"), "{wrong:?}");
    let (_, wrong) = run_suite(SUITE, &recording((0..15).map(|look| look * 200)));
    assert!(wrong.contains(&"at 2m: the recording ends after 70.0 s".to_owned()), "{wrong:?}");
}

#[test]
fn a_damaged_recording_is_named_with_its_line() {
    let damaged = recording((0..3).map(|look| look * 200)) + "{\"resourceMetrics\": 7}\n";
    let (exit, wrong) = run_suite(SUITE, &damaged);
    assert_eq!(exit, Exit::Failed);
    assert!(wrong[0].contains("leak.jsonl:4: no OTLP in JSON"), "{wrong:?}");
}

/// Files that are open by the place that opened them, every five seconds since it was first named, as recorded of the Go program `files`:
/// it leaks five a second.
const LEAKED: [u32; 44] = [
    5, 31, 57, 82, 107, 133, 158, 183, 208, 228, 254, 280, 305, 331, 356, 381, 408, 433, 454, 479, 504, 529, 555, 580, 606, 630,
    655, 680, 705, 731, 756, 782, 807, 833, 858, 879, 904, 930, 956, 982, 1003, 1030, 1055, 1081,
];
/// It fills a pool of 2,000 in one minute; the series ends a minute later.
const POOLED_IN_ONE_MINUTE: [u32; 21] =
    [6, 176, 349, 519, 685, 852, 1019, 1188, 1308, 1308, 1308, 1308, 1308, 1308, 1308, 1308, 1308, 1308, 1308, 1308, 1308];
/// The same in two minutes.
const POOLED_IN_TWO_MINUTES: [u32; 34] = [
    4, 88, 175, 260, 344, 428, 496, 579, 663, 747, 832, 920, 1005, 1088, 1172, 1255, 1332, 1417, 1501, 1585, 1654, 1654, 1654,
    1654, 1654, 1654, 1654, 1654, 1654, 1654, 1654, 1654, 1654, 1654,
];

fn recorded_files(open: &[u32], close: &str) -> String {
    let site = [("code.file.path", "files/ways.go"), ("code.line.number", "18"), ("go.file.close", close)];
    recording_of("go.file.open", &site, open.iter().copied())
}

#[test]
fn a_recorded_leak_of_files_is_told_with_its_place_and_what_is_wrong_there() {
    for close in ["missing", "deferred"] {
        let labels = format!("{{ code.line.number: '18', go.file.close: {close} }}");
        let alert = format!("{{ name: OpenFilesGrow, severity: high, labels: {labels} }}");
        let suite = format!(
            "tests: [{{ name: a leak, input: leak.jsonl, fired: [{alert}], expect: [{{ at: 180s, alerts: [] }}, {{ at: 190s, alerts: [{alert}] }}] }}]"
        );
        assert_eq!(run_suite(&suite, &recorded_files(&LEAKED, close)), (Exit::Done, vec![]), "{close}");
    }
}

#[test]
fn recorded_pools_that_fill_up_within_two_minutes_are_no_leak() {
    let suite = "tests: [{ name: a pool, input: leak.jsonl, fired: [] }]";
    for pool in [&POOLED_IN_ONE_MINUTE[..], &POOLED_IN_TWO_MINUTES] {
        // However long it then holds what it has.
        let held = std::iter::repeat_n(*pool.last().unwrap(), 100);
        let open: Vec<u32> = pool.iter().copied().chain(held).collect();
        assert_eq!(run_suite(suite, &recorded_files(&open, "missing")), (Exit::Done, vec![]));
    }
}
