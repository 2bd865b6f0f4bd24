//! What the views see, as prost's types.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest,
    },
    common::v1 as pc,
    logs::v1 as pl,
    metrics::v1 as pm,
    resource::v1 as pr,
    trace::v1 as pt,
};

use crate::{
    any_value::AnyValue,
    attributes::Attributes,
    envelope::{Resource, Scope},
    logs, metrics,
    metrics::{Data, Number},
    text::Text,
    traces,
};

pub(super) fn metrics_request(bytes: &[u8]) -> ExportMetricsServiceRequest {
    let resource_metrics = metrics::Request::new(bytes)
        .resources()
        .map(|from| pm::ResourceMetrics {
            resource: Some(resource(&from.resource)),
            schema_url: text(from.schema_url),
            scope_metrics: from
                .scopes()
                .map(|from| pm::ScopeMetrics {
                    scope: Some(scope(&from.scope)),
                    schema_url: text(from.schema_url),
                    metrics: from.items().map(|from| metric(&from)).collect(),
                })
                .collect(),
        })
        .collect();
    ExportMetricsServiceRequest { resource_metrics }
}

pub(super) fn logs_request(bytes: &[u8]) -> ExportLogsServiceRequest {
    let resource_logs = logs::Request::new(bytes)
        .resources()
        .map(|from| pl::ResourceLogs {
            resource: Some(resource(&from.resource)),
            schema_url: text(from.schema_url),
            scope_logs: from
                .scopes()
                .map(|from| pl::ScopeLogs {
                    scope: Some(scope(&from.scope)),
                    schema_url: text(from.schema_url),
                    log_records: from.items().map(|from| log_record(&from)).collect(),
                })
                .collect(),
        })
        .collect();
    ExportLogsServiceRequest { resource_logs }
}

pub(super) fn traces_request(bytes: &[u8]) -> ExportTraceServiceRequest {
    let resource_spans = traces::Request::new(bytes)
        .resources()
        .map(|from| pt::ResourceSpans {
            resource: Some(resource(&from.resource)),
            schema_url: text(from.schema_url),
            scope_spans: from
                .scopes()
                .map(|from| pt::ScopeSpans {
                    scope: Some(scope(&from.scope)),
                    schema_url: text(from.schema_url),
                    spans: from.items().map(|from| span(&from)).collect(),
                })
                .collect(),
        })
        .collect();
    ExportTraceServiceRequest { resource_spans }
}

fn text(from: Text<'_>) -> String {
    from.to_str_lossy().into_owned()
}

fn resource(from: &Resource<'_>) -> pr::Resource {
    pr::Resource {
        attributes: attributes(&from.attributes()),
        dropped_attributes_count: from.dropped_attributes_count(),
        entity_refs: Vec::new(),
    }
}

fn scope(from: &Scope<'_>) -> pc::InstrumentationScope {
    pc::InstrumentationScope {
        name: text(from.name),
        version: text(from.version),
        attributes: attributes(&from.attributes()),
        dropped_attributes_count: from.dropped_attributes_count(),
    }
}

fn attributes(from: &Attributes<'_>) -> Vec<pc::KeyValue> {
    from.iter().map(|(key, value)| pc::KeyValue { key: text(key), value: Some(any_value(&value)), key_strindex: 0 }).collect()
}

fn any_value(from: &AnyValue<'_>) -> pc::AnyValue {
    use pc::any_value::Value;
    let value = match *from {
        AnyValue::Empty => None,
        AnyValue::Str(value) => Some(Value::StringValue(text(value))),
        AnyValue::Bool(value) => Some(Value::BoolValue(value)),
        AnyValue::Int(value) => Some(Value::IntValue(value)),
        AnyValue::Double(value) => Some(Value::DoubleValue(value)),
        AnyValue::Bytes(value) => Some(Value::BytesValue(value.to_vec())),
        AnyValue::Array(values) => {
            Some(Value::ArrayValue(pc::ArrayValue { values: values.iter().map(|value| any_value(&value)).collect() }))
        }
        AnyValue::Map(map) => Some(Value::KvlistValue(pc::KeyValueList { values: attributes(&map.entries()) })),
    };
    pc::AnyValue { value }
}

fn metric(from: &metrics::Metric<'_>) -> pm::Metric {
    use pm::metric::Data as To;
    let data = match from.data() {
        Data::Empty => None,
        Data::Gauge(points) => Some(To::Gauge(pm::Gauge { data_points: points.map(|point| number_point(&point)).collect() })),
        Data::Sum { points, temporality, monotonic } => Some(To::Sum(pm::Sum {
            data_points: points.map(|point| number_point(&point)).collect(),
            aggregation_temporality: temporality.number().cast_signed(),
            is_monotonic: monotonic,
        })),
        Data::Histogram { points, temporality } => Some(To::Histogram(pm::Histogram {
            data_points: points.map(|point| histogram_point(&point)).collect(),
            aggregation_temporality: temporality.number().cast_signed(),
        })),
        Data::ExponentialHistogram { points, temporality } => Some(To::ExponentialHistogram(pm::ExponentialHistogram {
            data_points: points.map(|point| exponential_point(&point)).collect(),
            aggregation_temporality: temporality.number().cast_signed(),
        })),
        Data::Summary(points) => {
            Some(To::Summary(pm::Summary { data_points: points.map(|point| summary_point(&point)).collect() }))
        }
    };
    pm::Metric {
        name: text(from.name),
        description: text(from.description),
        unit: text(from.unit),
        metadata: attributes(&from.metadata()),
        data,
    }
}

