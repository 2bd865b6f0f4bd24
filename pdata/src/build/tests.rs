use super::*;
use crate::{any_value::AnyValue, metrics, metrics::Data};

#[test]
fn what_stays_empty_is_not_written() {
    let mut request = MetricsBuilder::default();
    request.resource(&[("a", 1.into())], |resource| {
        resource.scope("empty", "", |_| {});
        resource.scope("s", "", |scope| scope.gauge("empty", "", "", |_| {}));
    });
    assert_eq!(request.count_points(), 0);
    assert!(request.finish().is_empty());
}

#[test]
fn an_empty_metric_leaves_its_neighbours_as_they_are() {
    let mut request = MetricsBuilder::default();
    request.resource(AttributeSet::default(), |resource| {
        resource.scope("s", "1", |scope| {
            scope.gauge("before", "", "", |points| {
                points.add(&NumberPoint::new(AttributeSet::default(), 1, 1.5));
            });
            scope.gauge("empty", "", "", |_| {});
            scope.gauge("after", "", "", |points| {
                points.add(&NumberPoint::new(AttributeSet::default(), 1, 2));
            });
        });
    });
    let bytes = request.finish();
    let names: Vec<_> = metrics::Request::new(&bytes)
        .resources()
        .flat_map(|resource| resource.scopes())
        .flat_map(|scope| scope.items())
        .map(|metric| metric.name.to_string())
        .collect();
    assert_eq!(names, ["before", "after"]);
}

#[test]
fn a_series_ends_with_a_flag_and_no_value() {
    let site = EncodedAttributes::new(&[("code.line.number", 42.into())]);
    let mut request = MetricsBuilder::default();
    request.resource(AttributeSet::default(), |resource| {
        resource.scope("s", "", |scope| {
            scope.gauge("g", "", "", |points| {
                points.add(&NumberPoint::no_recorded_value(&site, 7));
            });
        });
    });
    let bytes = request.finish();
    let metric = metrics::Request::new(&bytes)
        .resources()
        .flat_map(|resource| resource.scopes())
        .flat_map(|scope| scope.items())
        .next()
        .unwrap();
    let Data::Gauge(mut points) = metric.data() else {
        panic!("{metric:?}");
    };
    let point = points.next().unwrap();
    assert!(point.no_recorded_value());
    assert_eq!((point.time, point.value), (7, None));
    let line = point.attributes().get("code.line.number");
    assert!(matches!(line, Some(AnyValue::Int(42))), "{line:?}");
}

#[test]
fn encoded_attributes_grow_and_are_read_back_first_key_first() {
    let mut set = EncodedAttributes::new(&[("a", "x".into()), ("b", true.into())]);
    set.push("a", 2.5);
    set.extend(&EncodedAttributes::new(&[("c", Value::Empty)]));
    let view = set.view();
    assert_eq!(view.count(), 4);
    assert_eq!(view.get("a").unwrap().to_text(), "x");
    assert!(view.get("d").is_none());
    let keys: Vec<_> = view.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys, ["a", "b", "a", "c"]);
}
