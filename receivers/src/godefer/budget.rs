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
    /// Seconds that another spent and that were not paid yet, and when that was last asked.
    owed: f64,
    paid: Instant,
}

impl Budget {
    pub(super) fn new(share: f64, now: Instant) -> Self {
        Self { share, purse: share * SAVING.as_secs_f64(), counted: now, owed: 0.0, paid: now }
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

    /// Pays for another who spends of the same share and saves by itself, with half of what comes in at most: whatever that costs, the
    /// other half stays. Debt that it could not pay within [`SAVING`] is forgotten.
    pub(super) fn spend_for_another(&mut self, cost: Duration, now: Instant) {
        let half = self.share / 2.0;
        let most = now.saturating_duration_since(self.paid).as_secs_f64() * half;
        self.paid = now;
        self.owed = (self.owed + cost.as_secs_f64()).min(SAVING.as_secs_f64() * half);
        let pays = self.owed.min(most);
        self.owed -= pays;
        self.fill(now);
        self.purse -= pays;
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

    /// Seconds that looks spend in ten minutes, if each costs 20 ms and another spends so much every second.
    fn looks_beside(another: Duration) -> f64 {
        let start = Instant::now();
        let mut budget = Budget::new(0.05, start);
        let (mut now, mut spent, cost) = (start, Duration::ZERO, Duration::from_millis(20));
        let mut seconds = 0;
        while now < start + Duration::from_mins(10) {
            if now >= start + Duration::from_secs(seconds) {
                budget.spend_for_another(another, now);
                seconds += 1;
            }
            let solvent = budget.solvent_at(now);
            if solvent == now {
                budget.spend(cost, now + cost);
                spent += cost;
            }
            now = solvent.max(now + cost).min(start + Duration::from_secs(seconds));
        }
        spent.as_secs_f64()
    }

    #[test]
    fn what_another_spends_is_paid_by_looks_which_keep_half_of_the_share_whatever_that_is() {
        let (alone, beside, starved) =
            (looks_beside(Duration::ZERO), looks_beside(Duration::from_millis(10)), looks_beside(SAVING));
        assert!((29.0..31.5).contains(&alone), "{alone}");
        // 10 ms a second for ten minutes are 6 s.
        assert!((22.5..25.5).contains(&beside), "{beside}");
        assert!((14.5..16.5).contains(&starved), "{starved}");
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
