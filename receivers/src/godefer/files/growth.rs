//! Whether a number of open files grows, and how fast.
//!
//! Not the totals are compared but their floors, the least in each two seconds: a file that is opened and closed lifts a total for a
//! moment, one that is forgotten lifts the floor for good.

use std::collections::VecDeque;
use std::time::Instant;

use deferd_component::trend::Slopes;

/// How far back it is looked.
const WINDOW: f64 = 60.0;
/// Seconds that share one floor.
const SLOT: f64 = 2.0;
/// Floors that make a rate.
const FEWEST: usize = 6;
/// Seconds of growth before it is called so.
const SPAN: f64 = 20.0;
/// Rises are awaited this many times as long as they were apart before: after that, the growth has ended.
const PATIENCE: usize = 2;
/// How far below the highest floor the last one may be, in parts of it.
const NEAR_TOP: f64 = 0.98;

/// The floors of the last minute.
#[derive(Debug, Default)]
pub(super) struct Growth {
    begun: Option<Instant>,
    floors: VecDeque<Floor>,
}

#[derive(Debug, Clone, Copy)]
struct Floor {
    /// When its two seconds began, counted from the first of all.
    at: f64,
    least: f64,
}

impl Growth {
    /// Adds a count.
    #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 files")]
    pub(super) fn push(&mut self, now: Instant, total: u64) {
        let at = now.saturating_duration_since(*self.begun.get_or_insert(now)).as_secs_f64();
        let total = total as f64;
        match self.floors.back_mut() {
            Some(last) if at - last.at < SLOT => last.least = last.least.min(total),
            _ => self.floors.push_back(Floor { at, least: total }),
        }
        while self.floors.front().is_some_and(|first| at - first.at > WINDOW) {
            self.floors.pop_front();
        }
    }

    /// Files per second, by the median of the slopes between all floors. `None` until there are enough of them.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.floors.len() >= FEWEST).then(|| self.slopes().median())?
    }

    /// Whether there are more and more, for 20 s or longer and still now: three quarters of all pairs of floors go up, the last floor
    /// is about the highest, and no rise is overdue. A pool that has filled up is silent after four floors without a rise.
    pub(super) fn is_growing(&self) -> bool {
        let (Some(first), Some(last)) = (self.floors.front(), self.floors.back()) else { return false };
        if last.at - first.at < SPAN || !self.is_rising() {
            return false;
        }
        let highest = self.floors.iter().map(|floor| floor.least).fold(0.0, f64::max);
        last.least >= highest * NEAR_TOP && self.slopes().lower_quartile().is_some_and(|slope| slope > 0.0)
    }

    /// Whether the last of at least two rises above all before it is no longer ago than their distances allow.
    fn is_rising(&self) -> bool {
        let mut highest = f64::INFINITY;
        let mut rises = Vec::new();
        for (index, floor) in self.floors.iter().enumerate() {
            if floor.least > highest {
                rises.push(index);
            }
            highest = if index == 0 { floor.least } else { highest.max(floor.least) };
        }
        let (Some(first), Some(last)) = (rises.first(), rises.last()) else { return false };
        let gaps = rises.len() - 1;
        // As integers: quiet <= PATIENCE * (last - first) / gaps.
        let quiet = self.floors.len() - 1 - last;
        gaps > 0 && quiet * gaps <= PATIENCE * (last - first)
    }

    fn slopes(&self) -> Slopes {
        Slopes::between(&self.floors.iter().map(|floor| (floor.at, floor.least)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

    /// The answer after each second of three minutes.
    fn answers(total: impl Fn(u32) -> u64) -> Vec<bool> {
        let (start, mut growth) = (Instant::now(), Growth::default());
        let mut ask = |second| {
            growth.push(start + SECOND * second, total(second));
            growth.is_growing()
        };
        (0..180).map(&mut ask).collect()
    }

    fn first(answers: &[bool]) -> Option<usize> {
        answers.iter().position(|growing| *growing)
    }

    #[test]
    fn a_leak_is_recognised_within_half_a_minute_and_stays_so() {
        let leak = answers(|second| 100 + u64::from(second) * 5);
        let begin = first(&leak).unwrap();
        assert!(begin <= 25, "{begin}");
        assert!(leak[begin..].iter().all(|growing| *growing));
    }

    #[test]
    fn a_leak_of_one_file_in_ten_seconds_is_recognised_within_a_minute_and_stays_so() {
        let leak = answers(|second| 100 + u64::from(second) / 10);
        let begin = leak.iter().rposition(|growing| !growing).unwrap() + 1;
        assert!(begin <= 60, "{begin}");
    }

    #[test]
    fn a_pool_is_silent_ten_seconds_after_it_has_filled_up() {
        for (rate, full) in [(50, 40), (500, 4), (20, 100), (40, 50)] {
            let pool = answers(|second| 10 + u64::from(second.min(full)) * rate);
            let after = full as usize + 10;
            assert!(pool[after..].iter().all(|growing| !growing), "{rate} a second");
        }
    }

    #[test]
    fn a_sawtooth_is_not_growth() {
        let short = answers(|second| 100 + u64::from(second % 15) * 10);
        assert_eq!(first(&short), None);
        // Of a long one, the first tooth cannot be told from a leak.
        let long = answers(|second| 100 + u64::from(second % 40) * 10);
        assert!(long[41..].iter().all(|growing| !growing));
    }

    #[test]
    fn noise_is_not_growth_and_does_not_hide_it() {
        for seed in 0..50 {
            let noise = |second: u32| u64::from((second + seed * 7919).wrapping_mul(2_654_435_761) >> 16) % 60;
            let quiet = answers(|second| 200 + noise(second));
            let alarms = quiet.iter().filter(|growing| **growing).count();
            assert_eq!(alarms, 0, "seed {seed}");
            let leak = answers(|second| 200 + noise(second) + u64::from(second) * 5);
            let recognised = leak[40..].iter().filter(|growing| **growing).count();
            assert!(recognised >= 120, "seed {seed}: {recognised} of 140");
        }
    }

    #[test]
    fn a_step_is_not_growth() {
        for second_step in [41, 43, 50] {
            let step = answers(|second| 100 + 900 * u64::from(second >= 40) + 300 * u64::from(second >= second_step));
            assert_eq!(first(&step), None, "{second_step}");
        }
    }

    #[test]
    fn the_rate_is_that_of_the_floor() {
        let (start, mut growth) = (Instant::now(), Growth::default());
        for second in 0..60 {
            // Half of the time, 40 more are open.
            growth.push(start + SECOND * second, 100 + u64::from(second) * 3 + 40 * u64::from(second % 2));
            assert_eq!(growth.rate().is_some(), second >= 10);
        }
        assert!((growth.rate().unwrap() - 3.0).abs() < 0.1, "{:?}", growth.rate());
        assert!(growth.floors.len() <= 31);
    }
}
