//! A real Collector beside the sink: both receive the same.

use bytes::Bytes;
use deferd_fixtures::missing;
use deferd_integration::collector::{Collector, Points};
use deferd_integration::otlp_sink::Sink;
use deferd_pdata::build::{MetricsBuilder, NumberPoint};

use crate::service::{Service, until};
use crate::to;

/// Batches sent, and series in each.
const BATCHES: u64 = 200;
const SERIES: u64 = 25;

#[tokio::test]
async fn a_real_collector_receives_the_same_points_as_the_sink() {
    let Some(collector) = Collector::start() else { return };
    let sink = Sink::start();
    let (zipped, plain) = ("compression: gzip", "compression: none");
    let real = |keys: &str| format!("{{endpoint: \"{}\", tls: {{insecure: true}}, {keys}}}", collector.endpoint());
    let (to_real, to_real_plain) = (real(zipped), real(plain));
    let mut exporters = vec![("otlp", to(&sink, zipped)), ("otlp_grpc/real", to_real)];
    let mut service = Service::start("collector", &slices(&exporters)).await;
    for round in 0..BATCHES {
        if round == BATCHES / 2 {
            exporters[1].1.clone_from(&to_real_plain);
            service.reload(&slices(&exporters));
        }
        service.send_request(request(round), usize::try_from(SERIES * 2).unwrap()).await.unwrap();
    }
    let all = BATCHES * SERIES * 2;
    until("both have everything", || service.sent("otlp") == all && service.sent("otlp_grpc/real") == all).await;
    let expected = sorted(sink_points(&sink));
    until("the Collector has shown everything", || count(&collector.points()) as u64 >= all).await;
    let shown = sorted(collector.points());
    assert_eq!(shown, expected);
    assert_eq!((count(&shown) as u64, shown.len() as u64), (all, SERIES * 2));
    missing::report(&format!("Collector: {all} points of {} series in {BATCHES} requests, equal to the sink's", shown.len()));
}

fn slices<'a>(exporters: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    exporters.iter().map(|(id, body)| (*id, body.as_str())).collect()
}

/// A gauge of integers and a sum of fractions, a point in each series.
fn request(round: u64) -> Bytes {
    let time = round + 1;
    let mut builder = MetricsBuilder::default();
    builder.resource(&[("service.name", "test".into())], |resource| {
        resource.scope("test", "1", |scope| {
            let site = |series| [("line", i64::try_from(series).unwrap().into()), ("site", "main.go: \"a\"".into())];
            scope.gauge("pending", "calls", "{defer}", |points| {
                for series in 0..SERIES {
                    let value = i64::try_from(round * series).unwrap() - 50;
                    points.add(&NumberPoint::new(&site(series), time, value));
                }
            });
            scope.gauge("growth", "", "{defer}/s", |points| {
                for series in 0..SERIES {
                    let value = f64::from(u32::try_from(round).unwrap()) / 8.0;
                    points.add(&NumberPoint::new(&site(series), time, value));
                }
            });
        });
    });
    builder.finish()
}

fn count(points: &Points) -> usize {
    points.values().map(Vec::len).sum()
}

/// Requests overtake each other, so order means nothing.
fn sorted(mut points: Points) -> Points {
    for values in points.values_mut() {
        values.sort_by(|one, other| one.partial_cmp(other).unwrap());
    }
    points
}

/// The sink's series, by metric and attributes.
fn sink_points(sink: &Sink) -> Points {
    let resource = "{service.name=\"test\"} ";
    let received = sink.received().series.into_iter().map(|(series, values)| {
        let (metric, attributes) = series.strip_prefix(resource).unwrap().split_once(' ').unwrap();
        let attributes = attributes.trim_start_matches('{').trim_end_matches('}').split(", ").map(str::to_owned).collect();
        ((metric.to_owned(), attributes), values)
    });
    received.collect()
}
