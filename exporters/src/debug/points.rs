//! Data points at verbosity `detailed`.

use deferd_pdata::attributes::Attributes;
use deferd_pdata::metrics::{Buckets, Exemplar, ExponentialHistogramPoint, HistogramPoint, Number, NumberPoint, SummaryPoint};
use deferd_pdata::wire::Repeated;

use super::detailed::attributes;
use super::go::{Fixed, Hex, Time};
use super::lines::Lines;

pub(super) fn numbers<'a>(lines: &mut Lines, points: Repeated<'a, NumberPoint<'a>>) {
    for (index, point) in points.enumerate() {
        lines.add(format_args!("NumberDataPoints #{index}"));
        head(lines, &point.attributes(), point.start_time, point.time);
        value(lines, "", point.value);
        exemplars(lines, point.exemplars());
    }
}

pub(super) fn histograms<'a>(lines: &mut Lines, points: Repeated<'a, HistogramPoint<'a>>) {
    for (index, point) in points.enumerate() {
        lines.add(format_args!("HistogramDataPoints #{index}"));
        head(lines, &point.attributes(), point.start_time, point.time);
        totals(lines, point.count, [("Sum", point.sum), ("Min", point.min), ("Max", point.max)]);
        for (index, bound) in point.explicit_bounds().enumerate() {
            lines.add(format_args!("ExplicitBounds #{index}: {}", Fixed(bound)));
        }
        for (index, count) in point.bucket_counts().enumerate() {
            lines.add(format_args!("Buckets #{index}, Count: {count}"));
        }
        exemplars(lines, point.exemplars());
    }
}

pub(super) fn exponential_histograms<'a>(lines: &mut Lines, points: Repeated<'a, ExponentialHistogramPoint<'a>>) {
    for (index, point) in points.enumerate() {
        lines.add(format_args!("ExponentialHistogramDataPoints #{index}"));
        head(lines, &point.attributes(), point.start_time, point.time);
        totals(lines, point.count, [("Sum", point.sum), ("Min", point.min), ("Max", point.max)]);
        let mut negative: Vec<(f64, f64, u64)> = buckets(&point.negative, point.scale).collect();
        negative.reverse();
        for (lower, upper, count) in negative {
            lines.add(format_args!("Bucket [{}, {}), Count: {count}", Fixed(-upper), Fixed(-lower)));
        }
        if point.zero_count > 0 {
            lines.add(format_args!("Bucket [0, 0], Count: {}", point.zero_count));
        }
        for (lower, upper, count) in buckets(&point.positive, point.scale) {
            lines.add(format_args!("Bucket ({}, {}], Count: {count}", Fixed(lower), Fixed(upper)));
        }
        exemplars(lines, point.exemplars());
    }
}

pub(super) fn summaries<'a>(lines: &mut Lines, points: Repeated<'a, SummaryPoint<'a>>) {
    for (index, point) in points.enumerate() {
        lines.add(format_args!("SummaryDataPoints #{index}"));
        head(lines, &point.attributes(), point.start_time, point.time);
        totals(lines, point.count, [("Sum", Some(point.sum))]);
        for (index, at) in point.quantiles().enumerate() {
            lines.add(format_args!("QuantileValue #{index}: Quantile {}, Value {}", Fixed(at.quantile), Fixed(at.value)));
        }
    }
}

/// Lower bound, upper bound and count of each bucket.
fn buckets<'a>(buckets: &Buckets<'a>, scale: i32) -> impl Iterator<Item = (f64, f64, u64)> + use<'a> {
    let factor = std::f64::consts::LN_2 * (-f64::from(scale)).exp2();
    let bound = move |index: f64| (index * factor).exp();
    let mut index = f64::from(buckets.offset);
    buckets.counts().map(move |count| {
        let bounds = (bound(index), bound(index + 1.0), count);
        index += 1.0;
        bounds
    })
}

fn head(lines: &mut Lines, set: &Attributes<'_>, start_time: u64, time: u64) {
    attributes(lines, "", "Data point attributes", set);
    lines.add(format_args!("StartTimestamp: {}", Time(start_time)));
    lines.add(format_args!("Timestamp: {}", Time(time)));
}

fn totals<const N: usize>(lines: &mut Lines, count: u64, figures: [(&str, Option<f64>); N]) {
    lines.add(format_args!("Count: {count}"));
    for (name, value) in figures {
        if let Some(value) = value {
            lines.add(format_args!("{name}: {}", Fixed(value)));
        }
    }
}

fn value(lines: &mut Lines, indent: &str, value: Option<Number>) {
    match value {
        Some(Number::Int(value)) => lines.add(format_args!("{indent}Value: {value}")),
        Some(Number::Double(value)) => lines.add(format_args!("{indent}Value: {}", Fixed(value))),
        None => {}
    }
}

fn exemplars<'a>(lines: &mut Lines, exemplars: Repeated<'a, Exemplar<'a>>) {
    for (index, exemplar) in exemplars.enumerate() {
        if index == 0 {
            lines.add(format_args!("Exemplars:"));
        }
        lines.add(format_args!("Exemplar #{index}"));
        lines.add(format_args!("     -> Trace ID: {}", Hex(exemplar.trace_id)));
        lines.add(format_args!("     -> Span ID: {}", Hex(exemplar.span_id)));
        lines.add(format_args!("     -> Timestamp: {}", Time(exemplar.time)));
        value(lines, "     -> ", exemplar.value);
        attributes(lines, "     -> ", "FilteredAttributes", &exemplar.filtered_attributes());
    }
}
