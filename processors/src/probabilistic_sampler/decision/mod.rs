//! Whether an item stays, from what it brings along. Pure, and the same for every signal: a signal says only where these things
//! are in its items, and writes down what was decided.
//!
//! Decisions agree bit for bit with the Collector's processor of the same name.

mod hash;
#[cfg(test)]
mod tests;
pub(super) mod threshold;

use threshold::{MIN_PROBABILITY, Randomness, Threshold, is_trace_id};

/// What happens to the share of items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sampler {
    /// Nothing stays, but for items with a priority of their own.
    Never,
    /// By the hash of trace id or attribute.
    Hash {
        seed: u32,
        /// Whether the trace id is hashed, if there is one.
        trace_id: bool,
        threshold: Threshold,
    },
    /// Items end at this threshold; one that was sampled more strictly before stays as it is.
    Equalizing(Threshold),
    /// Items end at this share of what they had.
    Proportional { ratio: f64, precision: usize },
}

/// What an item says about sampling before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Arriving {
    /// Threshold it passed before.
    pub(super) threshold: Option<Threshold>,
    /// Randomness to decide by.
    pub(super) randomness: Option<Randomness>,
    /// One of the two is there but cannot be read.
    pub(super) malformed: bool,
}

/// What is decided about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    /// Whether it stays.
    pub(super) stays: bool,
    /// Threshold to write into an item that stays.
    pub(super) threshold: Option<Threshold>,
    /// Randomness to write into an item that stays.
    pub(super) randomness: Option<Randomness>,
}

/// Randomness of an item, and what of `Arriving` still counts.
struct Basis {
    /// `None`: missing.
    randomness: Option<Randomness>,
    /// The threshold that it passed before, which a new one is compared with.
    passed: Option<Threshold>,
    /// Whether what is decided may be written into the item. What cannot be read, or is not for this mode, is left alone.
    writable: bool,
    /// Randomness to be written.
    written: Option<Randomness>,
    /// What arrived is malformed, or is not for this mode.
    failed: bool,
}

impl Sampler {
    /// Keeps `percent` of the items; above 100 is 100.
    pub(super) fn hash(percent: f32, seed: u32, trace_id: bool) -> Self {
        hash::threshold(percent.min(100.0)).map_or(Self::Never, |threshold| Self::Hash { seed, trace_id, threshold })
    }

    /// Brings items to `percent`; above 100 is 100.
    pub(super) fn equalizing(percent: f32, precision: usize) -> Self {
        match ratio(percent).map(|ratio| Threshold::from_probability(ratio, precision)) {
            None => Self::Never,
            // A ratio is within the range that can be expressed.
            Some(threshold) => Self::Equalizing(threshold.unwrap_or(Threshold::ALWAYS)),
        }
    }

    /// Keeps `percent` of the items, whatever was kept of them before; above 100 is 100.
    pub(super) fn proportional(percent: f32, precision: usize) -> Self {
        ratio(percent).map_or(Self::Never, |ratio| Self::Proportional { ratio, precision })
    }

    /// Decides about one item.
    ///
    /// `attribute` is hashed if there is no trace id to hash; `priority` is the item's own threshold, which wins over everything. An item
    /// without randomness, with malformed information or with a threshold that it cannot have passed is dropped if
    /// `fail_closed`, and else stays.
    pub(super) fn decide(
        &self,
        arriving: Arriving,
        trace_id: &[u8],
        attribute: impl FnOnce() -> Option<Randomness>,
        priority: Option<Threshold>,
        fail_closed: bool,
    ) -> Decision {
        let Basis { randomness, mut passed, writable, written, mut failed } = self.basis(arriving, trace_id, attribute);
        if !failed {
            failed = randomness.is_none();
            if let (Some(randomness), Some(claimed)) = (randomness, passed)
                && !claimed.keeps(randomness)
            {
                // It cannot have passed this; if it stays, the claim does not.
                passed = None;
                failed = true;
            }
        }
        let threshold = priority.unwrap_or_else(|| match (failed, fail_closed) {
            (true, true) => Threshold::NEVER,
            (true, false) => Threshold::ALWAYS,
            (false, _) => self.threshold(passed),
        });
        let stays = threshold.keeps(randomness.unwrap_or(Randomness::MAX));
        // A threshold may rise and never fall: what was lost before does not come back.
        let rises = passed.is_none_or(|passed| threshold >= passed);
        Decision { stays, threshold: (writable && rises).then_some(threshold), randomness: written }
    }

    fn basis(&self, arriving: Arriving, trace_id: &[u8], attribute: impl FnOnce() -> Option<Randomness>) -> Basis {
        let Arriving { threshold, randomness, malformed } = arriving;
        match *self {
            Self::Never => {
                Basis { randomness: Some(Randomness::MAX), passed: threshold, writable: true, written: None, failed: malformed }
            }
            Self::Hash { seed, trace_id: by_trace_id, .. } => {
                let by_trace_id = by_trace_id && is_trace_id(trace_id);
                let hashed = if by_trace_id { Some(hash::randomness(seed, trace_id)) } else { attribute() };
                // Whoever set these samples by another method, with which this one does not mix.
                let failed = malformed || randomness.is_some() || threshold.is_some();
                Basis { randomness: hashed, passed: None, writable: !failed, written: hashed.filter(|_| !failed), failed }
            }
            Self::Equalizing(_) | Self::Proportional { .. } if malformed => {
                Basis { randomness: None, passed: None, writable: false, written: None, failed: true }
            }
            Self::Equalizing(_) | Self::Proportional { .. } => {
                let randomness = randomness.or_else(|| Randomness::of_trace_id(trace_id));
                Basis { randomness, passed: threshold, writable: true, written: None, failed: false }
            }
        }
    }

    fn threshold(&self, passed: Option<Threshold>) -> Threshold {
        match *self {
            Self::Never => Threshold::NEVER,
            Self::Hash { threshold, .. } => threshold,
            Self::Equalizing(threshold) => passed.map_or(threshold, |passed| passed.max(threshold)),
            Self::Proportional { ratio, precision } => {
                let share = passed.map_or(1.0, Threshold::probability) * ratio;
                // Below what can be expressed is nothing.
                Threshold::from_probability(share, precision).unwrap_or(Threshold::NEVER)
            }
        }
    }

    /// The randomness of an attribute's bytes, if this mode hashes them.
    pub(super) fn hash_of(&self, bytes: &[u8]) -> Option<Randomness> {
        match *self {
            Self::Hash { seed, .. } if !bytes.is_empty() => Some(hash::randomness(seed, bytes)),
            _ => None,
        }
    }
}

/// The share, or `None` for nothing at all.
fn ratio(percent: f32) -> Option<f64> {
    (percent > 0.0).then(|| (f64::from(percent.min(100.0)) / 100.0).max(MIN_PROBABILITY))
}
