//! Prost's objects written by our builders decode to the same objects.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest},
    common::v1 as pc,
    logs::v1 as pl,
    metrics::v1 as pm,
    metrics::v1::metric::Data,
};
use proptest::prelude::*;
use prost::Message;

use super::{
    against_prost::{assert_same, generated, tape},
    plain,
};
use crate::{
    build::{
        AttributeSet, EncodedAttributes, Exemplar, HistogramPoint, LogsBuilder, MetricsBuilder, MetricsScope, NumberPoint,
        Record, Value,
    },
    metrics::{Number, Temporality},
    validate::{self, Utf8},
};

type Pairs<'a> = Vec<(&'a str, Value<'a>)>;

fn value(from: &pc::AnyValue) -> Value<'_> {
    use pc::any_value::Value as From;
    match &from.value {
        None | Some(From::StringValueStrindex(_)) => Value::Empty,
        Some(From::StringValue(value)) => Value::Str(value),
        Some(From::BoolValue(value)) => Value::Bool(*value),
        Some(From::IntValue(value)) => Value::Int(*value),
        Some(From::DoubleValue(value)) => Value::Double(*value),
        Some(From::BytesValue(value)) => Value::Bytes(value),
        Some(From::ArrayValue(array)) => Value::Array(array.values.iter().map(value).collect()),
        Some(From::KvlistValue(map)) => Value::Map(pairs(&map.values)),
    }
}

fn pairs(from: &[pc::KeyValue]) -> Pairs<'_> {
    from.iter()
        .map(|pair| {
            let value = pair.value.as_ref().map(value).unwrap_or_default();
            (pair.key.as_str(), value)
        })
        .collect()
}

/// Calls `then` with the same set in each of its three forms, in turn.
fn with_set(from: &[pc::KeyValue], then: impl FnOnce(AttributeSet<'_>)) {
    let pairs = pairs(from);
    let encoded = EncodedAttributes::new(&pairs);
    match from.len() % 3 {
        0 => then((&pairs).into()),
        1 => then((&encoded).into()),
        _ => then(encoded.view().into()),
    }
}

fn exemplars<'a>(from: &'a [pm::Exemplar], sets: &'a [Pairs<'a>]) -> Vec<Exemplar<'a>> {
    use pm::exemplar::Value as From;
    let exemplar = |(from, set): (&pm::Exemplar, &'a Pairs<'a>)| Exemplar {
        value: match from.value {
            Some(From::AsDouble(value)) => Number::Double(value),
            Some(From::AsInt(value)) => Number::Int(value),
            None => Number::Int(0),
        },
        time: from.time_unix_nano,
        trace_id: from.trace_id.as_slice().try_into().ok(),
        span_id: from.span_id.as_slice().try_into().ok(),
        filtered_attributes: set.into(),
    };
    from.iter().zip(sets).map(exemplar).collect()
}

fn exemplar_sets(from: &[pm::Exemplar]) -> Vec<Pairs<'_>> {
    from.iter().map(|exemplar| pairs(&exemplar.filtered_attributes)).collect()
}

