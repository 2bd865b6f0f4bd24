//! The one line that every batch gets: what kind of data, and how much.

use bytes::Bytes;
use deferd_pdata::logs::ResourceLogs;
use deferd_pdata::metrics::ResourceMetrics;
use deferd_pdata::wire::Repeated;

use super::lines::Lines;

/// Field of every request that holds its resources.
const RESOURCES: u32 = 1;

pub(super) fn metrics<'a>(lines: &mut Lines, resources: impl Iterator<Item = ResourceMetrics<'a>>) {
    let (mut resource_count, mut metric_count, mut points) = (0_usize, 0_usize, 0_usize);
    for resource in resources {
        resource_count += 1;
        for metric in resource.scopes().flat_map(|scope| scope.items()) {
            metric_count += 1;
            points += metric.count_points();
        }
    }
    counts(lines, "Metrics", &[("resource metrics", resource_count), ("metrics", metric_count), ("data points", points)]);
}

pub(super) fn logs<'a>(lines: &mut Lines, resources: impl Iterator<Item = ResourceLogs<'a>>) {
    let (mut resource_count, mut records) = (0_usize, 0_usize);
    for resource in resources {
        resource_count += 1;
        records += resource.scopes().map(|scope| scope.items().count()).sum::<usize>();
    }
    counts(lines, "Logs", &[("resource logs", resource_count), ("log records", records)]);
}

pub(super) fn traces(lines: &mut Lines, chunks: &[Bytes], spans: usize) {
    let resources = chunks.iter().map(|chunk| Repeated::<&[u8]>::new(chunk, RESOURCES).count()).sum();
    counts(lines, "Traces", &[("resource spans", resources), ("spans", spans)]);
}

/// The Collector's console form: message, tab, fields.
fn counts(lines: &mut Lines, message: &str, fields: &[(&str, usize)]) {
    let fields: Vec<String> = fields.iter().map(|(name, count)| format!("\"{name}\": {count}")).collect();
    lines.add(format_args!("{message}\t{{{}}}", fields.join(", ")));
}
