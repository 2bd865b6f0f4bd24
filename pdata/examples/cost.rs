//! Prints nanoseconds per data point for what this crate does, next to prost on the same bytes.
//!
//! `cargo run --release -p deferd-pdata --example cost`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::needless_pass_by_value,
    reason = "an example that prints figures for people"
)]

use std::{hint::black_box, time::Instant};

use deferd_pdata::{
    build::{AttributeSet, EncodedAttributes, MetricsBuilder, NumberPoint, Value},
    metrics::{self, Data},
    validate::{self, Utf8},
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

const METRICS: usize = 10;
const POINTS_EACH: usize = 50;
const POINTS: usize = METRICS * POINTS_EACH;
/// Passes per figure; the median counts.
const PASSES: usize = 301;

fn main() {
    let pairs: Vec<_> = (0..POINTS_EACH).map(site).collect();
    let sites: Vec<_> = pairs.iter().map(EncodedAttributes::new).collect();
    let bytes = build(sites.iter().map(Into::into));
    let from_pairs = build(pairs.iter().map(|pairs| pairs.as_slice().into()));
    assert_eq!(bytes, from_pairs);
    assert_eq!(metrics::count_points(&bytes), Ok(POINTS));

    println!("{POINTS} points, 5 attributes each, {} bytes per point", bytes.len() / POINTS);
    let decode = || ExportMetricsServiceRequest::decode(bytes.as_ref()).unwrap();
    let owned = decode();
    let base = nanoseconds(decode);
    let print = |what: &str, cost: f64| {
        println!("{what:44} {cost:8.1} ns/point  {:7.1} x cheaper than prost decode", base / cost);
    };
    print("prost decode", base);
    print("prost encode", nanoseconds(|| owned.encode_to_vec()));
    print("count_points", nanoseconds(|| metrics::count_points(&bytes)));
    print("validate, text unchecked", nanoseconds(|| validate::metrics(&bytes, Utf8::Ignore)));
    print("validate, text checked", nanoseconds(|| validate::metrics(&bytes, Utf8::Require)));
    print("view: every point, no attributes", nanoseconds(|| walk(&bytes, false)));
    print("view: every point and attribute", nanoseconds(|| walk(&bytes, true)));
    print("retain: nothing to drop", nanoseconds(|| metrics::retain(&bytes, |_, _, _| true)));
    let odd = |name: &[u8]| name.last().is_some_and(|digit| digit % 2 == 1);
    print("retain: half of the metrics", nanoseconds(|| metrics::retain(&bytes, |_, _, metric| odd(metric.name.as_bytes()))));
    print("build: attributes encoded before", nanoseconds(|| build(sites.iter().map(Into::into))));
    print("build: attributes from pairs", nanoseconds(|| build(pairs.iter().map(|pairs| pairs.as_slice().into()))));
}

fn site(line: usize) -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("code.function.name", "main.(*Server).handleRequest".into()),
        ("code.file.path", "/src/example.org/shop/server/handler.go".into()),
        ("code.line.number", i64::try_from(line).unwrap().into()),
        ("go.defer.callee", "sync.(*Mutex).Unlock".into()),
        ("go.defer.kind", "open_coded".into()),
    ]
}

fn build<'a>(sites: impl Iterator<Item = AttributeSet<'a>> + Clone) -> bytes::Bytes {
    let mut request = MetricsBuilder::default();
    request.resource(&[("service.name", "shop".into())], |resource| {
        resource.scope("deferd/godefer", "0.1.0", |scope| {
            for metric in 0..METRICS {
                let name = format!("go.defer.figure.{metric}");
                scope.gauge(&name, "A figure per site", "{defer}", |points| {
                    for site in sites.clone() {
                        points.add(&NumberPoint::new(site, 1_700_000_000_000_000_000, 41_203));
                    }
                });
            }
        });
    });
    request.finish()
}

fn walk(bytes: &[u8], attributes: bool) -> u64 {
    let mut sum = 0;
    for resource in metrics::Request::new(bytes).resources() {
        for metric in resource.scopes().flat_map(|scope| scope.items()) {
            let Data::Gauge(points) = metric.data() else {
                continue;
            };
            for point in points {
                sum += point.time ^ u64::from(point.flags);
                black_box(point.value);
                if attributes {
                    sum += point.attributes().iter().map(|pair| black_box(pair).0.as_bytes().len() as u64).sum::<u64>();
                }
            }
        }
    }
    sum
}

fn nanoseconds<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut passes: Vec<_> = (0..PASSES)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_nanos()
        })
        .collect();
    passes.sort_unstable();
    let median = passes.get(PASSES / 2).copied().unwrap_or_default();
    median as f64 / POINTS as f64
}
