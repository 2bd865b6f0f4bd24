use deferd_component::testing::{context, document};
use deferd_component::{Kind, Validate as _};
use deferd_pdata::build::{Exemplar, HistogramPoint, LogsBuilder, MetricsBuilder, NumberPoint, Record, Value};
use deferd_pdata::metrics::{Number, Temporality};

use super::*;

const START: u64 = 1_581_452_772_000_000_321;
const TIME: u64 = 1_581_452_773_000_000_789;

fn metrics_request() -> Bytes {
    let mut request = MetricsBuilder::default();
    request.resource(&[("service.name", "shop".into())], |resource| {
        resource.scope("deferd/godefer", "0.1.0", |scope| {
            scope.gauge("go.defer.pending", "Pending deferred calls", "{defer}", |points| {
                points.add(&NumberPoint::new(&[("code.line.number", 42.into())], TIME, 41_203));
                points.add(&NumberPoint::new(&[], TIME, 0.5));
            });
            scope.sum("requests", "", "1", (Temporality::Cumulative, true), |points| {
                points.add(&NumberPoint::new(&[], TIME, 7).since(START));
            });
            scope.histogram("latency", "", "s", Temporality::Delta, |points| {
                let user = [("user", "u1".into())];
                let exemplar = Exemplar {
                    value: Number::Double(15.0),
                    time: TIME,
                    trace_id: Some([1; 16]),
                    span_id: Some([2; 8]),
                    filtered_attributes: (&user).into(),
                };
                points.add(&HistogramPoint {
                    attributes: (&[("path", "/".into())]).into(),
                    start_time: START,
                    time: TIME,
                    count: 3,
                    sum: Some(4.25),
                    bucket_counts: &[1, 2],
                    explicit_bounds: &[0.5],
                    exemplars: &[exemplar],
                    ..HistogramPoint::default()
                });
            });
        });
    });
    request.finish()
}

fn logs_request() -> Bytes {
    let mut request = LogsBuilder::default();
    request.resource(&[("service.name", "shop".into())], |resource| {
        resource.scope("app", "", |scope| {
            scope.add(&Record {
                time: TIME,
                severity_number: 10,
                severity_text: "INFO",
                body: Value::Str("it happened"),
                attributes: (&[("n", 1.into()), ("ok", true.into())]).into(),
                trace_id: Some([0xab; 16]),
                event_name: "go.panic",
                ..Record::default()
            });
        });
    });
    request.finish()
}

fn shown(signal: Signal, chunks: &[Bytes], verbosity: Verbosity) -> String {
    render(signal, chunks, verbosity).unwrap()
}

#[test]
fn basic_shows_counts_over_all_chunks() {
    let chunks = [metrics_request(), metrics_request()];
    let expected = "Metrics\t{\"resource metrics\": 2, \"metrics\": 6, \"data points\": 8}";
    assert_eq!(shown(Signal::Metrics, &chunks, Verbosity::Basic), expected);
    let expected = "Logs\t{\"resource logs\": 1, \"log records\": 1}";
    assert_eq!(shown(Signal::Logs, &[logs_request()], Verbosity::Basic), expected);
}

#[test]
fn traces_are_counted_at_every_verbosity() {
    // Resource 1 { scope 2 { span 2 {} span 2 {} } }
    let request = Bytes::from_static(&[0x0a, 6, 0x12, 4, 0x12, 0, 0x12, 0]);
    for verbosity in [Verbosity::Basic, Verbosity::Detailed] {
        let expected = "Traces\t{\"resource spans\": 1, \"spans\": 2}";
        assert_eq!(shown(Signal::Traces, std::slice::from_ref(&request), verbosity), expected);
    }
}

#[test]
fn normal_shows_a_line_per_item() {
    let expected = "Metrics\t{\"resource metrics\": 1, \"metrics\": 3, \"data points\": 4}\n\
        ResourceMetrics #0 service.name=shop\n\
        ScopeMetrics #0 deferd/godefer@0.1.0\n\
        go.defer.pending{code.line.number=42} 41203\n\
        go.defer.pending{} 0.5\n\
        requests{} 7\n\
        latency{path=/} count=3 sum=4.25 le0.5=1 2";
    assert_eq!(shown(Signal::Metrics, &[metrics_request()], Verbosity::Normal), expected);
    let expected = "Logs\t{\"resource logs\": 1, \"log records\": 1}\n\
        ResourceLog #0 service.name=shop\n\
        ScopeLog #0 app\n\
        it happened n=1 ok=true";
    assert_eq!(shown(Signal::Logs, &[logs_request()], Verbosity::Normal), expected);
}

