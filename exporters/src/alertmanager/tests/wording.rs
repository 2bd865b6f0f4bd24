//! What an alert says, and what a configuration may ask for.

use super::*;

fn only(exporter: &Alertmanager, request: Bytes) -> Post {
    let now = Moment { at: Instant::now(), wall: START };
    exporter.0.take(&[request], now).unwrap();
    let mut alerts = exporter.0.state.alerts.lock();
    alerts.set_endpoints(&["http://a:1".to_owned()]);
    let mut posts = alerts.due("http://a:1", &exporter.0.timing, now, 10);
    assert_eq!(posts.len(), 1);
    posts.remove(0)
}

#[test]
fn an_alert_says_who_and_where_in_labels_and_the_rest_in_annotations() {
    let post = only(&build("{}", Signal::Metrics), request(&[LEAK]));
    let text = serde_json::to_string_pretty(&(&post.alert.labels, &post.alert.annotations)).unwrap();
    let expected = r#"[
  {
    "alertname": "defer_leak",
    "callee": "os.(*File).Close",
    "function": "main.ship",
    "go_defer_kind": "heap",
    "instance": "i-1",
    "service": "shop",
    "severity": "high",
    "site": "main.go:42"
  },
  {
    "host": "node-1",
    "measure": "value",
    "pid": "4711",
    "remediation": "close in the loop",
    "since": "2023-11-14T22:12:50Z",
    "summary": "41203 deferred calls are pending",
    "threshold": "1000",
    "value": "41203"
  }
]"#;
    assert_eq!(text, expected);
}

#[test]
fn templates_see_values_as_numbers_and_attributes_by_name() {
    let body = r#"{labels: {kind: "{{ attributes['go.defer.kind'] }}", go_defer_kind: ""},
        annotations: {dashboard: "https://d/{{ service }}?pid={{ resource['process.pid'] }}", value: "{% if value > 1000 %}many{% endif %}"}}"#;
    let post = only(&build(body, Signal::Metrics), request(&[LEAK]));
    assert_eq!(post.alert.labels["kind"], "heap");
    assert!(!post.alert.labels.contains_key("go_defer_kind"));
    assert_eq!(post.alert.annotations["dashboard"], "https://d/shop?pid=4711");
    assert_eq!(post.alert.annotations["value"], "many");
}

#[test]
fn long_texts_are_cut_and_a_template_that_fails_leaves_a_gap() {
    let body = r#"{labels: {long: "{{ name - 2 }}", site: "{{ name }}"}, annotations: {summary: "{{ name }}"}}"#;
    let name = "x".repeat(100_000);
    let post = only(&build(body, Signal::Metrics), request(&[Point { name: &name, ..LEAK }]));
    assert!(!post.alert.labels.contains_key("long"));
    assert_eq!((post.alert.labels["site"].len(), post.alert.annotations["summary"].len()), (512, 4096));
}

#[test]
fn other_metrics_and_records_without_a_rule_say_nothing() {
    let mut other = MetricsBuilder::default();
    other.resource(RESOURCE, |resource| {
        resource.scope("", "", |scope| scope.gauge("go.defer.pending", "", "", |out| out.add(&NumberPoint::new(&[][..], 1, 1))));
    });
    let metrics = build("{}", Signal::Metrics);
    let now = Moment { at: Instant::now(), wall: START };
    metrics.0.take(&[other.finish()], now).unwrap();
    assert_eq!(metrics.0.state.alerts.lock().counts(), (0, 0));
    let logs = build("{}", Signal::Logs);
    logs.0.take(&[record(&[("a", "b".into())])], now).unwrap();
    assert_eq!(logs.0.state.alerts.lock().counts(), (0, 0));
    assert!(matches!(logs.0.take(&[Bytes::from_static(b"\xff\xff")], now), Err(ExportError::Permanent { .. })));
}

#[test]
fn a_marked_record_is_an_event_that_alertmanager_ends_itself() {
    let exporter = build("{event_labels: [queue.name], severity_attribute: level}", Signal::Logs);
    let attributes: &[(&str, Value<'_>)] =
        &[(contract::NAME, "panic".into()), ("level", "critical".into()), ("queue.name", "q".into()), ("user", "u".into())];
    let post = only(&exporter, record(attributes));
    assert_eq!(lines(std::slice::from_ref(&post)), ["panic critical -1..open"]);
    let labels: Vec<String> = post.alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(labels, ["alertname=panic", "instance=i-1", "queue_name=q", "service=shop", "severity=critical"]);
    assert_eq!(post.alert.annotations["summary"], "it broke");
    let mut alerts = exporter.0.state.alerts.lock();
    let now = Moment { at: Instant::now(), wall: START };
    alerts.record("http://a:1", &[post], false, now);
    assert_eq!(alerts.sweep(&exporter.0.timing, now), 0);
    assert_eq!(alerts.counts(), (0, 0), "it is told once");
}

#[test]
fn a_record_without_any_severity_gets_the_configured_one() {
    let post = only(&build("{severity: page}", Signal::Logs), record(&[(contract::NAME, "panic".into())]));
    assert_eq!(post.alert.labels["severity"], "page");
}

#[test]
fn every_problem_of_a_configuration_is_found_at_its_key() {
    let body = r#"{endpoint: "localhost:9093", endpoints: ["http://user:secret@a", "http://a?b"], refresh_interval: 10s, stale_after: 10s,
        labels: {"no-name": x, ok: "{{ servce }}"}, headers: {Authorization: x}, auth: {bearer_token: a, basic: {username: "a:b"}},
        tls: {cert_file: x}, max_alerts: 0, generator_url: opentelemetry-collector}"#;
    let problems = decode(body).unwrap_err();
    let expected = [
        "endpoint",
        "endpoints::0",
        "endpoints::1",
        "generator_url",
        "stale_after",
        "max_alerts",
        "labels::no-name",
        "labels::ok",
        "headers::Authorization",
        "tls::key_file",
        "auth",
        "auth::basic::username",
    ];
    for key in expected {
        assert!(
            problems.iter().any(|problem| problem.contains(&format!("exporters::alertmanager::{key}: "))),
            "{key} in {problems:#?}"
        );
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    assert!(!problems.concat().contains("secret"), "{problems:#?}");
    let version = decode("{api_version: v1}").unwrap_err().concat();
    assert!(version.contains("v2"), "{version}");
    let version = decode("{tls: {min_version: \"1.1\"}}").unwrap_err().concat();
    assert!(version.contains("unsupported TLS version: \"1.1\"; allowed: 1.2, 1.3"), "{version}");
}

#[test]
fn the_collectors_keys_are_taken() {
    let body = r#"{endpoint: "https://alerts:9093", severity: debug, severity_attribute: level, generator_url: "http://g", api_version: v2,
        event_labels: [a, b], timeout: 10s, tls: {cert_file: "", insecure_skip_verify: true, min_version: "1.2", max_version: "1.3"}, headers: {X-Scope-OrgID: tenant},
        retry_on_failure: {enabled: true, initial_interval: 10s, max_interval: 60s, max_elapsed_time: 10m},
        sending_queue: {num_consumers: 2, queue_size: 10}}"#;
    let config = decode(body).unwrap();
    assert_eq!(config.addresses(), ["https://alerts:9093"]);
    assert_eq!(Factory::settings(&config).queue.num_consumers, 1);
}
