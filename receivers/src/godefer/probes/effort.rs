//! What probing costs deferd itself.

use std::time::{Duration, Instant};

use deferd_goproc::target::cpu_time;
use deferd_goproc::walk::thread_cpu;

use super::super::budget::Budget;

/// The CPU time of the thread that probes and of the process that places and removes for it, and what of it may be spent: half of what
/// deferd may spend on looking. Only windows can wait for that; what is in place is to be read.
#[derive(Debug)]
pub(super) struct Effort {
    budget: Budget,
    keeper: Option<u32>,
    /// At the beginning: loading and trying the programs, which is done once, is not counted.
    began: Duration,
    spent: Duration,
}

impl Effort {
    /// Counts from now on, for the thread that calls and that keeper.
    pub(super) fn new(share: f64, keeper: Option<u32>, now: Instant) -> Self {
        let mut new = Self { budget: Budget::new(share / 2.0, now), keeper, began: Duration::ZERO, spent: Duration::ZERO };
        new.began = new.all();
        new
    }

    pub(super) fn set_share(&mut self, share: f64, now: Instant) {
        self.budget.set_share(share / 2.0, now);
    }

    /// Charges what was spent since the last time, and returns what was spent in all.
    pub(super) fn settle(&mut self, now: Instant) -> Duration {
        let all = self.all().saturating_sub(self.began);
        self.budget.spend(all.saturating_sub(self.spent), now);
        self.spent = self.spent.max(all);
        self.spent
    }

    /// When there may be windows again: now, or later.
    pub(super) fn solvent_at(&mut self, now: Instant) -> Instant {
        self.budget.solvent_at(now)
    }

    fn all(&self) -> Duration {
        thread_cpu() + self.keeper.and_then(cpu_time).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work_until(done: impl Fn() -> bool) {
        let begin = Instant::now();
        while !done() {
            assert!(begin.elapsed() < Duration::from_secs(30));
        }
    }

    #[test]
    fn work_of_both_is_counted_and_windows_wait_for_it_to_be_paid() {
        // Any process that works.
        let mut other = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let now = Instant::now();
        let mut effort = Effort::new(0.002, Some(other.id()), now);
        assert_eq!(effort.solvent_at(now), now);
        let (own, others) = (thread_cpu(), cpu_time(other.id()).unwrap());
        work_until(|| {
            thread_cpu() > own + Duration::from_millis(20) && cpu_time(other.id()).unwrap() > others + Duration::from_millis(20)
        });
        let both = effort.settle(now);
        assert!(both >= Duration::from_millis(35), "{both:?}");
        // 10 ms were saved, and a second brings 1 ms.
        let waits = effort.solvent_at(now).duration_since(now).as_secs_f64();
        assert!((waits - (both.as_secs_f64() - 0.01) / 0.001).abs() < 0.01, "{waits}");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