#[test]
fn detailed_shows_everything_in_a_metrics_request() {
    assert_eq!(shown(Signal::Metrics, &[metrics_request()], Verbosity::Detailed) + "\n", include_str!("golden/metrics.txt"));
}

#[test]
fn detailed_shows_everything_in_a_logs_request() {
    assert_eq!(shown(Signal::Logs, &[logs_request()], Verbosity::Detailed) + "\n", include_str!("golden/logs.txt"));
}

/// Bytes from `deferd_pdata`'s wire format, as there is no builder: scale 1, buckets from 2^1 on, both signs, and a zero bucket.
#[test]
fn exponential_buckets_are_shown_with_their_bounds() {
    let mut out = deferd_pdata::wire::Writer::default();
    let expect = deferd_pdata::wire::Expect::Small;
    out.nested(1, expect, |out| {
        out.nested(2, expect, |out| {
            out.nested(2, expect, |out| {
                out.text(1, "e");
                out.nested(10, expect, |out| {
                    out.nested(1, expect, |out| {
                        out.fixed64(4, 5);
                        out.varint(6, 2);
                        out.fixed64(7, 1);
                        let buckets = |out: &mut deferd_pdata::wire::Writer| {
                            out.varint(1, 2);
                            out.bytes(2, &[1, 2]);
                        };
                        out.nested(8, expect, buckets);
                        out.nested(9, expect, buckets);
                    });
                    out.varint(2, 2);
                });
            });
        });
    });
    let request = [Bytes::from(out.into_vec())];
    let detailed = shown(Signal::Metrics, &request, Verbosity::Detailed);
    let expected = "Count: 5\nBucket [-2.828427, -2.000000), Count: 2\nBucket [-2.000000, -1.414214), Count: 1\n\
        Bucket [0, 0], Count: 1\nBucket (1.414214, 2.000000], Count: 1\nBucket (2.000000, 2.828427], Count: 2";
    assert!(detailed.ends_with(expected), "{detailed}");
    let normal = shown(Signal::Metrics, &request, Verbosity::Normal);
    let expected = "e{} count=5 le1.4142135623730951=1 le2.0000000000000004=2 le1.4142135623730951=1 le2.0000000000000004=2 \
        zero_count0=1";
    assert!(normal.ends_with(expected), "{normal}");
}

#[tokio::test]
async fn damaged_requests_are_refused_for_good() {
    let (whole, exporter) = (metrics_request(), build("{verbosity: detailed, sampling_initial: 100000}").unwrap());
    for length in 1..whole.len() {
        let batch = Batch::new(Signal::Metrics, whole.slice(..length), 1);
        let result = exporter.export(&batch).await;
        assert!(matches!(result, Ok(()) | Err(ExportError::Permanent { .. })), "{length}: {result:?}");
    }
    let garbage = Batch::new(Signal::Logs, Bytes::from_static(&[0x0a, 0xff]), 1);
    let expected = ExportError::permanent("malformed OTLP at byte 0: the field is cut off");
    assert_eq!(exporter.export(&garbage).await, Err(expected));
}

#[tokio::test]
async fn files_are_appended_to_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    let body = format!("{{use_internal_logger: false, output_paths: [{:?}]}}", path.to_str().unwrap());
    let exporter = build(&body).unwrap();
    for signal in [Signal::Metrics, Signal::Logs] {
        let payload = if signal == Signal::Metrics { metrics_request() } else { logs_request() };
        exporter.export(&Batch::new(signal, payload, 1)).await.unwrap();
    }
    let expected = "Metrics\t{\"resource metrics\": 1, \"metrics\": 3, \"data points\": 4}\n\
        Logs\t{\"resource logs\": 1, \"log records\": 1}\n";
    assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
}

#[test]
fn a_file_that_cannot_be_opened_fails_the_build() {
    let error = build("{use_internal_logger: false, output_paths: [\"/nonexistent/x\"]}").unwrap_err();
    let expected = "cannot open output path \"/nonexistent/x\" for appending: No such file or directory (os error 2)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn paths_that_would_be_ignored_are_refused() {
    let mut issues = deferd_component::Issues::default();
    Config { output_paths: vec!["x".to_owned()], ..Config::default() }.validate(&mut issues);
    let messages: Vec<String> = issues.into_vec().into_iter().map(|issue| issue.message).collect();
    assert_eq!(messages, ["`output_paths` has no effect while `use_internal_logger` is true"]);
}

fn build(body: &str) -> Result<Debug, BuildError> {
    let id = "debug".parse().unwrap();
    let config = document(Kind::Exporter, &id, body).decode(Kind::Exporter, &id).unwrap();
    Factory::build(config, Arc::default(), &context(Kind::Exporter, &id, &[Signal::Metrics]))
}
