//! How much a target hits the probe, from what was counted lately.

use std::collections::VecDeque;
use std::time::Duration;

use super::figures::{Interval, real};

/// Windows that say what the next one will be like.
const RECENT: usize = 5;
/// How long the breakpoint of a window is in place before that was measured.
const RESIDENCY: Duration = Duration::from_millis(25);
/// What a walk costs before that was measured.
const WALK: Duration = Duration::from_micros(1);

/// What the last interval, or the last windows, showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Hits per second while the breakpoint was in place.
    pub(crate) hits_per_second: f64,
    /// The same in the stretch or window that had most.
    pub(crate) peak: f64,
    /// What one hit costs, walk excluded.
    pub(crate) hit: Duration,
    /// What one walk costs.
    pub(crate) walk: Duration,
    /// How long the breakpoint of a window is in place, removal included.
    pub(crate) residency: Duration,
}

impl Load {
    /// Seconds that a hit costs with its part of a walk.
    pub(super) fn each(&self, shift: u8) -> f64 {
        self.hit.as_secs_f64() + self.walk.as_secs_f64() * 0.5_f64.powi(i32::from(shift))
    }
}

/// Learns the load from what is counted.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// Hits per second of the last windows, or of the last stretch alone.
    recent: VecDeque<f64>,
    walk: Option<Duration>,
    residency: Option<Duration>,
}

impl Learned {
    /// From a stretch in which the probe was always on: only the last one counts.
    pub(crate) fn always_on(&mut self, interval: &Interval) {
        self.recent.clear();
        self.learn(interval);
    }

    /// From a window whose breakpoint was in place for so long, removal included.
    pub(crate) fn window(&mut self, inside: &Interval, residency: Duration) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.learn(inside);
        // Half of the weight on the latest: removal takes 1 to 40 ms, whatever came before.
        self.residency = Some(self.residency.map_or(residency, |before| before / 2 + residency / 2));
    }

    /// What to expect if a hit costs `hit`.
    pub(crate) fn load(&self, hit: Duration) -> Load {
        let count = real(self.recent.len() as u64).max(1.0);
        Load {
            hits_per_second: self.recent.iter().sum::<f64>() / count,
            peak: self.recent.iter().copied().fold(0.0, f64::max),
            hit,
            walk: self.walk.unwrap_or(WALK),
            residency: self.residency.unwrap_or(RESIDENCY),
        }
    }

    fn learn(&mut self, interval: &Interval) {
        let wall = interval.wall.as_secs_f64();
        if wall > 0.0 {
            self.recent.push_back(real(interval.hits) / wall);
        }
        if interval.sampled > 0 {
            self.walk = Some(interval.walk_time / u32::try_from(interval.sampled).unwrap_or(u32::MAX));
        }
    }
}
