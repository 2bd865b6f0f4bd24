//! From an OTLP request into the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use deferd_pdata::attributes::Attributes;
use deferd_pdata::metrics::{Data, HistogramPoint, Metric, NumberPoint, Request, SummaryPoint, Temporality};

use super::key::KeyWriter;
use super::origin::Origin;
use super::series::{Histogram, Kind, Point, Reason, Value};
use super::store::{MetricId, Store, Update};

/// Points that were not taken, by reason.
pub(super) type Drops = BTreeMap<Reason, usize>;

/// Takes the points of a request. The request must have passed `deferd_pdata::validate`.
pub(super) fn ingest(store: &mut Store, request: &[u8], max_series: usize, now: Instant) -> Drops {
    let mut drops = Drops::new();
    let mut keys = KeyWriter::default();
    for resource in Request::new(request).resources() {
        for scope in resource.scopes() {
            let Some(origin) = store.origin(&resource.resource, &scope, max_series) else {
                let points = scope.items().map(|metric| metric.count_points()).sum();
                count(&mut drops, Reason::SeriesLimit, points);
                continue;
            };
            for metric in scope.items() {
                let Some((kind, delta)) = classify(&metric, &mut drops) else { continue };
                let id = MetricId { name: metric.name.to_string(), unit: metric.unit.to_string(), kind };
                let Some(update) = store.update(id, &metric.description.to_str_lossy(), max_series, now) else {
                    count(&mut drops, Reason::SeriesLimit, metric.count_points());
                    continue;
                };
                Points { update, origin: &origin, keys: &mut keys, drops: &mut drops }.take(&metric, delta);
            }
        }
    }
    drops
}

/// The kind of a metric and whether its points are deltas; `None`, and counted, if it cannot be shown.
fn classify(metric: &Metric<'_>, drops: &mut Drops) -> Option<(Kind, bool)> {
    let (kind, temporality) = match metric.data() {
        Data::Empty => return None,
        Data::Gauge(_) => (Kind::Gauge, Temporality::Cumulative),
        Data::Summary(_) => (Kind::Summary, Temporality::Cumulative),
        Data::Sum { temporality, monotonic: true, .. } => (Kind::Counter, temporality),
        Data::Sum { temporality, monotonic: false, .. } => (Kind::UpDownCounter, temporality),
        Data::Histogram { temporality, .. } => (Kind::Histogram, temporality),
        Data::ExponentialHistogram { .. } => {
            count(drops, Reason::ExponentialHistogram, metric.count_points());
            return None;
        }
    };
    match (kind, temporality) {
        (_, Temporality::Unspecified) | (Kind::UpDownCounter, Temporality::Delta) => {
            count(drops, Reason::Temporality, metric.count_points());
            None
        }
        (kind, temporality) => Some((kind, temporality == Temporality::Delta)),
    }
}

fn count(drops: &mut Drops, reason: Reason, points: usize) {
    if points > 0 {
        *drops.entry(reason).or_default() += points;
    }
}

/// The points of one metric on their way into the store.
struct Points<'a> {
    update: Update<'a>,
    origin: &'a Arc<Origin>,
    keys: &'a mut KeyWriter,
    drops: &'a mut Drops,
}

impl Points<'_> {
    fn take(&mut self, metric: &Metric<'_>, delta: bool) {
        match metric.data() {
            Data::Gauge(points) | Data::Sum { points, .. } => {
                points.for_each(|point| self.put(&point.attributes(), point.no_recorded_value(), number(&point), delta));
            }
            Data::Histogram { points, .. } => {
                points.for_each(|point| self.put(&point.attributes(), point.no_recorded_value(), histogram(&point), delta));
            }
            Data::Summary(points) => {
                points.for_each(|point| self.put(&point.attributes(), point.no_recorded_value(), Some(summary(&point)), delta));
            }
            Data::Empty | Data::ExponentialHistogram { .. } => {}
        }
    }

    fn put(&mut self, attributes: &Attributes<'_>, ended: bool, point: Option<Point>, delta: bool) {
        let key = self.keys.write(self.origin.id, attributes);
        let result = match point {
            _ if ended => {
                self.update.remove(key);
                Ok(())
            }
            Some(point) => self.update.put(self.origin, key, point, delta),
            None => Err(Reason::Invalid),
        };
        if let Err(reason) = result {
            count(self.drops, reason, 1);
        }
    }
}

fn number(point: &NumberPoint<'_>) -> Option<Point> {
    let value = Value::Number(point.value?.as_f64());
    Some(Point { start: point.start_time, time: point.time, value })
}

fn histogram(point: &HistogramPoint<'_>) -> Option<Point> {
    let (bounds, counts) = (point.explicit_bounds().collect(), point.bucket_counts().collect());
    let value = Value::Histogram(Histogram::new(point.count, point.sum, bounds, counts)?);
    Some(Point { start: point.start_time, time: point.time, value })
}

fn summary(point: &SummaryPoint<'_>) -> Point {
    let value = Value::Summary { count: point.count, sum: point.sum, quantiles: point.quantiles().collect() };
    Point { start: point.start_time, time: point.time, value }
}
