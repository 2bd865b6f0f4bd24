//! Estimates with their error, and what the always-on probe gives.

use super::figures::{Interval, SiteSample, real};
use super::student;

/// Two clocks are compared and counters are read one after the other: no figure is better than this.
pub(super) const SKEW: f64 = 0.001;
/// With fewer walks their spread says nothing.
const FEWEST_WALKS: u64 = 8;
/// With fewer walks that found something there is no upper bound.
pub(super) const FEWEST_FOUND: u64 = 5;

/// A number of registrations, or of registrations per second, and the interval that holds the truth in 95 % of reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    /// The likeliest value; the lower bound if there is no upper one.
    pub(crate) value: f64,
    /// At least this.
    pub(crate) lower: f64,
    /// At most this; none if only "at least" is known.
    pub(crate) upper: Option<f64>,
}

impl Estimate {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self { value: 0.0, lower: 0.0, upper: None };
    /// There was nothing.
    pub(super) const NONE: Self = Self { value: 0.0, lower: 0.0, upper: Some(0.0) };

    /// Known but for the skew of clocks.
    pub(super) fn exact(value: f64) -> Self {
        Self { value, lower: value * (1.0 - SKEW), upper: Some(value * (1.0 + SKEW)) }
    }

    /// Known to be at least this.
    pub(super) fn at_least(lower: f64) -> Self {
        Self { value: lower, lower, upper: None }
    }

    /// Both together; errors may go the same way, so that bounds are added.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            lower: self.lower + other.lower,
            upper: self.upper.zip(other.upper).map(|(one, two)| one + two),
        }
        .settled()
    }

    /// In another unit.
    pub(super) fn times(self, factor: f64) -> Self {
        Self { value: self.value * factor, lower: self.lower * factor, upper: self.upper.map(|upper| upper * factor) }
    }

    /// In order, finite, and not below nothing.
    pub(super) fn settled(self) -> Self {
        let lower = if self.lower.is_finite() { self.lower.max(0.0) } else { 0.0 };
        let upper = self.upper.filter(|upper| upper.is_finite()).map(|upper| upper.max(lower));
        let value = if self.value.is_finite() { self.value } else { lower };
        match upper {
            Some(upper) => Self { value: value.clamp(lower, upper), lower, upper: Some(upper) },
            None => Self::at_least(lower),
        }
    }

    /// Whether a true value fits what is said.
    #[cfg(test)]
    pub(super) fn holds(self, truth: f64) -> bool {
        self.lower <= truth * (1.0 + 1e-9) && self.upper.is_none_or(|upper| truth * (1.0 - 1e-9) <= upper)
    }
}

/// Registrations of a stretch in which the probe was always on, of one site or of all.
///
/// The number of hits is exact. If all were walked, so is the number of records; otherwise it is hits times records per walk, and
/// the spread between walks says how wrong that can be.
pub(super) fn always_on(interval: &Interval, pc: Option<u64>) -> Estimate {
    if interval.hits == 0 {
        return Estimate::NONE;
    }
    let found = interval.sample(pc);
    let seen = real(found.nodes) * (1.0 - SKEW);
    if interval.sampled >= interval.hits {
        return if interval.cut == 0 { Estimate::exact(real(found.nodes)) } else { Estimate::at_least(seen) };
    }
    let Some(error) = walk_error(interval.sampled, found) else {
        return Estimate::at_least(seen);
    };
    let hits = real(interval.hits);
    let value = hits * real(found.nodes) / real(interval.sampled);
    // The walked part of the hits is known, so that only the rest is in doubt.
    let doubt = error * (1.0 - real(interval.sampled) / hits).max(0.0).sqrt();
    let (lower, upper) = spread(value, doubt);
    let upper = upper.filter(|_| interval.cut == 0 && found.frames >= FEWEST_FOUND);
    Estimate { value, lower: lower.max(seen), upper }.settled()
}

/// Half of the 95 % interval of records per walk, as a part of the mean. None if there are too few walks.
///
/// Walks that found long chains are few and may have been missed, and the spread between walks cannot know that: their number
/// has an error like that of any count of rare things.
pub(super) fn walk_error(walks: u64, found: SiteSample) -> Option<f64> {
    if walks < FEWEST_WALKS || found.nodes == 0 || found.frames == 0 {
        return None;
    }
    let (count, sum) = (real(walks), real(found.nodes));
    let mean = sum / count;
    let variance = (real(found.nodes_sq) / count - mean * mean).max(0.0) * count / (count - 1.0);
    // Few long chains carry the mean of many walks: as many walks of equal weight would know it as well.
    let carrying = (sum * sum / real(found.nodes_sq)).min(count);
    let factor = student::quantile(carrying - 1.0)?;
    Some(factor * (variance / count).sqrt() / mean)
}

/// The bounds around a value with this relative error. An error may be as large as the value, so that the upper bound is a factor
/// and the lower one a difference, whichever is wider.
pub(super) fn spread(value: f64, error: f64) -> (f64, Option<f64>) {
    let error = error.hypot(SKEW);
    (value * (1.0 - error).max(0.0), Some(value * error.exp()))
}
