//! From requests to text.

use deferd_pdata::wire::{Expect, Writer};

use super::*;

const BODY: &str = "{endpoint: \"127.0.0.1:0\"}";

/// The test of a key: its body, with the endpoint that every body needs.
fn with(keys: &str) -> String {
    format!("{{endpoint: \"127.0.0.1:0\", {keys}}}")
}

#[tokio::test]
async fn the_text_is_as_prometheus_expects_it() {
    assert_eq!(text_of(BODY, &[everything()]), include_str!("../golden/everything.txt"));
}

#[tokio::test]
async fn the_text_follows_the_configuration() {
    let keys = "namespace: acme, const_labels: {cluster: c1}, send_timestamps: true, without_scope_info: true, \
        add_metric_suffixes: false, resource_to_telemetry_conversion: {enabled: true}";
    assert_eq!(text_of(&with(keys), &[everything()]), include_str!("../golden/configured.txt"));
}

#[tokio::test]
async fn a_summary_has_quantiles() {
    // There is no builder for summaries: fields as in OTLP's metrics.proto.
    let mut out = Writer::default();
    let expect = Expect::Small;
    out.nested(1, expect, |out| {
        out.nested(2, expect, |out| {
            out.nested(2, expect, |out| {
                out.text(1, "s");
                out.nested(11, expect, |out| {
                    out.nested(1, expect, |out| {
                        out.fixed64(4, 3);
                        out.double(5, 1.5);
                        out.nested(6, expect, |out| {
                            out.double(1, 0.99);
                            out.double(2, 0.75);
                        });
                    });
                });
            });
        });
    });
    let expected = "# HELP s \n# TYPE s summary\ns{quantile=\"0.99\"} 0.75\ns_sum 1.5\ns_count 3\n";
    assert_eq!(text_of(BODY, &[out.into_vec().into()]), expected);
}

#[tokio::test]
async fn an_ended_series_is_gone_at_once_and_others_stay() {
    let exporter = build(BODY);
    let now = Instant::now();
    let (a, b, c) = ([("k", "a".into())], [("k", "b".into())], [("k", "c".into())]);
    let first = gauge(|points| [&a, &b, &c].iter().for_each(|set| points.add(&NumberPoint::new(*set, TIME, 1))));
    let second = gauge(|points| {
        points.add(&NumberPoint::no_recorded_value(&a, TIME + 1));
        points.add(&NumberPoint::no_recorded_value(&b, TIME + 1));
    });
    exporter.take(&[first, second], now).unwrap();
    assert_eq!(samples(&exporter.text(now)), ["g{job=\"shop\",instance=\"1\",k=\"c\"} 1"]);
    assert_eq!(exporter.state.store.lock().series(), 1);
}

#[tokio::test]
async fn a_series_without_updates_disappears_with_its_target() {
    let exporter = build(&with("metric_expiration: 10s"));
    let now = Instant::now();
    exporter.take(&[gauge(|points| points.add(&NumberPoint::new(&[], TIME, 1)))], now).unwrap();
    assert!(exporter.text(now + Duration::from_millis(9_999)).contains("g{"));
    assert_eq!(exporter.text(now + Duration::from_secs(10)), "");
    assert_eq!(exporter.state.store.lock().metrics().count(), 0);
}

#[tokio::test]
async fn a_store_that_nobody_scrapes_forgets_too() {
    let exporter = build(&with("metric_expiration: 10s"));
    let now = Instant::now();
    let point = |name: &'static str| gauge(move |points| points.add(&NumberPoint::new(&[("k", name.into())], TIME, 1)));
    exporter.take(&[point("a")], now).unwrap();
    exporter.take(&[point("b")], now + Duration::from_secs(20)).unwrap();
    assert_eq!(exporter.state.store.lock().series(), 1);
}

#[tokio::test]
async fn deltas_add_up_and_what_cannot_be_shown_is_counted() {
    let exporter = build(BODY);
    let sum = |temporality, monotonic, start: u64, time: u64| {
        plain(move |scope| {
            scope.sum("c", "", "", (temporality, monotonic), |points| {
                points.add(&NumberPoint::new(&[], time, 5).since(start));
            });
        })
    };
    let requests = [
        sum(Temporality::Delta, true, 1, 10),
        sum(Temporality::Delta, true, 10, 20),
        sum(Temporality::Delta, true, 3, 5),
        sum(Temporality::Delta, false, 20, 30),
        sum(Temporality::Unspecified, true, 20, 30),
    ];
    let now = Instant::now();
    exporter.take(&requests, now).unwrap();
    assert_eq!(samples(&exporter.text(now)), ["c_total{job=\"shop\",instance=\"1\"} 10"]);
    let dropped = |reason| exporter.telemetry.total("deferd_dropped_items", ("reason", reason));
    assert_eq!((dropped("temporality"), dropped("out_of_order")), (2, 1));
}

#[tokio::test]
async fn series_beyond_the_limit_are_counted_and_known_ones_go_on() {
    let exporter = build(&with("max_series: 2"));
    let points = |value: i64| {
        gauge(move |points| {
            for name in ["a", "b", "c"] {
                points.add(&NumberPoint::new(&[("k", name.into())], TIME, value));
            }
        })
    };
    let now = Instant::now();
    exporter.take(&[points(1), points(2)], now).unwrap();
    let text = exporter.text(now);
    let expected = ["g{job=\"shop\",instance=\"1\",k=\"a\"} 2", "g{job=\"shop\",instance=\"1\",k=\"b\"} 2"];
    assert_eq!(samples(&text), expected);
    assert_eq!(exporter.telemetry.total("deferd_dropped_items", ("reason", "series_limit")), 2);
}

