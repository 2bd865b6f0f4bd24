use std::fmt::Write as _;

use super::*;

/// A recording: one look every 5 s, `pending` deferred calls at main.go:33.
fn recording(pending: impl Iterator<Item = u32>) -> String {
    let mut lines = String::new();
    for (look, pending) in pending.enumerate() {
        let time = 1_700_000_000_000_000_000_u64 + look as u64 * 5_000_000_000;
        let attribute = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
        let site = [("code.file.path", "main.go"), ("code.line.number", "33"), ("go.defer.kind", "heap")];
        let site = site.map(|(key, value)| attribute(key, value)).join(",");
        let point = format!(r#"{{"timeUnixNano":"{time}","asInt":"{pending}","attributes":[{site}]}}"#);
        let metric = format!(r#"{{"name":"go.defer.pending","gauge":{{"dataPoints":[{point}]}}}}"#);
        let resource = attribute("service.name", "shop");
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
