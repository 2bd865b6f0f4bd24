//! Tests of the whole exporter: from a request to the posts that are due, and over sockets.

mod answers;
mod history;
mod real;
mod secure;
mod server;
mod simulation;
mod wording;

use std::time::Duration;

use deferd_component::testing::{context, document};
use deferd_component::{ComponentId, Kind, alert as contract};
use deferd_pdata::build::{Exemplar, LogsBuilder, MetricsBuilder, NumberPoint, Record, Value};

use super::state::Post;
use super::*;

/// Nanoseconds since the epoch at which the tests begin: 2023-11-14T22:13:20Z.
const START: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn id() -> ComponentId {
    "alertmanager".parse().unwrap()
}

fn decode(body: &str) -> Result<Config, Vec<String>> {
    let problems = |found: Vec<deferd_component::Problem>| found.iter().map(ToString::to_string).collect();
    document(Kind::Exporter, &id(), body).decode(Kind::Exporter, &id()).map_err(problems)
}

fn build(body: &str, signal: Signal) -> Alertmanager {
    build_over(body, signal, &Arc::default())
}

/// An instance as a reload makes it: over the same state.
fn build_over(body: &str, signal: Signal, state: &Arc<State>) -> Alertmanager {
    let context = context(Kind::Exporter, &id(), &[signal]);
    context.health.register(&context.path());
    Factory::build(decode(body).unwrap(), Arc::clone(state), &context).unwrap()
}

/// What a point says of an alert.
#[derive(Debug, Clone, Copy)]
struct Point<'a> {
    name: &'a str,
    severity: &'a str,
    line: i64,
    firing: bool,
    value: f64,
    since: u64,
}

const LEAK: Point<'static> =
    Point { name: "defer_leak", severity: "high", line: 42, firing: true, value: 41203.0, since: START - 30 * SECOND };

const RESOURCE: &[(&str, Value<'static>)] = &[
    ("service.name", Value::Str("shop")),
    ("service.instance.id", Value::Str("i-1")),
    ("process.pid", Value::Int(4711)),
    ("host.name", Value::Str("node-1")),
];

fn request(points: &[Point<'_>]) -> Bytes {
    request_of(RESOURCE, points)
}

fn request_of(resource: &[(&str, Value<'_>)], points: &[Point<'_>]) -> Bytes {
    let mut request = MetricsBuilder::default();
    request.resource(resource, |resource| {
        resource.scope(contract::SCOPE, "1", |scope| {
            scope.gauge(contract::METRIC, "", "1", |out| points.iter().for_each(|point| add(out, point)));
        });
    });
    request.finish()
}

fn add(out: &mut deferd_pdata::build::NumberPoints<'_>, point: &Point<'_>) {
    let attributes: &[(&str, Value<'_>)] = &[
        (contract::NAME, point.name.into()),
        (contract::SEVERITY, point.severity.into()),
        ("code.function.name", "main.ship".into()),
        ("code.file.path", "main.go".into()),
        ("code.line.number", point.line.into()),
        ("go.defer.callee", "os.(*File).Close".into()),
        ("go.defer.kind", "heap".into()),
    ];
    let facts: &[(&str, Value<'_>)] = &[
        (contract::MEASURE, "value".into()),
        (contract::THRESHOLD, 1000.0.into()),
        (contract::SINCE, i64::try_from(point.since).unwrap().into()),
        (contract::SUMMARY, "41203 deferred calls are pending".into()),
        (contract::REMEDIATION, "close in the loop".into()),
    ];
    let value = deferd_pdata::metrics::Number::Double(point.value);
    let exemplar = Exemplar { value, time: START, trace_id: None, span_id: None, filtered_attributes: facts.into() };
    let exemplars = if point.firing { vec![exemplar] } else { Vec::new() };
    out.add(&NumberPoint { exemplars: &exemplars, ..NumberPoint::new(attributes, START, i64::from(point.firing)) });
}

fn record(attributes: &[(&str, Value<'_>)]) -> Bytes {
    let mut request = LogsBuilder::default();
    request.resource(RESOURCE, |resource| {
        resource.scope("app", "1", |scope| {
            scope.add(&Record {
                time: START - SECOND,
                body: "it broke".into(),
                attributes: attributes.into(),
                ..Record::default()
            });
        });
    });
    request.finish()
}

/// What is due, one line each: name, severity, `fires` or `ended` or `event`, seconds since the start at which it begins and ends.
fn lines(posts: &[Post]) -> Vec<String> {
    let seconds = |wall: u64| (i128::from(wall) - i128::from(START)) / i128::from(SECOND);
    let line = |post: &Post| {
        let label = |name: &str| post.alert.labels.get(name).cloned().unwrap_or_default();
        let ends = post.ends.map_or("open".to_owned(), |ends| seconds(ends).to_string());
        format!("{} {} {}..{ends}", label("alertname"), label("severity"), seconds(post.starts))
    };
    posts.iter().map(line).collect()
}

/// Waits until `ready` gives something.
async fn eventually<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited 20 s for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