#[tokio::test]
async fn long_labels_are_bounded_as_well() {
    let exporter = build(&with("max_series: 10"));
    let long = "x".repeat(20 << 10);
    let request = gauge(|points| points.add(&NumberPoint::new(&[("k", long.as_str().into())], TIME, 1)));
    exporter.take(&[request], Instant::now()).unwrap();
    assert_eq!(exporter.telemetry.total("deferd_dropped_items", ("reason", "series_limit")), 1);
}

#[tokio::test]
async fn labels_that_fall_together_are_joined_or_renamed() {
    let attributes: &[(&str, Value<'_>)] = &[
        ("a.b", "1".into()),
        ("a_b", "2".into()),
        ("job", "mine".into()),
        ("cluster", "c2".into()),
        ("empty", "".into()),
        ("__name__", "evil".into()),
    ];
    let request = gauge(|points| points.add(&NumberPoint::new(attributes, TIME, 1)));
    let text = text_of(&with("const_labels: {cluster: c1, job: other}"), &[request]);
    let expected = "g{job=\"shop\",instance=\"1\",cluster=\"c1\",a_b=\"1;2\",exported_cluster=\"c2\",exported_job=\"mine\",\
        key_name_=\"evil\"} 1";
    assert_eq!(samples(&text), [expected]);
}

#[tokio::test]
async fn metrics_that_fall_together_are_one_family_of_the_first_type() {
    let set = |key: &'static str| [(key, Value::from("x"))];
    let request = plain(|scope| {
        scope.gauge("a.b", "first", "", |points| points.add(&NumberPoint::new(&set("one"), TIME, 1)));
        scope.gauge("a_b", "second", "", |points| points.add(&NumberPoint::new(&set("two"), TIME, 2)));
        scope.histogram("a-b", "third", "", Temporality::Cumulative, |points| points.add(&HistogramPoint::default()));
        scope.gauge("@", "", "", |points| points.add(&NumberPoint::new(&[], TIME, 1)));
        scope.gauge("target.info", "", "", |points| points.add(&NumberPoint::new(&[], TIME, 1)));
    });
    let exporter = build(BODY);
    exporter.take(&[request], Instant::now()).unwrap();
    let expected = "# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{job=\"shop\",instance=\"1\"} 1\n\
        # HELP a_b first\n# TYPE a_b gauge\na_b{job=\"shop\",instance=\"1\",one=\"x\"} 1\na_b{job=\"shop\",instance=\"1\",two=\"x\"} 2\n";
    assert_eq!(exporter.text(Instant::now()), expected);
    let reported: Vec<String> = exporter.state.reported.lock().iter().map(ToString::to_string).collect();
    assert_eq!(
        reported,
        [
            "normalization for metric \"@\" resulted in empty name; it is left out",
            "instrument type conflict, using existing type definition. instrument: a_b, existing: Gauge, dropped: Histogram \
             (metric \"a-b\" is left out)",
            "instrument type conflict, using existing type definition. instrument: target_info, existing: Gauge, dropped: Gauge \
             (metric \"target.info\" is left out)",
            "instrument description conflict, using existing. instrument: a_b, existing: \"first\", dropped: \"second\"",
        ]
    );
}

#[tokio::test]
async fn of_series_that_fall_together_the_last_is_shown() {
    let point = |host: &'static str, value: i64| {
        let resource = [("service.name", "shop".into()), ("host.name", host.into())];
        request(&resource, |resource| {
            resource.scope("", "", |scope| scope.gauge("g", "", "", |points| points.add(&NumberPoint::new(&[], TIME, value))));
        })
    };
    let (exporter, now) = (build(BODY), Instant::now());
    exporter.take(&[point("new", 2)], now + Duration::from_secs(1)).unwrap();
    exporter.take(&[point("old", 1)], now).unwrap();
    assert_eq!(samples(&exporter.text(now + Duration::from_secs(1))), ["g{job=\"shop\"} 2"]);
}

#[tokio::test]
async fn damaged_requests_are_refused_for_good_and_change_nothing() {
    let (exporter, whole) = (build(BODY), everything());
    for length in 1..whole.len() {
        let batch = Batch::new(Signal::Metrics, whole.slice(..length), 1);
        let result = exporter.export(&batch).await;
        assert!(matches!(result, Ok(()) | Err(ExportError::Permanent { .. })), "{length}: {result:?}");
    }
    let fresh = build(BODY);
    let torn = whole.slice(..whole.len() - 1);
    let refused = fresh.take(&[whole, torn], Instant::now());
    assert!(matches!(refused, Err(ExportError::Permanent { .. })), "{refused:?}");
    assert_eq!(fresh.text(Instant::now()), "");
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let body = "{enable_open_metrics: true, metric_expiration: 0s, max_series: 0}";
    let refused = document(ComponentKind::Exporter, &id(), body).decode::<Config>(ComponentKind::Exporter, &id()).unwrap_err();
    let mut keys: Vec<&str> = refused.iter().filter_map(|problem| problem.path.rsplit("::").next()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["enable_open_metrics", "endpoint", "max_series", "metric_expiration"]);
    let endpoint = refused.iter().map(ToString::to_string).find(|text| text.contains("non-blank")).unwrap();
    let expected = "exporters::prometheus::endpoint: expecting a non-blank address to run the Prometheus metrics handler; \
        allowed: host:port, such as localhost:9464";
    assert!(endpoint.ends_with(expected), "{endpoint}");
}
