//! Keeping the promise of `max_agent_cpu`.

use std::time::{Duration, Instant};

/// Unspent time is saved up for at most this long, so that a long idle phase does not pay for a burst.
const SAVING: Duration = Duration::from_secs(10);

/// A purse of CPU time that fills at a constant rate. Spending more than is in it is possible, because a cost is known only
/// afterwards; then the next expense waits until the debt is paid.
#[derive(Debug)]
pub(super) struct Budget {
    /// Seconds of CPU time per second.
    share: f64,
    /// Seconds in the purse; negative is debt.
    purse: f64,
    counted: Instant,
}

impl Budget {
    pub(super) fn new(share: f64, now: Instant) -> Self {
        Self { share, purse: share * SAVING.as_secs_f64(), counted: now }
    }

    /// Another share from now on. Debt stays.
    pub(super) fn set_share(&mut self, share: f64, now: Instant) {
        self.fill(now);
        self.share = share;
        self.purse = self.purse.min(share * SAVING.as_secs_f64());
    }

    pub(super) fn spend(&mut self, cost: Duration, now: Instant) {
        self.fill(now);
        self.purse -= cost.as_secs_f64();
    }

    /// When something may be spent again: now, or when the debt is paid.
    pub(super) fn solvent_at(&mut self, now: Instant) -> Instant {
        self.fill(now);
        if self.purse >= 0.0 {
            return now;
        }
        now + Duration::try_from_secs_f64(-self.purse / self.share).unwrap_or(Duration::MAX).min(Duration::from_hours(1))
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.purse = elapsed.mul_add(self.share, self.purse).min(self.share * SAVING.as_secs_f64());
        self.counted = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_look_costs_the_share_is_kept_over_time() {
        let start = Instant::now();
        let mut budget = Budget::new(0.05, start);
        let (mut now, mut spent) = (start, Duration::ZERO);
        let end = start + Duration::from_mins(10);
        while now < end {
            let cost = Duration::from_millis(400);
            spent += cost;
            budget.spend(cost, now + cost);
            now = budget.solvent_at(now + cost);
        }
        let share = spent.as_secs_f64() / now.duration_since(start).as_secs_f64();
        assert!((0.045..=0.0525).contains(&share), "{share}");
    }

    #[test]
    fn cheap_looks_never_wait() {
        let start = Instant::now();
        let mut budget = Budget::new(0.05, start);
        for second in 1..1000 {
            let now = start + Duration::from_secs(second);
            budget.spend(Duration::from_millis(10), now);
            assert_eq!(budget.solvent_at(now), now);
        }
    }
}
