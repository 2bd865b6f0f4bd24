//! Holding what was reported to what the program counts itself.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use super::leaky::Counters;

/// Readings kept: a minute of them at ten a second, many times the time a look takes to arrive.
const KEPT: usize = 600;
/// A look takes a few milliseconds from its time on, which is told to the millisecond: only what the program counts after this
/// is certainly no less than what was seen.
const LOOK: Duration = Duration::from_millis(100);

/// What the program counted, and when it was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Before it was asked.
    pub(super) begun: SystemTime,
    /// After it had answered.
    pub(super) ended: SystemTime,
    /// What it said.
    pub(super) counters: Counters,
}

/// The bounds between which the truth lay at a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Pending for certain before the look.
    pub(super) low: u64,
    /// Pending at most after the look.
    pub(super) high: u64,
}

/// Readings, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Reading>);

impl History {
    /// Adds the newest reading.
    pub(super) fn add(&mut self, reading: Reading) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(reading);
    }

    /// The bounds at a look, from the last reading that had ended before and the first that began after. `None` while there is
    /// no such pair.
    pub(super) fn bounds(&self, taken: SystemTime) -> Option<Bounds> {
        let over = taken.checked_add(LOOK)?;
        let before = self.0.iter().rev().find(|reading| reading.ended <= taken)?;
        let after = self.0.iter().find(|reading| reading.begun >= over)?;
        Some(Bounds { low: before.counters.pending, high: after.counters.pending_at_most })
    }

    /// Whether a look at `taken` can have bounds some time: those before the first reading never will.
    pub(super) fn covers(&self, taken: SystemTime) -> bool {
        self.0.front().is_some_and(|first| first.ended <= taken)
    }
}

impl Bounds {
    /// Whether what was reported can be true.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub(super) fn hold(self, reported: f64) -> bool {
        self.low as f64 <= reported && reported <= self.high as f64
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    fn reading(begun: u64, pending: u64) -> Reading {
        let counters = Counters { pending, pending_at_most: pending + 1 };
        Reading { begun: at(begun), ended: at(begun + 5), counters }
    }

    #[test]
    fn a_look_lies_between_the_readings_that_certainly_came_before_and_after() {
        let mut history = History::default();
        for (begun, pending) in [(0, 10), (100, 14), (200, 18), (300, 22)] {
            history.add(reading(begun, pending));
        }
        assert_eq!(history.bounds(at(150)), Some(Bounds { low: 14, high: 23 }), "the reading at 200 may overlap the look");
        assert_eq!(history.bounds(at(250)), None, "no reading began after the look yet");
        assert_eq!(history.bounds(at(4)), None);
        assert!(!history.covers(at(4)) && history.covers(at(250)));
    }

    #[test]
    fn both_bounds_are_possible_truths() {
        let bounds = Bounds { low: 14, high: 23 };
        assert!(bounds.hold(14.0) && bounds.hold(23.0));
        assert!(!bounds.hold(13.0) && !bounds.hold(24.0));
    }
}
