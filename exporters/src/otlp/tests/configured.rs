//! What configurations change in what is sent.

use deferd_component::{Batch, Exporter as _, ExporterFactory as _, Signal, Stopper};
use deferd_integration::otlp_sink::Sink;

use super::{batch, configuration, exporter, exporter_to, request};
use crate::otlp::Factory;

#[tokio::test]
async fn gzip_and_none_give_equal_data() {
    let sink = Sink::start();
    let mut parts = batch(1, 2000);
    parts.merge(batch(2001, 1000)).unwrap();
    let whole = parts.payload();
    for compression in ["gzip", "none", "\"\""] {
        exporter_to(&sink, &format!("compression: {compression}")).export(&parts).await.unwrap();
    }
    let received = sink.received();
    assert_eq!(received.points, 9000);
    assert!(received.messages.iter().all(|(_, message)| *message == whole), "the bytes that were sent");
    let sizes: Vec<usize> = received.requests.iter().map(|request| request.bytes).collect();
    assert_eq!(sizes[1..], [whole.len(); 2]);
    assert!(sizes[0] * 5 < whole.len(), "{sizes:?}");
    let encodings: Vec<_> = received.requests.iter().map(|request| request.headers.get("grpc-encoding").cloned()).collect();
    assert_eq!(encodings, [Some("gzip".into()), None, None]);
}

#[tokio::test]
async fn every_signal_goes_to_its_service() {
    let sink = Sink::start();
    let exporter = exporter_to(&sink, "");
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs, Signal::Profiles] {
        // An unknown field is a request of every signal.
        exporter.export(&Batch::new(signal, vec![0xf8, 0x07, 0x01].into(), 1)).await.unwrap();
    }
    let paths = sink.look(|received| received.requests.iter().map(|request| request.path.clone()).collect::<Vec<_>>());
    assert_eq!(
        paths,
        [
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
        ]
    );
    assert_eq!(sink.connections(), 1);
}

#[tokio::test]
async fn headers_authority_and_user_agent_arrive() {
    let sink = Sink::start();
    let keys = "headers: {X-Scope-OrgID: tenant, authorization: Bearer s3cret}, user_agent: mine/1, authority: \"backend:443\"";
    exporter_to(&sink, keys).export(&batch(1, 1)).await.unwrap();
    exporter_to(&sink, "timeout: 0s").export(&batch(1, 1)).await.unwrap();
    let received = sink.received();
    let [set, default] = received.requests.as_slice() else { panic!("{:?}", received.requests) };
    let header = |name: &str| set.headers.get(name).map_or("", String::as_str);
    assert_eq!((header("x-scope-orgid"), header("authorization")), ("tenant", "Bearer s3cret"));
    assert_eq!((header("te"), header("content-type"), header("grpc-timeout")), ("trailers", "application/grpc", "5000m"));
    assert!(header("user-agent").starts_with("mine/1 tonic/"), "{}", header("user-agent"));
    assert_eq!((&*set.authority, &*default.authority), ("backend:443", &*sink.endpoint()));
    assert!(default.headers["user-agent"].starts_with(concat!("deferd/", env!("CARGO_PKG_VERSION"), " (linux/")));
    assert!(!default.headers.contains_key("grpc-timeout"));
}

#[tokio::test]
async fn stopping_closes_the_connection_and_the_next_export_makes_another() {
    let sink = Sink::start();
    let exporter = exporter_to(&sink, "");
    let stopper = Stopper::new();
    exporter.export(&batch(1, 1)).await.unwrap();
    stopper.stop();
    exporter.run(stopper.listener()).await;
    exporter.export(&batch(2, 1)).await.unwrap();
    assert_eq!(sink.connections(), 2);
}

#[test]
fn defaults_are_the_collectors() {
    let config = configuration("{endpoint: \"localhost:4317\"}").unwrap();
    let settings = Factory::settings(&config);
    assert_eq!(settings.timeout.as_secs(), 5);
    assert_eq!((settings.queue.num_consumers, settings.queue.queue_size), (10, 1000));
    assert!(settings.queue.enabled && settings.retry.enabled && !config.tls.insecure);
    assert_eq!((config.keepalive.time.get().as_secs(), config.write_buffer_size.get()), (10, 524_288));
}

#[test]
fn problems_are_said_at_their_key() {
    let cases = [
        ("{}", "exporters::otlp::endpoint: requires a non-empty \"endpoint\""),
        ("{endpoint: localhost}", "exporters::otlp::endpoint: \"localhost\" names no host and port"),
        ("{endpoint: \"a:1\", compression: zstd}", "allowed: gzip, none"),
        ("{endpoint: \"a:1\", headers: {grpc-x: y}}", "exporters::otlp::headers: the header \"grpc-x\" is set by the exporter"),
        ("{endpoint: \"a:1\", headers: {\"a b\": y}}", "exporters::otlp::headers: \"a b\" is no header name"),
        (
            "{endpoint: \"a:1\", sending_queue: {storage: file_storage}}",
            "sending_queue::storage: a queue on disk is not implemented",
        ),
        ("{endpoint: \"a:1\", sending_queue: {batch: {min_size: 1}}}", "sending_queue::batch: batching inside the queue is not"),
        ("{endpoint: \"a:1\", sending_queue: {batch: {}}}", "sending_queue::batch: batching inside the queue is not"),
        ("{endpoint: \"a:1\", retry_on_failure: {multiplier: 0}}", "retry_on_failure::multiplier: "),
        ("{endpoint: \"a:1\", tls: {min_version: \"1.3\", max_version: \"1.2\"}}", "tls::max_version: min_version cannot be"),
        ("{endpoint: \"a:1\", auth: {authenticator: x}}", "unknown key \"auth\""),
    ];
    for (body, expected) in cases {
        let problems = configuration(body).unwrap_err().join("\n");
        assert!(problems.contains(expected), "{body}: {problems}");
    }
    let secret = configuration("{endpoint: \"a:1\", headers: {x: \"s3cret\\n\"}}").unwrap_err().join("\n");
    assert!(secret.contains("the value of the header \"x\" is none") && !secret.contains("s3cret"), "{secret}");
}

#[tokio::test]
async fn a_socket_of_this_machine_is_a_destination_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let sink = Sink::start();
    let address = sink.endpoint();
    let forward = tokio::spawn(async move {
        let (mut from, _) = listener.accept().await.unwrap();
        let mut to = tokio::net::TcpStream::connect(address).await.unwrap();
        tokio::io::copy_bidirectional(&mut from, &mut to).await
    });
    let exporter = exporter(&format!("{{endpoint: \"unix://{}\"}}", path.display()));
    exporter.export(&Batch::new(Signal::Metrics, request(1, 4), 4)).await.unwrap();
    assert_eq!(sink.look(|received| received.points), 4);
    forward.abort();
}
