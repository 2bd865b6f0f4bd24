//! Verbosity `normal`: about one line per data point or log record.

use std::fmt::Write as _;

use deferd_pdata::attributes::Attributes;
use deferd_pdata::envelope::ScopeItems;
use deferd_pdata::logs::ResourceLogs;
use deferd_pdata::metrics::{
    Data, ExponentialHistogramPoint, HistogramPoint, Metric, Number, NumberPoint, ResourceMetrics, SummaryPoint,
};
use deferd_pdata::text::Text;

use super::go::{Fixed, Shortest};
use super::lines::Lines;

pub(super) fn metrics<'a>(lines: &mut Lines, resources: impl Iterator<Item = ResourceMetrics<'a>>) {
    for (index, resource) in resources.enumerate() {
        let attributes = spaced(&resource.resource.attributes());
        lines.add(format_args!("ResourceMetrics #{index}{}{attributes}", schema(resource.schema_url)));
        for (index, scope) in resource.scopes().enumerate() {
            lines.add(format_args!("ScopeMetrics #{index}{}", scope_details(&scope)));
            scope.items().for_each(|metric| points(lines, &metric));
        }
    }
}

pub(super) fn logs<'a>(lines: &mut Lines, resources: impl Iterator<Item = ResourceLogs<'a>>) {
    for (index, resource) in resources.enumerate() {
        let attributes = spaced(&resource.resource.attributes());
        lines.add(format_args!("ResourceLog #{index}{}{attributes}", schema(resource.schema_url)));
        for (index, scope) in resource.scopes().enumerate() {
            lines.add(format_args!("ScopeLog #{index}{}", scope_details(&scope)));
            for record in scope.items() {
                lines.add(format_args!("{} {}", record.body.to_text(), joined(&record.attributes(), " ")));
            }
        }
    }
}

fn points(lines: &mut Lines, metric: &Metric<'_>) {
    let mut line = |attributes: &Attributes<'_>, value: String| {
        lines.add(format_args!("{}{{{}}} {value}", metric.name, joined(attributes, ",")));
    };
    match metric.data() {
        Data::Empty => {}
        Data::Gauge(points) | Data::Sum { points, .. } => points.for_each(|point| line(&point.attributes(), number(&point))),
        Data::Histogram { points, .. } => points.for_each(|point| line(&point.attributes(), histogram(&point))),
        Data::ExponentialHistogram { points, .. } => {
            points.for_each(|point| line(&point.attributes(), exponential_histogram(&point)));
        }
        Data::Summary(points) => points.for_each(|point| line(&point.attributes(), summary(&point))),
    }
}

fn number(point: &NumberPoint<'_>) -> String {
    match point.value {
        Some(Number::Int(value)) => value.to_string(),
        Some(Number::Double(value)) => Shortest(value).to_string(),
        None => String::new(),
    }
}

/// Writing to a String cannot fail, hence the ignored results here and below.
fn totals(count: u64, sum: Option<f64>, min: Option<f64>, max: Option<f64>) -> String {
    let mut text = format!("count={count}");
    for (name, value) in [("sum", sum), ("min", min), ("max", max)] {
        if let Some(value) = value {
            let _ = write!(text, " {name}={}", Shortest(value));
        }
    }
    text
}

fn histogram(point: &HistogramPoint<'_>) -> String {
    let mut text = totals(point.count, point.sum, point.min, point.max);
    let mut bounds = point.explicit_bounds();
    for count in point.bucket_counts() {
        let _ = match bounds.next() {
            Some(bound) => write!(text, " le{}={count}", Shortest(bound)),
            None => write!(text, " {count}"),
        };
    }
    text
}

fn exponential_histogram(point: &ExponentialHistogramPoint<'_>) -> String {
    let mut text = totals(point.count, point.sum, point.min, point.max);
    let base = (-f64::from(point.scale)).exp2().exp2();
    for buckets in [point.negative, point.positive] {
        for (index, count) in (i64::from(buckets.offset)..).zip(buckets.counts()) {
            #[expect(clippy::cast_precision_loss, reason = "an index is an i32 and a count of received bytes: far below 2^53")]
            let bound = base.powf(index as f64);
            let _ = write!(text, " le{}={count}", Shortest(bound));
        }
    }
    if point.zero_count > 0 {
        let _ = write!(text, " zero_count{}={}", Shortest(point.zero_threshold), point.zero_count);
    }
    text
}

fn summary(point: &SummaryPoint<'_>) -> String {
    let mut text = format!("count={} sum={}", point.count, Fixed(point.sum));
    for at in point.quantiles() {
        let _ = write!(text, " q{}={}", Shortest(at.quantile), Shortest(at.value));
    }
    text
}

fn joined(attributes: &Attributes<'_>, separator: &str) -> String {
    attributes.iter().map(|(key, value)| format!("{key}={}", value.to_text())).collect::<Vec<_>>().join(separator)
}

fn spaced(attributes: &Attributes<'_>) -> String {
    if attributes.is_empty() { String::new() } else { format!(" {}", joined(attributes, " ")) }
}

fn schema(url: Text<'_>) -> String {
    if url.is_empty() { String::new() } else { format!(" [{url}]") }
}

/// ` name@version [schema] key=value`, each part only if it is there.
fn scope_details<T>(items: &ScopeItems<'_, T>) -> String {
    let scope = &items.scope;
    let mut text = String::new();
    if !(scope.name.is_empty() && scope.version.is_empty()) {
        let _ = write!(text, " {}", scope.name);
    }
    if !scope.version.is_empty() {
        let _ = write!(text, "@{}", scope.version);
    }
    text + &schema(items.schema_url) + &spaced(&scope.attributes())
}
