//! Verbosity `detailed`: everything that is in a request.

use deferd_pdata::any_value::AnyValue;
use deferd_pdata::attributes::Attributes;
use deferd_pdata::envelope::Scope;
use deferd_pdata::logs::{LogRecord, ResourceLogs};
use deferd_pdata::metrics::{Data, Metric, ResourceMetrics, Temporality};

use super::go::{Hex, Time};
use super::lines::Lines;
use super::points;

pub(super) fn metrics<'a>(lines: &mut Lines, resources: impl Iterator<Item = ResourceMetrics<'a>>) {
    for (index, resource) in resources.enumerate() {
        lines.add(format_args!("ResourceMetrics #{index}"));
        lines.add(format_args!("Resource SchemaURL: {}", resource.schema_url));
        attributes(lines, "", "Resource attributes", &resource.resource.attributes());
        for (index, scope) in resource.scopes().enumerate() {
            lines.add(format_args!("ScopeMetrics #{index}"));
            lines.add(format_args!("ScopeMetrics SchemaURL: {}", scope.schema_url));
            instrumentation_scope(lines, &scope.scope);
            for (index, metric) in scope.items().enumerate() {
                lines.add(format_args!("Metric #{index}"));
                describe(lines, &metric);
                data(lines, metric.data());
            }
        }
    }
}

pub(super) fn logs<'a>(lines: &mut Lines, resources: impl Iterator<Item = ResourceLogs<'a>>) {
    for (index, resource) in resources.enumerate() {
        lines.add(format_args!("ResourceLog #{index}"));
        lines.add(format_args!("Resource SchemaURL: {}", resource.schema_url));
        attributes(lines, "", "Resource attributes", &resource.resource.attributes());
        for (index, scope) in resource.scopes().enumerate() {
            lines.add(format_args!("ScopeLogs #{index}"));
            lines.add(format_args!("ScopeLogs SchemaURL: {}", scope.schema_url));
            instrumentation_scope(lines, &scope.scope);
            for (index, record) in scope.items().enumerate() {
                lines.add(format_args!("LogRecord #{index}"));
                log_record(lines, &record);
            }
        }
    }
}

fn instrumentation_scope(lines: &mut Lines, scope: &Scope<'_>) {
    lines.add(format_args!("InstrumentationScope {} {}", scope.name, scope.version));
    attributes(lines, "", "InstrumentationScope attributes", &scope.attributes());
}

fn log_record(lines: &mut Lines, record: &LogRecord<'_>) {
    lines.add(format_args!("ObservedTimestamp: {}", Time(record.observed_time)));
    lines.add(format_args!("Timestamp: {}", Time(record.time)));
    lines.add(format_args!("SeverityText: {}", record.severity_text));
    lines.add(format_args!("SeverityNumber: {}({})", severity(record.severity_number), record.severity_number));
    if !record.event_name.is_empty() {
        lines.add(format_args!("EventName: {}", record.event_name));
    }
    lines.add(format_args!("Body: {}", typed(&record.body)));
    attributes(lines, "", "Attributes", &record.attributes());
    lines.add(format_args!("Trace ID: {}", Hex(record.trace_id)));
    lines.add(format_args!("Span ID: {}", Hex(record.span_id)));
    lines.add(format_args!("Flags: {}", record.flags));
}

fn describe(lines: &mut Lines, metric: &Metric<'_>) {
    let kind = match metric.data() {
        Data::Empty => "Empty",
        Data::Gauge(_) => "Gauge",
        Data::Sum { .. } => "Sum",
        Data::Histogram { .. } => "Histogram",
        Data::ExponentialHistogram { .. } => "ExponentialHistogram",
        Data::Summary(_) => "Summary",
    };
    lines.add(format_args!("Descriptor:"));
    lines.add(format_args!("     -> Name: {}", metric.name));
    lines.add(format_args!("     -> Description: {}", metric.description));
    lines.add(format_args!("     -> Unit: {}", metric.unit));
    lines.add(format_args!("     -> DataType: {kind}"));
}

fn data(lines: &mut Lines, data: Data<'_>) {
    match data {
        Data::Empty => {}
        Data::Gauge(all) => points::numbers(lines, all),
        Data::Sum { points: all, temporality, monotonic } => {
            lines.add(format_args!("     -> IsMonotonic: {monotonic}"));
            aggregation(lines, temporality);
            points::numbers(lines, all);
        }
        Data::Histogram { points: all, temporality } => {
            aggregation(lines, temporality);
            points::histograms(lines, all);
        }
        Data::ExponentialHistogram { points: all, temporality } => {
            aggregation(lines, temporality);
            points::exponential_histograms(lines, all);
        }
        Data::Summary(all) => points::summaries(lines, all),
    }
}

fn aggregation(lines: &mut Lines, temporality: Temporality) {
    // The names of the variants are those of the Collector.
    lines.add(format_args!("     -> AggregationTemporality: {temporality:?}"));
}

/// A block of attributes under a heading; nothing if there is none.
pub(super) fn attributes(lines: &mut Lines, indent: &str, heading: &str, attributes: &Attributes<'_>) {
    if attributes.is_empty() {
        return;
    }
    lines.add(format_args!("{indent}{heading}:"));
    let indent = indent.strip_suffix("-> ").unwrap_or(indent);
    for (key, value) in attributes.iter() {
        lines.add(format_args!("{indent}     -> {key}: {}", typed(&value)));
    }
}

fn typed(value: &AnyValue<'_>) -> String {
    let kind = match value {
        AnyValue::Empty => "Empty",
        AnyValue::Str(_) => "Str",
        AnyValue::Bool(_) => "Bool",
        AnyValue::Int(_) => "Int",
        AnyValue::Double(_) => "Double",
        AnyValue::Bytes(_) => "Bytes",
        AnyValue::Array(_) => "Slice",
        AnyValue::Map(_) => "Map",
    };
    format!("{kind}({})", value.to_text())
}

/// `Info`, `Info2`, ...; nothing for numbers that OpenTelemetry does not define.
fn severity(number: i32) -> String {
    if number == 0 {
        return "Unspecified".to_owned();
    }
    let Some(position) = usize::try_from(number).ok().and_then(|number| number.checked_sub(1)) else {
        return String::new();
    };
    let Some(name) = ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"].get(position / 4) else {
        return String::new();
    };
    match position % 4 {
        0 => (*name).to_owned(),
        step => format!("{name}{}", step + 1),
    }
}
