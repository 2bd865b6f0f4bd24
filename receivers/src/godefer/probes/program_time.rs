//! What the programs cost, without the time in which the machine was somebody else's.
//!
//! They take their time from a clock that goes on while a hypervisor or an interrupt has the processor: one such pause of some
//! milliseconds is as long as a thousand walks, and would be charged as if it had been work. So times are held against those of
//! other stretches, by what there was to do.

use std::collections::VecDeque;
use std::time::Duration;

use deferd_bpf::Usage;

use super::rates::Interval;

/// Nanoseconds that a walk takes at about, and one record of it, and what is done about a panic. Only their ratio matters once
/// there are other stretches to compare with.
const WALK: f64 = 400.0;
const RECORD: f64 = 50.0;
const PANIC: f64 = 1_500.0;
/// A stretch may cost so many times what is usual; before anything is usual, so many times what is above.
const MOST: f64 = 2.0;
const MOST_AT_FIRST: f64 = 4.0;
/// Stretches that say what is usual, at least and at most.
const ENOUGH: usize = 5;
const KEPT: usize = 31;

/// What programs of one kind usually cost.
#[derive(Debug, Default)]
pub(super) struct ProgramTime {
    /// Of the latest stretches: time by what there was to do.
    recent: VecDeque<f64>,
}

/// What the programs did in a stretch, in nanoseconds that this takes at about, and how long they say that it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    about: f64,
    told: Duration,
}

impl Work {
    /// Walks of deferred calls.
    pub(super) fn walks(interval: &Interval) -> Self {
        Self { about: walks(interval.sampled, interval.nodes), told: interval.walk_time }
    }

    /// The same, as it is counted.
    pub(super) fn walks_of(usage: &Usage) -> Self {
        Self { about: walks(usage.sampled, usage.records), told: Duration::from_nanos(usage.walk_nanoseconds) }
    }

    /// Panics, recovers and what is like them.
    pub(super) fn panics_of(usage: &Usage) -> Self {
        Self { about: real(usage.panic_hits()) * PANIC, told: Duration::from_nanos(usage.panic_nanoseconds) }
    }
}

impl ProgramTime {
    /// Of the time that is told what can have been work; learns from it for the next stretch.
    pub(super) fn settle(&mut self, work: Work) -> Duration {
        let plausible = self.plausible(work);
        if work.about > 0.0 {
            if self.recent.len() >= KEPT {
                self.recent.pop_front();
            }
            self.recent.push_back(work.told.as_secs_f64() * 1e9 / work.about);
        }
        plausible
    }

    /// The same, without learning.
    pub(super) fn plausible(&self, work: Work) -> Duration {
        let most = self.usual().map_or(MOST_AT_FIRST, |usual| MOST * usual) * work.about / 1e9;
        work.told.min(Duration::try_from_secs_f64(most).unwrap_or(work.told))
    }

    fn usual(&self) -> Option<f64> {
        let mut sorted: Vec<f64> = self.recent.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().filter(|_| sorted.len() >= ENOUGH)
    }
}

fn walks(walks: u64, records: u64) -> f64 {
    real(walks).mul_add(WALK, real(records) * RECORD)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate needs no more than 53 bits of a count")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(sampled: u64, nodes: u64, walk_time: Duration) -> Work {
        Work::walks(&Interval { sampled, nodes, walk_time, ..Interval::default() })
    }

    #[test]
    fn a_pause_in_a_walk_is_not_charged_and_what_walks_cost_is() {
        let mut time = ProgramTime::default();
        let microseconds = Duration::from_micros;
        for _ in 0..10 {
            assert_eq!(time.settle(stretch(100, 1000, microseconds(110))), microseconds(110));
        }
        // The same work, and 4 ms in which the processor was somebody else's.
        assert_eq!(time.settle(stretch(100, 1000, microseconds(4110))), microseconds(220));
        // Ten times the work may take ten times as long, and more.
        assert_eq!(time.settle(stretch(1000, 10_000, microseconds(1900))), microseconds(1900));
    }

    #[test]
    fn a_pause_in_the_very_first_stretch_is_not_charged_either() {
        let told = ProgramTime::default().settle(stretch(10, 100, Duration::from_millis(50)));
        assert_eq!(told, Duration::from_micros(36));
    }

    #[test]
    fn a_machine_on_which_walks_cost_more_is_believed_after_some_stretches() {
        let mut time = ProgramTime::default();
        let told = Duration::from_millis(1);
        let charged: Vec<Duration> = (0..10).map(|_| time.settle(stretch(10, 100, told))).collect();
        assert!(charged[0] < told && charged[9] == told, "{charged:?}");
    }

    #[test]
    fn counts_that_cannot_be_are_no_panic() {
        let mut time = ProgramTime::default();
        for _ in 0..10 {
            time.settle(stretch(u64::MAX, u64::MAX, Duration::MAX));
            assert_eq!(time.settle(stretch(0, 0, Duration::from_secs(1))), Duration::ZERO);
        }
    }
}
