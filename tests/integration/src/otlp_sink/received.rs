//! What has arrived.

use std::collections::BTreeMap;
use std::time::Instant;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point::Value};
use prost::Message;

/// One request, taken or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it had arrived.
    pub at: Instant,
    /// The method, `/opentelemetry.proto.collector.metrics.v1.MetricsService/Export` for instance.
    pub path: String,
    /// `:authority`.
    pub authority: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// Bytes of its message before decompression.
    pub bytes: usize,
    /// Whether it counts: its data is in [`Received`].
    pub taken: bool,
}

/// Everything that has arrived and was taken, and every request that came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Received {
    /// Every request, taken or not.
    pub requests: Vec<Request>,
    /// Spans taken.
    pub spans: usize,
    /// Data points taken.
    pub points: usize,
    /// Log records taken.
    pub records: usize,
    /// Values by series: resource attributes, metric name and attributes of the point, written as text. In the order of arrival, each
    /// with its time in nanoseconds. Histograms are there with their count.
    pub series: BTreeMap<String, Vec<(u64, f64)>>,
    /// Bodies of log records.
    pub bodies: Vec<String>,
    /// The messages taken, as they were before compression, by method.
    pub messages: Vec<(String, Vec<u8>)>,
}

impl Received {
    /// Takes a message. `Err` says what is wrong with it.
    pub(super) fn take(&mut self, path: &str, message: &[u8]) -> Result<(), String> {
        let error = |error: prost::DecodeError| error.to_string();
        if path.ends_with("MetricsService/Export") {
            self.metrics(ExportMetricsServiceRequest::decode(message).map_err(error)?);
        } else if path.ends_with("LogsService/Export") {
            let request = ExportLogsServiceRequest::decode(message).map_err(error)?;
            let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
            let records: Vec<_> = scopes.flat_map(|scope| scope.log_records).collect();
            self.records += records.len();
            self.bodies.extend(records.into_iter().map(|record| format!("{:?}", record.body.and_then(|body| body.value))));
        } else if path.ends_with("TraceService/Export") {
            let request = ExportTraceServiceRequest::decode(message).map_err(error)?;
            let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            self.spans += scopes.map(|scope| scope.spans.len()).sum::<usize>();
        }
        self.messages.push((path.to_owned(), message.to_vec()));
        Ok(())
    }

    fn metrics(&mut self, request: ExportMetricsServiceRequest) {
        for resource in request.resource_metrics {
            let of = attributes(&resource.resource.unwrap_or_default().attributes);
            for metric in resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                for (attributes, time, value) in points(&metric) {
                    self.points += 1;
                    let series = format!("{of} {} {attributes}", metric.name);
                    self.series.entry(series).or_default().push((time, value));
                }
            }
        }
    }

    /// Values that came more than once: the same series and the same time.
    pub fn duplicates(&self) -> Vec<(String, u64)> {
        let mut twice = Vec::new();
        for (series, values) in &self.series {
            let mut times: Vec<u64> = values.iter().map(|(time, _)| *time).collect();
            times.sort_unstable();
            let repeated = times.iter().zip(times.iter().skip(1)).filter(|(one, next)| one == next);
            twice.extend(repeated.map(|(time, _)| (series.clone(), *time)));
        }
        twice
    }
}

#[expect(clippy::cast_precision_loss, reason = "for comparison with what was sent, which is small")]
fn points(metric: &Metric) -> Vec<(String, u64, f64)> {
    match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.iter().map(number).collect(),
        Some(Data::Sum(sum)) => sum.data_points.iter().map(number).collect(),
        Some(Data::Histogram(histogram)) => {
            let points = histogram.data_points.iter();
            points.map(|point| (attributes(&point.attributes), point.time_unix_nano, point.count as f64)).collect()
        }
        _ => Vec::new(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "for comparison with what was sent, which is small")]
fn number(point: &opentelemetry_proto::tonic::metrics::v1::NumberDataPoint) -> (String, u64, f64) {
    let value = match point.value {
        Some(Value::AsDouble(value)) => value,
        Some(Value::AsInt(value)) => value as f64,
        None => f64::NAN,
    };
    (attributes(&point.attributes), point.time_unix_nano, value)
}

/// `{a="1", b=2}`, by name.
fn attributes(attributes: &[KeyValue]) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => format!("{}={text:?}", pair.key),
        Some(Value::IntValue(number)) => format!("{}={number}", pair.key),
        other => format!("{}={other:?}", pair.key),
    };
    let mut pairs: Vec<String> = attributes.iter().map(text).collect();
    pairs.sort();
    format!("{{{}}}", pairs.join(", "))
}
