//! One request with every kind of metric and every field set, as a sender would write it.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value},
    metrics::v1::{
        Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar,
        exponential_histogram_data_point::Buckets, metric::Data, number_data_point, summary_data_point::ValueAtQuantile,
    },
    resource::v1::Resource,
};

const NOW: u64 = 1_700_000_000_000_000_000;

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn attributes() -> Vec<KeyValue> {
    use any_value::Value;
    let list = ArrayValue { values: vec![AnyValue { value: Some(Value::DoubleValue(0.5)) }] };
    let map = KeyValueList { values: vec![pair("list", Value::ArrayValue(list))] };
    vec![
        pair("code.file.path", Value::StringValue("main.go".to_owned())),
        pair("code.line.number", Value::IntValue(42)),
        pair("flag", Value::BoolValue(true)),
        pair("raw", Value::BytesValue(vec![0, 255])),
        pair("map", Value::KvlistValue(map)),
    ]
}

fn exemplars() -> Vec<Exemplar> {
    vec![Exemplar {
        filtered_attributes: attributes(),
        time_unix_nano: NOW,
        span_id: vec![1; 8],
        trace_id: vec![2; 16],
        value: Some(exemplar::Value::AsDouble(1.5)),
    }]
}

fn number_points() -> Vec<NumberDataPoint> {
    let point = |value, flags| NumberDataPoint {
        attributes: attributes(),
        start_time_unix_nano: NOW - 1,
        time_unix_nano: NOW,
        exemplars: exemplars(),
        flags,
        value,
    };
    vec![
        point(Some(number_data_point::Value::AsInt(-7)), 0),
        point(Some(number_data_point::Value::AsDouble(7.5)), 0),
        point(None, 1),
    ]
}

fn histogram() -> Histogram {
    let point = HistogramDataPoint {
        attributes: attributes(),
        start_time_unix_nano: NOW - 1,
        time_unix_nano: NOW,
        count: 6,
        sum: Some(20.5),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![1.0, 10.0],
        exemplars: exemplars(),
        flags: 0,
        min: Some(0.5),
        max: Some(11.0),
    };
    Histogram { data_points: vec![point], aggregation_temporality: 2 }
}

fn exponential_histogram() -> ExponentialHistogram {
    let point = ExponentialHistogramDataPoint {
        attributes: attributes(),
        start_time_unix_nano: NOW - 1,
        time_unix_nano: NOW,
        count: 9,
        sum: Some(-1.0),
        scale: -3,
        zero_count: 2,
        positive: Some(Buckets { offset: -5, bucket_counts: vec![1, 300] }),
        negative: Some(Buckets { offset: 5, bucket_counts: vec![4] }),
        flags: 0,
        exemplars: exemplars(),
        min: Some(-9.0),
        max: Some(9.0),
        zero_threshold: 0.25,
    };
    ExponentialHistogram { data_points: vec![point], aggregation_temporality: 1 }
}

fn summary() -> Summary {
    let quantile = |quantile| ValueAtQuantile { quantile, value: quantile * 10.0 };
    let point = SummaryDataPoint {
        attributes: attributes(),
        start_time_unix_nano: NOW - 1,
        time_unix_nano: NOW,
        count: 4,
        sum: 12.0,
        quantile_values: vec![quantile(0.5), quantile(0.99)],
        flags: 0,
    };
    Summary { data_points: vec![point] }
}

/// Nine points in five metrics.
pub(super) fn every_kind() -> ExportMetricsServiceRequest {
    let kinds = [
        Data::Gauge(Gauge { data_points: number_points() }),
        Data::Sum(Sum { data_points: number_points(), aggregation_temporality: 2, is_monotonic: true }),
        Data::Histogram(histogram()),
        Data::ExponentialHistogram(exponential_histogram()),
        Data::Summary(summary()),
    ];
    let metric = |(index, data)| Metric {
        name: format!("metric.{index}"),
        description: "what it means".to_owned(),
        unit: "{defer}".to_owned(),
        metadata: attributes(),
        data: Some(data),
    };
    let scope = ScopeMetrics {
        scope: Some(InstrumentationScope {
            name: "deferd/godefer".to_owned(),
            version: "0.1.0".to_owned(),
            attributes: attributes(),
            dropped_attributes_count: 1,
        }),
        metrics: (0..).zip(kinds).map(metric).collect(),
        schema_url: "https://example.org/1".to_owned(),
    };
    let resource = ResourceMetrics {
        resource: Some(Resource { attributes: attributes(), dropped_attributes_count: 2, entity_refs: Vec::new() }),
        scope_metrics: vec![scope],
        schema_url: "https://example.org/2".to_owned(),
    };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}
