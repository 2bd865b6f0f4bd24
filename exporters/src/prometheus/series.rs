//! One series: its latest point, and how it follows the one before.

use std::sync::Arc;
use std::time::Instant;

use deferd_component::telemetry::MetricKind;
use deferd_pdata::metrics::Quantile;

use super::origin::Origin;

/// What kind of metric a series belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Gauge,
    UpDownCounter,
    Counter,
    Histogram,
    Summary,
}

/// Why a point was not taken. The names are label values of `deferd_dropped_items`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// `max_series` series are there already.
    SeriesLimit,
    /// A later point of the series is there already, or a delta that overlaps this one.
    OutOfOrder,
    /// Neither cumulative nor delta, or a delta of something that also shrinks.
    Temporality,
    /// Only Prometheus' binary format can say it.
    ExponentialHistogram,
    /// A point without value, or with buckets that are none.
    Invalid,
}

/// A point's times in nanoseconds since the epoch, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) start: u64,
    pub(super) time: u64,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Histogram(Histogram),
    Summary { count: u64, sum: f64, quantiles: Box<[Quantile]> },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    /// Strictly ascending.
    pub(super) bounds: Box<[f64]>,
    /// One more than there are bounds, or none.
    pub(super) counts: Box<[u64]>,
}

/// A series as it stands.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) origin: Arc<Origin>,
    pub(super) point: Point,
    pub(super) updated: Instant,
}

impl Kind {
    pub(super) const fn shown(self) -> MetricKind {
        match self {
            Self::Gauge | Self::UpDownCounter => MetricKind::Gauge,
            Self::Counter => MetricKind::Counter,
            Self::Histogram => MetricKind::Histogram,
            Self::Summary => MetricKind::Summary,
        }
    }
}

impl Reason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::SeriesLimit => "series_limit",
            Self::OutOfOrder => "out_of_order",
            Self::Temporality => "temporality",
            Self::ExponentialHistogram => "exponential_histogram",
            Self::Invalid => "invalid",
        }
    }

    /// What to know about it, said once in the log.
    pub(super) const fn explanation(self) -> &'static str {
        match self {
            Self::SeriesLimit => {
                "there are `max_series` series already (or too many bytes of labels); points of new ones are dropped"
            }
            Self::OutOfOrder => "points that are older than the last of their series are dropped",
            Self::Temporality => {
                "sums and histograms that are neither cumulative nor delta are dropped, and deltas of sums that also shrink"
            }
            Self::ExponentialHistogram => "exponential histograms are dropped: the text format cannot say them",
            Self::Invalid => "points without a value, or with bounds that do not fit their buckets, are dropped",
        }
    }
}

impl Point {
    /// What stands after `next`. Cumulative points replace; a delta that begins where this point ends is added, one that begins
    /// later is a reset, as in the Collector.
    pub(super) fn followed_by(&self, next: Self, delta: bool) -> Result<Self, Reason> {
        let aligned = next.start == self.time;
        let out_of_order = match next.value {
            Value::Histogram(_) if delta => next.start < self.time,
            _ => next.time < self.time,
        };
        if out_of_order {
            return Err(Reason::OutOfOrder);
        }
        if !(delta && aligned) {
            return Ok(next);
        }
        let value = match (&self.value, next.value) {
            (Value::Number(before), Value::Number(more)) => Value::Number(before + more),
            (Value::Histogram(before), Value::Histogram(more)) => Value::Histogram(before.plus(more)),
            (_, value) => value,
        };
        Ok(Self { start: self.start, time: next.time, value })
    }

    /// Memory beside the struct itself, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        match &self.value {
            Value::Number(_) => 0,
            Value::Histogram(histogram) => 8 * (histogram.bounds.len() + histogram.counts.len()),
            Value::Summary { quantiles, .. } => 16 * quantiles.len(),
        }
    }
}

