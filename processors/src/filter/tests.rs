use bytes::Bytes;
use deferd_component::testing::{context, document};
use deferd_component::{ComponentId, Kind};
use deferd_pdata::build::{MetricsBuilder, NumberPoint};

use super::*;

fn id() -> ComponentId {
    "filter".parse().unwrap()
}

fn filter(body: &str) -> Filter {
    let config = document(Kind::Processor, &id(), body).decode(Kind::Processor, &id()).unwrap();
    Factory::build(config, Arc::default(), &context(Kind::Processor, &id(), &[Signal::Metrics])).unwrap()
}

fn problems(body: &str) -> Vec<String> {
    let refused = document(Kind::Processor, &id(), body).decode::<Config>(Kind::Processor, &id()).unwrap_err();
    refused.into_iter().map(|problem| format!("{}: {}", problem.path, problem.message.lines().last().unwrap())).collect()
}

/// A request of a metric of two points for each name.
fn request(names: &[&str]) -> Bytes {
    let mut request = MetricsBuilder::default();
    request.resource(&[("service.name", "shop".into())], |resource| {
        resource.scope("s", "", |scope| {
            for name in names {
                scope.gauge(name, "", "", |points| {
                    points.add(&NumberPoint::new(&[], 1, 1));
                    points.add(&NumberPoint::new(&[], 2, 2));
                });
            }
        });
    });
    request.finish()
}

fn batch(names: &[&str]) -> Batch {
    Batch::new(Signal::Metrics, request(names), names.len() * 2)
}

/// Names and items that come out, and items counted as dropped.
fn run(filter: &Filter, batch: Batch) -> (Vec<String>, usize, usize) {
    let mut out = Out::new();
    filter.process(batch, &mut out).unwrap();
    let dropped = out.dropped().iter().map(|(reason, items)| {
        assert_eq!(*reason, DropReason::Filtered);
        items
    });
    let (dropped, items) = (dropped.sum(), out.emitted_items());
    let emitted = out.take_emitted();
    let chunks = emitted.iter().flat_map(|emitted| emitted.batch.chunks());
    let resources = chunks.flat_map(|chunk| metrics::Request::new(chunk).resources());
    let found = resources.flat_map(|resource| resource.scopes()).flat_map(|scope| scope.items());
    (found.map(|metric| metric.name.to_string()).collect(), items, dropped)
}

#[test]
fn without_names_everything_stays() {
    assert_eq!(run(&filter("{}"), batch(&["a", "b"])), (vec!["a".into(), "b".into()], 4, 0));
}

#[test]
fn excluded_metrics_are_dropped_and_counted_by_point() {
    let filter = filter("{metrics: {exclude: {match_type: strict, metric_names: [a, c]}}}");
    assert_eq!(run(&filter, batch(&["a", "b", "ca"])), (vec!["b".into(), "ca".into()], 4, 2));
}

#[test]
fn only_included_metrics_stay_and_exclusion_comes_after() {
    let body = "{metrics: {include: {match_type: regexp, metric_names: [\"^go\\\\.\", x]}, \
        exclude: {match_type: strict, metric_names: [go.b]}}}";
    assert_eq!(run(&filter(body), batch(&["go.a", "go.b", "axb", "ago.c"])), (vec!["go.a".into(), "axb".into()], 4, 4));
}

#[test]
fn a_batch_that_is_emptied_is_dropped_whole() {
    let filter = filter("{metrics: {exclude: {match_type: regexp, metric_names: [.]}}}");
    assert_eq!(run(&filter, batch(&["a", "b"])), (vec![], 0, 4));
}

#[test]
fn all_chunks_are_filtered() {
    let mut merged = batch(&["a", "b"]);
    merged.merge(batch(&["b", "c"])).unwrap();
    let filter = filter("{metrics: {exclude: {match_type: strict, metric_names: [b]}}}");
    assert_eq!(run(&filter, merged), (vec!["a".into(), "c".into()], 4, 4));
}

#[test]
fn damaged_requests_are_refused_for_good_or_taken_without_panic() {
    let (filter, whole) = (filter("{metrics: {exclude: {match_type: strict, metric_names: [b]}}}"), request(&["a", "b"]));
    for length in 1..whole.len() {
        let torn = Batch::new(Signal::Metrics, whole.slice(..length), 4);
        if let Err(refused) = filter.process(torn, &mut Out::new()) {
            assert_eq!((refused.refusal.kind, refused.batch.items()), (RefusalKind::Invalid, 4));
        }
    }
}

#[test]
fn what_is_wrong_with_names_is_said_at_their_place() {
    let body =
        "{metrics: {include: {match_type: regexp, metric_names: [ok, \"(\"]}, exclude: {match_type: strict, metric_names: []}}}";
    let expected = [
        "processors::filter::metrics::include::metric_names::1: error: unclosed group",
        "processors::filter::metrics::exclude::metric_names: `metric_names` is empty",
    ];
    assert_eq!(problems(body), expected);
    let missing = problems("{metrics: {include: {metric_names: [a]}}}");
    assert_eq!(missing, ["processors::filter::metrics::include: missing key \"match_type\""]);
}