fn number_point(from: &pm::NumberDataPoint, then: impl FnOnce(&NumberPoint<'_>)) {
    use pm::number_data_point::Value as From;
    let sets = exemplar_sets(&from.exemplars);
    with_set(&from.attributes, |attributes| {
        then(&NumberPoint {
            attributes,
            start_time: from.start_time_unix_nano,
            time: from.time_unix_nano,
            value: from.value.map(|value| match value {
                From::AsDouble(value) => Number::Double(value),
                From::AsInt(value) => Number::Int(value),
            }),
            flags: from.flags,
            exemplars: &exemplars(&from.exemplars, &sets),
        });
    });
}

fn histogram_point(from: &pm::HistogramDataPoint, then: impl FnOnce(&HistogramPoint<'_>)) {
    let sets = exemplar_sets(&from.exemplars);
    with_set(&from.attributes, |attributes| {
        then(&HistogramPoint {
            attributes,
            start_time: from.start_time_unix_nano,
            time: from.time_unix_nano,
            count: from.count,
            sum: from.sum,
            min: from.min,
            max: from.max,
            bucket_counts: &from.bucket_counts,
            explicit_bounds: &from.explicit_bounds,
            flags: from.flags,
            exemplars: &exemplars(&from.exemplars, &sets),
        });
    });
}

fn temporality(number: i32) -> Temporality {
    [Temporality::Unspecified, Temporality::Delta, Temporality::Cumulative]
        .into_iter()
        .find(|temporality| temporality.number().cast_signed() == number)
        .unwrap()
}

fn metric(from: &pm::Metric, scope: &mut MetricsScope<'_>) {
    let (name, description, unit) = (&from.name, &from.description, &from.unit);
    match &from.data {
        Some(Data::Gauge(data)) => scope.gauge(name, description, unit, |points| {
            for point in &data.data_points {
                number_point(point, |point| points.add(point));
            }
        }),
        Some(Data::Sum(data)) => {
            let kind = (temporality(data.aggregation_temporality), data.is_monotonic);
            scope.sum(name, description, unit, kind, |points| {
                for point in &data.data_points {
                    number_point(point, |point| points.add(point));
                }
            });
        }
        Some(Data::Histogram(data)) => {
            let temporality = temporality(data.aggregation_temporality);
            scope.histogram(name, description, unit, temporality, |points| {
                for point in &data.data_points {
                    histogram_point(point, |point| points.add(point));
                }
            });
        }
        _ => {}
    }
}

fn record(from: &pl::LogRecord, then: impl FnOnce(&Record<'_>)) {
    with_set(&from.attributes, |attributes| {
        then(&Record {
            time: from.time_unix_nano,
            observed_time: from.observed_time_unix_nano,
            severity_number: from.severity_number,
            severity_text: &from.severity_text,
            body: from.body.as_ref().map(value).unwrap_or_default(),
            attributes,
            dropped_attributes_count: from.dropped_attributes_count,
            flags: from.flags,
            trace_id: from.trace_id.as_slice().try_into().ok(),
            span_id: from.span_id.as_slice().try_into().ok(),
            event_name: &from.event_name,
        });
    });
}

/// What the builders can write: no schema, no counts of dropped attributes but a record's, no scope attributes.
fn buildable_metrics(mut request: ExportMetricsServiceRequest) -> ExportMetricsServiceRequest {
    for resource in &mut request.resource_metrics {
        resource.schema_url.clear();
        resource.resource.get_or_insert_default().dropped_attributes_count = 0;
        for scope in &mut resource.scope_metrics {
            scope.schema_url.clear();
            plain_scope(scope.scope.get_or_insert_default());
            scope.metrics.retain_mut(|metric| {
                metric.metadata.clear();
                buildable(metric)
            });
        }
        resource.scope_metrics.retain(|scope| !scope.metrics.is_empty());
    }
    request.resource_metrics.retain(|resource| !resource.scope_metrics.is_empty());
    request
}

fn buildable_logs(mut request: ExportLogsServiceRequest) -> ExportLogsServiceRequest {
    for resource in &mut request.resource_logs {
        resource.schema_url.clear();
        resource.resource.get_or_insert_default().dropped_attributes_count = 0;
        for scope in &mut resource.scope_logs {
            scope.schema_url.clear();
            plain_scope(scope.scope.get_or_insert_default());
        }
        resource.scope_logs.retain(|scope| !scope.log_records.is_empty());
    }
    request.resource_logs.retain(|resource| !resource.scope_logs.is_empty());
    request
}

fn plain_scope(scope: &mut pc::InstrumentationScope) {
    scope.attributes.clear();
    scope.dropped_attributes_count = 0;
}

fn buildable(metric: &mut pm::Metric) -> bool {
    let exemplars = |exemplars: &mut Vec<pm::Exemplar>| {
        for exemplar in exemplars {
            exemplar.value.get_or_insert(pm::exemplar::Value::AsInt(0));
        }
    };
    match &mut metric.data {
        Some(Data::Gauge(pm::Gauge { data_points }) | Data::Sum(pm::Sum { data_points, .. })) => {
            for point in data_points.iter_mut() {
                exemplars(&mut point.exemplars);
            }
            !data_points.is_empty()
        }
        Some(Data::Histogram(data)) => {
            for point in &mut data.data_points {
                exemplars(&mut point.exemplars);
            }
            !data.data_points.is_empty()
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn built_metrics_decode_to_what_was_put_in(decisions in tape()) {
        let bytes = generated(&decisions, &validate::schema::METRICS, false);
        let request = plain::metrics(ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap());
        let expected = buildable_metrics(request);
        let mut builder = MetricsBuilder::default();
        for resource in &expected.resource_metrics {
            with_set(&resource.resource.as_ref().unwrap().attributes, |attributes| {
                builder.resource(attributes, |to| {
                    for scope in &resource.scope_metrics {
                        let pc::InstrumentationScope { name, version, .. } = scope.scope.as_ref().unwrap();
                        to.scope(name, version, |to| {
                            for from in &scope.metrics {
                                metric(from, to);
                            }
                        });
                    }
                });
            });
        }
        let bytes = builder.finish();
        prop_assert_eq!(validate::metrics(&bytes, Utf8::Require), Ok(()));
        assert_same(&plain::metrics(ExportMetricsServiceRequest::decode(bytes).unwrap()), &expected);
    }

    #[test]
    fn built_logs_decode_to_what_was_put_in(decisions in tape()) {
        let bytes = generated(&decisions, &validate::schema::LOGS, false);
        let request = plain::logs(ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap());
        let expected = buildable_logs(request);
        let mut builder = LogsBuilder::default();
        for resource in &expected.resource_logs {
            with_set(&resource.resource.as_ref().unwrap().attributes, |attributes| {
                builder.resource(attributes, |to| {
                    for scope in &resource.scope_logs {
                        let pc::InstrumentationScope { name, version, .. } = scope.scope.as_ref().unwrap();
                        to.scope(name, version, |to| {
                            for from in &scope.log_records {
                                record(from, |record| to.add(record));
                            }
                        });
                    }
                });
            });
        }
        let bytes = builder.finish();
        prop_assert_eq!(validate::logs(&bytes, Utf8::Require), Ok(()));
        assert_same(&plain::logs(ExportLogsServiceRequest::decode(bytes).unwrap()), &expected);
    }
}