impl Histogram {
    /// `None` if the bounds do not fit the counts or do not ascend.
    pub(super) fn new(count: u64, sum: Option<f64>, bounds: Vec<f64>, counts: Vec<u64>) -> Option<Self> {
        let fits = counts.is_empty() && bounds.is_empty() || counts.len() == bounds.len() + 1;
        let ascends = bounds.iter().zip(bounds.iter().skip(1)).all(|(lower, upper)| lower < upper);
        let sound = fits && ascends && !bounds.iter().any(|bound| bound.is_nan());
        sound.then(|| Self { count, sum, bounds: bounds.into(), counts: counts.into() })
    }

    /// With other bounds than before, the new figures stand alone.
    fn plus(&self, more: Self) -> Self {
        if self.bounds != more.bounds || self.counts.len() != more.counts.len() {
            return more;
        }
        let counts = self.counts.iter().zip(&more.counts).map(|(a, b)| a.saturating_add(*b)).collect();
        let sum = self.sum.zip(more.sum).map(|(a, b)| a + b);
        Self { count: self.count.saturating_add(more.count), sum, bounds: more.bounds, counts }
    }

    /// Values up to each bound, and the count of all, which is never below them.
    pub(super) fn cumulative(&self) -> (Vec<u64>, u64) {
        let mut sum = 0_u64;
        let counts = self.counts.iter().take(self.bounds.len());
        let cumulative: Vec<u64> = counts
            .map(|count| {
                sum = sum.saturating_add(*count);
                sum
            })
            .collect();
        (cumulative, self.count.max(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(start: u64, time: u64, value: f64) -> Point {
        Point { start, time, value: Value::Number(value) }
    }

    fn histogram(start: u64, time: u64, bound: f64, counts: [u64; 2]) -> Point {
        let value = Histogram::new(counts.iter().sum(), Some(1.5), vec![bound], counts.to_vec()).unwrap();
        Point { start, time, value: Value::Histogram(value) }
    }

    #[test]
    fn cumulative_points_replace_and_older_ones_are_dropped() {
        let first = number(1, 10, 5.0);
        assert_eq!(first.followed_by(number(1, 10, 6.0), false), Ok(number(1, 10, 6.0)));
        assert_eq!(first.followed_by(number(1, 9, 6.0), false), Err(Reason::OutOfOrder));
    }

    #[test]
    fn deltas_are_added_when_they_are_adjacent_and_reset_otherwise() {
        let first = number(1, 10, 5.0);
        assert_eq!(first.followed_by(number(10, 20, 2.0), true), Ok(number(1, 20, 7.0)));
        assert_eq!(first.followed_by(number(12, 20, 2.0), true), Ok(number(12, 20, 2.0)));
        let first = histogram(1, 10, 0.5, [1, 2]);
        let Ok(Point { value: Value::Histogram(sum), start: 1, .. }) = first.followed_by(histogram(10, 20, 0.5, [3, 4]), true)
        else {
            panic!("not added");
        };
        assert_eq!((&*sum.counts, sum.count, sum.sum), (&[4, 6][..], 10, Some(3.0)));
        assert_eq!(first.followed_by(histogram(9, 20, 0.5, [3, 4]), true), Err(Reason::OutOfOrder));
        let other = first.followed_by(histogram(10, 20, 0.7, [3, 4]), true).unwrap();
        assert_eq!(other.value, histogram(10, 20, 0.7, [3, 4]).value);
    }

    #[test]
    fn buckets_that_are_none_are_refused() {
        let new = |bounds: &[f64], counts: &[u64]| Histogram::new(1, None, bounds.to_vec(), counts.to_vec()).is_some();
        assert!(new(&[], &[]) && new(&[], &[1]) && new(&[1.0, 2.0], &[0, 1, 0]));
        assert!(!new(&[1.0], &[]) && !new(&[1.0, 1.0], &[0, 1, 0]) && !new(&[f64::NAN], &[0, 1]) && !new(&[2.0], &[1]));
    }

    #[test]
    fn the_count_is_never_below_the_buckets() {
        let histogram = Histogram::new(1, None, vec![1.0, 2.0], vec![2, u64::MAX, 0]).unwrap();
        assert_eq!(histogram.cumulative(), (vec![2, u64::MAX], u64::MAX));
    }
}
