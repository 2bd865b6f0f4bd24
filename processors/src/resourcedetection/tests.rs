use bytes::Bytes;
use deferd_component::testing::{context, document};
use deferd_component::{ComponentId, Kind};
use deferd_pdata::build::{LogsBuilder, MetricsBuilder, NumberPoint, Record, Value as Written};
use deferd_pdata::{logs, metrics};

use super::detect::tests::Pretend;
use super::*;

fn id() -> ComponentId {
    "resourcedetection".parse().unwrap()
}

fn decode(body: &str) -> Config {
    document(Kind::Processor, &id(), body).decode(Kind::Processor, &id()).unwrap()
}

fn around() -> Pretend {
    Pretend::default()
        .file("/proc/sys/kernel/hostname", "web-1")
        .file("/proc/self/cgroup", &format!("0::/docker/{}", "a".repeat(64)))
        .variable("OTEL_SERVICE_NAME", "agent")
        .variable("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod")
}

fn processor(body: &str) -> ResourceDetection {
    ResourceDetection::new(&decode(body), &around()).unwrap()
}

fn request(resource: &[(&str, Written<'_>)]) -> Bytes {
    let mut request = MetricsBuilder::default();
    request.resource(resource, |resource| {
        resource.scope("s", "", |scope| scope.gauge("m", "", "", |points| points.add(&NumberPoint::new(&[], 1, 1))));
    });
    request.finish()
}

/// The attributes that such a resource has afterwards.
fn enriched(processor: &ResourceDetection, resource: &[(&str, Written<'_>)]) -> Vec<String> {
    let mut out = Out::new();
    processor.process(Batch::new(Signal::Metrics, request(resource), 1), &mut out).unwrap();
    assert_eq!((out.emitted_items(), out.dropped()), (1, &[][..]));
    let bytes = out.take_emitted().pop().unwrap().batch.payload();
    let resource = metrics::Request::new(&bytes).resources().next().unwrap().resource;
    resource.attributes().iter().map(|(key, value)| format!("{key}={}", value.to_text())).collect()
}

const ALL: &str = "{detectors: [env, system, process, container]}";

#[test]
fn a_resource_that_says_nothing_gets_everything() {
    let found = enriched(&processor(ALL), &[]);
    let keys: Vec<_> = found.iter().map(|pair| pair.split('=').next().unwrap()).collect();
    let expected = [
        "service.name",
        "deployment.environment.name",
        "host.name",
        "os.type",
        "process.pid",
        "process.executable.name",
        "process.executable.path",
        "container.id",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn what_is_known_replaces_what_a_resource_says_but_never_its_identity() {
    let resource = [("host.name", "old".into()), ("service.name", "shop".into()), ("process.pid", 5.into())];
    let found = enriched(&processor(ALL), &resource);
    // Its process is not ours, so nothing of ours is said of it.
    let expected = ["host.name=web-1", "service.name=shop", "process.pid=5", "deployment.environment.name=prod", "os.type=linux"];
    assert_eq!(found, expected);
}

#[test]
fn a_resource_of_another_process_is_not_described_by_ours() {
    let found = enriched(&processor("{detectors: [process, container]}"), &[("service.instance.id", "x".into())]);
    assert_eq!(found, ["service.instance.id=x"]);
}

#[test]
fn without_override_only_what_is_absent_is_added() {
    let found = enriched(&processor("{detectors: [system], override: false}"), &[("host.name", "old".into())]);
    assert_eq!(found, ["host.name=old", "os.type=linux"]);
}

#[test]
fn an_identity_is_replaced_only_on_demand() {
    let body = "{detectors: [env, process], override_identity: true}";
    let found = enriched(&processor(body), &[("service.name", "shop".into()), ("process.pid", 5.into())]);
    assert!(found.starts_with(&["service.name=agent".to_owned(), "process.pid=77".to_owned()]), "{found:?}");
}

#[test]
fn nothing_to_say_leaves_the_very_bytes() {
    let processor = processor("{detectors: [system]}");
    let bytes = request(&[("host.name", "web-1".into()), ("os.type", "linux".into())]);
    let mut out = Out::new();
    processor.process(Batch::new(Signal::Metrics, bytes.clone(), 1), &mut out).unwrap();
    assert_eq!(out.take_emitted().pop().unwrap().batch.payload().as_ptr(), bytes.as_ptr());
}

#[test]
fn logs_are_enriched_alike() {
    let mut request = LogsBuilder::default();
    request.resource(&[], |resource| resource.scope("s", "", |scope| scope.add(&Record::default())));
    let mut out = Out::new();
    processor("{detectors: [system]}").process(Batch::new(Signal::Logs, request.finish(), 1), &mut out).unwrap();
    let bytes = out.take_emitted().pop().unwrap().batch.payload();
    let resource = logs::Request::new(&bytes).resources().next().unwrap().resource;
    assert_eq!(resource.attributes().get("host.name").unwrap().to_text(), "web-1");
}

#[test]
fn damaged_requests_are_refused_for_good_or_taken_without_panic() {
    let (processor, whole) = (processor(ALL), request(&[("host.name", "old".into())]));
    for length in 1..whole.len() {
        let torn = Batch::new(Signal::Metrics, whole.slice(..length), 1);
        if let Err(refused) = processor.process(torn, &mut Out::new()) {
            assert_eq!((refused.refusal.kind, refused.batch.items()), (RefusalKind::Invalid, 1));
        }
    }
}

#[test]
fn a_detector_that_is_not_here_is_refused_with_those_that_are() {
    let document = document(Kind::Processor, &id(), "{detectors: [env, ec2]}");
    let problems = document.decode::<Config>(Kind::Processor, &id()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].path.ends_with("detectors::1"), "{:?}", problems[0]);
    assert!(
        problems[0].message.contains("invalid detector key: ec2, not one of env, system, process, container"),
        "{:?}",
        problems[0]
    );
}

#[test]
fn a_variable_that_cannot_be_read_is_said_at_build() {
    let around = Pretend::default().variable("OTEL_RESOURCE_ATTRIBUTES", "oops");
    let error = ResourceDetection::new(&decode("{}"), &around).unwrap_err().to_string();
    assert!(error.contains("invalid text: \"oops\""), "{error}");
}

#[test]
fn this_machine_has_a_name() {
    let config = decode("{detectors: [system, process, container]}");
    let built = Factory::build(config, Arc::default(), &context(Kind::Processor, &id(), &[Signal::Metrics])).unwrap();
    let found = enriched(&built, &[]);
    assert!(found.iter().any(|pair| pair.starts_with("host.name=") && pair.len() > 10), "{found:?}");
    assert!(found.contains(&format!("process.pid={}", std::process::id())), "{found:?}");
}