fn number_point(from: &metrics::NumberPoint<'_>) -> pm::NumberDataPoint {
    use pm::number_data_point::Value;
    assert_eq!(from.no_recorded_value(), from.flags % 2 == 1);
    pm::NumberDataPoint {
        attributes: attributes(&from.attributes()),
        start_time_unix_nano: from.start_time,
        time_unix_nano: from.time,
        exemplars: from.exemplars().map(|point| exemplar(&point)).collect(),
        flags: from.flags,
        value: from.value.map(|value| match value {
            Number::Int(value) => Value::AsInt(value),
            Number::Double(value) => Value::AsDouble(value),
        }),
    }
}

fn exemplar(from: &metrics::Exemplar<'_>) -> pm::Exemplar {
    use pm::exemplar::Value;
    pm::Exemplar {
        filtered_attributes: attributes(&from.filtered_attributes()),
        time_unix_nano: from.time,
        span_id: from.span_id.to_vec(),
        trace_id: from.trace_id.to_vec(),
        value: from.value.map(|value| match value {
            Number::Int(value) => Value::AsInt(value),
            Number::Double(value) => Value::AsDouble(value),
        }),
    }
}

fn histogram_point(from: &metrics::HistogramPoint<'_>) -> pm::HistogramDataPoint {
    pm::HistogramDataPoint {
        attributes: attributes(&from.attributes()),
        start_time_unix_nano: from.start_time,
        time_unix_nano: from.time,
        count: from.count,
        sum: from.sum,
        bucket_counts: from.bucket_counts().collect(),
        explicit_bounds: from.explicit_bounds().collect(),
        exemplars: from.exemplars().map(|point| exemplar(&point)).collect(),
        flags: from.flags,
        min: from.min,
        max: from.max,
    }
}

fn exponential_point(from: &metrics::ExponentialHistogramPoint<'_>) -> pm::ExponentialHistogramDataPoint {
    let buckets = |from: &metrics::Buckets<'_>| {
        Some(pm::exponential_histogram_data_point::Buckets { offset: from.offset, bucket_counts: from.counts().collect() })
    };
    pm::ExponentialHistogramDataPoint {
        attributes: attributes(&from.attributes()),
        start_time_unix_nano: from.start_time,
        time_unix_nano: from.time,
        count: from.count,
        sum: from.sum,
        scale: from.scale,
        zero_count: from.zero_count,
        positive: buckets(&from.positive),
        negative: buckets(&from.negative),
        flags: from.flags,
        exemplars: from.exemplars().map(|point| exemplar(&point)).collect(),
        min: from.min,
        max: from.max,
        zero_threshold: from.zero_threshold,
    }
}

fn summary_point(from: &metrics::SummaryPoint<'_>) -> pm::SummaryDataPoint {
    pm::SummaryDataPoint {
        attributes: attributes(&from.attributes()),
        start_time_unix_nano: from.start_time,
        time_unix_nano: from.time,
        count: from.count,
        sum: from.sum,
        quantile_values: from
            .quantiles()
            .map(|at| pm::summary_data_point::ValueAtQuantile { quantile: at.quantile, value: at.value })
            .collect(),
        flags: from.flags,
    }
}

fn log_record(from: &logs::LogRecord<'_>) -> pl::LogRecord {
    pl::LogRecord {
        time_unix_nano: from.time,
        observed_time_unix_nano: from.observed_time,
        severity_number: from.severity_number,
        severity_text: text(from.severity_text),
        body: Some(any_value(&from.body)),
        attributes: attributes(&from.attributes()),
        dropped_attributes_count: from.dropped_attributes_count,
        flags: from.flags,
        trace_id: from.trace_id.to_vec(),
        span_id: from.span_id.to_vec(),
        event_name: text(from.event_name),
    }
}

fn span(from: &traces::Span<'_>) -> pt::Span {
    let event = |from: traces::Event<'_>| pt::span::Event {
        time_unix_nano: from.time,
        name: text(from.name),
        attributes: attributes(&from.attributes()),
        dropped_attributes_count: from.dropped_attributes_count,
    };
    let link = |from: traces::Link<'_>| pt::span::Link {
        trace_id: from.trace_id.to_vec(),
        span_id: from.span_id.to_vec(),
        trace_state: text(from.trace_state),
        attributes: attributes(&from.attributes()),
        dropped_attributes_count: from.dropped_attributes_count,
        flags: from.flags,
    };
    pt::Span {
        trace_id: from.trace_id.to_vec(),
        span_id: from.span_id.to_vec(),
        trace_state: text(from.trace_state),
        parent_span_id: from.parent_span_id.to_vec(),
        flags: from.flags,
        name: text(from.name),
        kind: from.kind,
        start_time_unix_nano: from.start_time,
        end_time_unix_nano: from.end_time,
        attributes: attributes(&from.attributes()),
        dropped_attributes_count: from.dropped_attributes_count,
        events: from.events().map(event).collect(),
        dropped_events_count: from.dropped_events_count,
        links: from.links().map(link).collect(),
        dropped_links_count: from.dropped_links_count,
        status: Some(pt::Status { message: text(from.status.message), code: from.status.code }),
    }
}
