use deferd_component::testing::{context, contract, document};
use deferd_component::{ComponentId, Kind, Registry};
use deferd_pdata::build::{LogsBuilder, MetricsBuilder, NumberPoint};
use deferd_pdata::{Bytes, metrics};

use super::*;

fn id() -> ComponentId {
    "only_services".parse().unwrap()
}

fn built(body: &str) -> OnlyServices {
    let config = document(Kind::Processor, &id(), body).decode(Kind::Processor, &id()).unwrap();
    Factory::build(config, Arc::default(), &context(Kind::Processor, &id(), &[Signal::Metrics])).unwrap()
}

/// A request of two points for each service; an empty name is none.
fn request(services: &[&str]) -> Bytes {
    let mut request = MetricsBuilder::default();
    for service in services {
        let name = [("service.name", (*service).into())];
        let attributes = if service.is_empty() { &[][..] } else { &name };
        request.resource(attributes, |resource| {
            resource.scope("s", "", |scope| {
                scope.gauge("go.defer.pending", "", "", |points| {
                    points.add(&NumberPoint::new(&[], 1, 1));
                    points.add(&NumberPoint::new(&[], 1, 2));
                });
            });
        });
    }
    request.finish()
}

/// Services that come out, and items counted as dropped.
fn run(processor: &OnlyServices, services: &[&str]) -> (Vec<String>, usize) {
    let mut out = Out::new();
    let batch = Batch::new(Signal::Metrics, request(services), services.len() * 2);
    processor.process(batch, &mut out).unwrap();
    let dropped = out.dropped().iter().map(|(_, items)| items).sum();
    let emitted = out.take_emitted();
    let requests = emitted.iter().flat_map(|emitted| emitted.batch.chunks()).map(|chunk| metrics::Request::new(chunk));
    let name = |resource: metrics::ResourceMetrics<'_>| match resource.resource.attributes().get("service.name") {
        Some(AnyValue::Str(name)) => name.to_string(),
        _ => String::new(),
    };
    (requests.flat_map(|request| request.resources()).map(name).collect(), dropped)
}

#[test]
fn services_stay_whose_name_begins_as_said() {
    let processor = built("{prefixes: [shop, till-]}");
    let (kept, dropped) = run(&processor, &["shop", "till", "till-2", "shopping", "Shop"]);
    assert_eq!((kept, dropped), (vec!["shop".into(), "till-2".into(), "shopping".into()], 4));
    assert_eq!(run(&processor, &["shop"]), (vec!["shop".into()], 0));
    assert_eq!(run(&processor, &["other"]), (vec![], 2));
}

#[test]
fn services_without_a_name_go_unless_they_are_wanted() {
    let services = ["", "unknown_service:shop"];
    assert_eq!(run(&built("{prefixes: [unknown_service]}"), &services), (vec![], 4));
    let wanted = built("{prefixes: [x], keep_unknown: true}");
    assert_eq!(run(&wanted, &services), (vec![String::new(), "unknown_service:shop".into()], 0));
}

#[test]
fn logs_are_kept_alike() {
    let mut request = LogsBuilder::default();
    for service in ["shop", "other"] {
        request.resource(&[("service.name", service.into())], |resource| {
            resource.scope("s", "", |scope| scope.add(&deferd_pdata::build::Record::default()));
        });
    }
    let (mut out, batch) = (Out::new(), Batch::new(Signal::Logs, request.finish(), 2));
    built("{prefixes: [shop]}").process(batch, &mut out).unwrap();
    assert_eq!((out.emitted_items(), out.dropped()), (1, &[(DropReason::Filtered, 1)][..]));
}

#[test]
fn damaged_requests_are_refused_for_good_or_taken_without_panic() {
    let (processor, whole) = (built("{prefixes: [shop]}"), request(&["shop", "other"]));
    for length in 1..whole.len() {
        let torn = Batch::new(Signal::Metrics, whole.slice(..length), 4);
        if let Err(refused) = processor.process(torn, &mut Out::new()) {
            assert_eq!((refused.refusal.kind, refused.batch.items()), (RefusalKind::Invalid, 4));
        }
    }
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    let refused = |body: &str| {
        let problems = document(Kind::Processor, &id(), body).decode::<Config>(Kind::Processor, &id()).unwrap_err();
        problems.into_iter().map(|problem| problem.path).collect::<Vec<_>>()
    };
    assert_eq!(refused("{}"), ["processors::only_services::prefixes"]);
    assert_eq!(refused("{prefixes: [a, \"\"]}"), ["processors::only_services::prefixes::1"]);
}

#[tokio::test]
async fn it_keeps_the_contract_of_every_component() {
    let mut registry = Registry::default();
    registry.processor::<Factory>();
    assert_eq!(contract(&registry, &[(Kind::Processor, "only_services", "{prefixes: [shop]}")]), [""; 0]);
}
