//! Tests of the whole exporter: from a request to the text, and over a socket.

mod endpoint;
mod promtool;
mod text;

use std::time::Duration;

use deferd_component::testing::{context, document};
use deferd_component::{Claims, ComponentId, Kind as ComponentKind};
use deferd_pdata::build::{HistogramPoint, MetricsBuilder, MetricsResource, MetricsScope, NumberPoint, NumberPoints, Value};
use deferd_pdata::metrics::Temporality;

use super::*;

const TIME: u64 = 1_700_000_000_123_456_789;

fn id() -> ComponentId {
    "prometheus".parse().unwrap()
}

fn config(body: &str) -> Config {
    document(ComponentKind::Exporter, &id(), body).decode(ComponentKind::Exporter, &id()).unwrap()
}

fn build(body: &str) -> Prometheus {
    build_over(body, &Arc::default(), &Arc::default())
}

/// An instance as a reload makes it: over the same state and the same sockets.
fn build_over(body: &str, state: &Arc<State>, sockets: &Arc<Claims>) -> Prometheus {
    let context = BuildContext { sockets: Arc::clone(sockets), ..context(ComponentKind::Exporter, &id(), &[Signal::Metrics]) };
    Factory::build(config(body), Arc::clone(state), &context).unwrap()
}

/// The text after these requests, taken at once.
fn text_of(body: &str, requests: &[Bytes]) -> String {
    let exporter = build(body);
    let now = Instant::now();
    exporter.take(requests, now).unwrap();
    exporter.text(now)
}

/// Samples only, without `target_info`.
fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("target_info")).collect()
}

const SHOP: &[(&str, Value<'static>)] = &[("service.name", Value::Str("shop")), ("service.instance.id", Value::Str("1"))];

fn request(attributes: &[(&str, Value<'_>)], write: impl FnOnce(&mut MetricsResource<'_>)) -> Bytes {
    let mut request = MetricsBuilder::default();
    request.resource(attributes, write);
    request.finish()
}

/// A request of one scope without name.
fn plain(write: impl FnOnce(&mut MetricsScope<'_>)) -> Bytes {
    request(SHOP, |resource| resource.scope("", "", write))
}

/// A gauge `g` with these points.
fn gauge(write: impl FnOnce(&mut NumberPoints<'_>)) -> Bytes {
    plain(|scope| scope.gauge("g", "help", "", write))
}

/// What `deferd` itself sends, and one of each other kind.
fn everything() -> Bytes {
    let resource: &[(&str, Value<'_>)] = &[
        ("service.name", "shop".into()),
        ("service.namespace", "eu".into()),
        ("service.instance.id", "8f1c".into()),
        ("process.pid", 4711.into()),
        ("host.name", "node-1".into()),
    ];
    let site: &[(&str, Value<'_>)] = &[
        ("code.file.path", "/src/main.go".into()),
        ("code.line.number", 42.into()),
        ("go.defer.callee", "os.(*File).Close".into()),
    ];
    request(resource, |resource| {
        resource.scope("deferd/godefer", "0.1.0", |scope| {
            scope.gauge("go.defer.pending", "Pending deferred calls", "{defer}", |points| {
                points.add(&NumberPoint::new(site, TIME, 41_203));
                points.add(&NumberPoint::new(&[("code.file.path", "other \"x\"\\\n".into())], TIME, 3));
            });
            scope.gauge("go.defer.pending.memory", "Memory they hold", "By", |points| {
                points.add(&NumberPoint::new(site, TIME, 2.5e6));
            });
            scope.gauge("go.defer.pending.growth", "Growth", "{defer}/s", |points| {
                points.add(&NumberPoint::new(site, TIME, 12.5));
            });
            scope.gauge("deferd.target.overhead", "What we cost", "1", |points| {
                points.add(&NumberPoint::new(&[], TIME, 0.01));
            });
            scope.sum("go.memory.gc.cycles", "Collections", "{gc_cycle}", (Temporality::Cumulative, true), |points| {
                points.add(&NumberPoint::new(&[], TIME, 7));
            });
            scope.sum("connections", "Open connections", "{connection}", (Temporality::Cumulative, false), |points| {
                points.add(&NumberPoint::new(&[], TIME, 3));
            });
            scope.histogram("go.gc.pause", "Pauses", "s", Temporality::Cumulative, |points| {
                points.add(&HistogramPoint {
                    time: TIME,
                    count: 6,
                    sum: Some(0.75),
                    bucket_counts: &[1, 2, 3],
                    explicit_bounds: &[0.001, 1.0],
                    ..HistogramPoint::default()
                });
            });
        });
    })
}
