//! Keeping the promise of `max_target_overhead`: one arbiter for all probes of a process.
//!
//! What is allowed fills four purses, one per probe, in the order of their importance; what a full purse cannot hold goes to the
//! next. So a probe uses what the others leave, and none of them can starve another for longer than its own debt lasts: the
//! least important ones have a small income of their own. A cost is known only afterwards, so a purse may fall into debt; then
//! nothing more is granted until it is paid.
//!
//! Why the promise holds whatever costs turn out to be: the purses together hold at most [`SAVING`] seconds of income, and
//! income is such that what ten seconds bring and what was saved before make ten seconds of allowance.

use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Seconds of income that all purses together hold, so that an idle phase does not pay for a burst.
const SAVING: f64 = 2.0;
/// Over this many seconds, and more, the promise is kept.
const HORIZON: f64 = 10.0;
/// The part of the allowance that is handed out; savings make up for the rest.
const HANDED_OUT: f64 = HORIZON / (HORIZON + SAVING);
/// Seconds of CPU time that all probes of a process may cost it per second, however little it uses: so that one which sleeps can be
/// watched as well.
pub const LEAST_ALLOWANCE: f64 = 0.001;
/// Seconds over which CPU use and the pace of spending are smoothed.
const SMOOTHING: f64 = 5.0;
/// Two looks at the CPU time that are closer say nothing about use.
const SHORTEST_LOOK: f64 = 0.01;
/// Waits that [`Grant::NotBefore`] names, in seconds: not so short that asking becomes the work, and not so long that a higher
/// allowance would go unnoticed.
const WAIT: std::ops::RangeInclusive<f64> = 0.01..=10.0;
/// Part of the income that a plan can always count on.
const LEAST_AVAILABLE: f64 = 0.1;
/// Less than this is rounding, in seconds.
const ROUNDING: f64 = 1e-9;

/// What costs the target something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Panics, recovers, fatal errors, Goexit.
    Panics,
    /// Registrations, on `deferreturn`.
    Rates,
    /// Opened and closed files.
    Files,
    /// Timer samples.
    Timer,
}

impl Probe {
    /// All of them, the most important first.
    pub(crate) const ALL: [Self; 4] = [Self::Panics, Self::Rates, Self::Files, Self::Timer];

    /// The value of the attribute `deferd.probe`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Panics => "panics",
            Self::Rates => "rates",
            Self::Files => "files",
            Self::Timer => "timer",
        }
    }

    /// Seconds of income that its purse holds; together [`SAVING`].
    fn saving(self) -> f64 {
        match self {
            Self::Panics => 0.4,
            Self::Rates => 1.2,
            Self::Files | Self::Timer => 0.2,
        }
    }

    /// Part of the income that it gets before the more important ones.
    fn reserve(self) -> f64 {
        match self {
            Self::Panics | Self::Rates => 0.0,
            Self::Files | Self::Timer => 0.1,
        }
    }
}

/// The answer to a probe that wants to cost something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// Now.
    Yes,
    /// Ask again then; earlier asking gets the same answer unless the process uses more CPU.
    NotBefore(Instant),
}

#[derive(Debug)]
struct Account {
    probe: Probe,
    /// Seconds of CPU time; negative is debt.
    purse: f64,
    /// Seconds charged since it was last told.
    untold: f64,
    /// Seconds charged per second, smoothed.
    pace: f64,
}

impl Account {
    /// Puts as much into the purse as it holds, and says how much that was.
    fn take(&mut self, offered: f64, income: f64) -> f64 {
        let taken = offered.min((self.probe.saving() * income - self.purse).max(0.0));
        self.purse += taken;
        taken
    }
}

/// Grants, charges and takes back what probes may cost one process.
#[derive(Debug)]
pub(crate) struct Arbiter {
    /// Allowed share of the CPU time that the process uses.
    share: f64,
    /// Seconds of CPU time that the process uses per second, smoothed; none before the second look.
    used: Option<f64>,
    looked: Option<(Instant, Duration)>,
    accounts: [Account; 4],
    filled: Instant,
    told: Instant,
}

impl Arbiter {
    /// `share` is `max_target_overhead`, 0.01 for 1 %. Purses start full.
    pub(crate) fn new(share: f64, now: Instant) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let accounts = Probe::ALL.map(|probe| Account { probe, purse: f64::INFINITY, untold: 0.0, pace: 0.0 });
        let mut arbiter = Self { share, used: None, looked: None, accounts, filled: now, told: now };
        arbiter.trim();
        arbiter
    }

    /// Another share from now on, after a reload. Debt stays.
    pub(crate) fn set_share(&mut self, share: f64, now: Instant) {
        self.fill(now);
        self.share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        self.trim();
    }

    /// Takes note of the CPU time that the process has used since it started. A total that went back starts the count anew.
    pub(crate) fn observe_cpu(&mut self, now: Instant, total: Duration) {
        self.fill(now);
        let Some((when, before)) = self.looked else {
            self.looked = Some((now, total));
            return;
        };
        let elapsed = now.saturating_duration_since(when).as_secs_f64();
        let Some(used) = total.checked_sub(before) else {
            self.looked = Some((now, total));
            return;
        };
        if elapsed < SHORTEST_LOOK {
            return;
        }
        self.looked = Some((now, total));
        let latest = used.as_secs_f64() / elapsed;
        let weight = 1.0 - (-elapsed / SMOOTHING).exp();
        self.used = Some(self.used.map_or(latest, |smoothed| weight.mul_add(latest - smoothed, smoothed)));
        self.trim();
    }

    /// Seconds of CPU time that all probes together may cost per second.
    pub(crate) fn allowance(&self) -> f64 {
        (self.share * self.used.unwrap_or(0.0)).max(LEAST_ALLOWANCE)
    }

    /// Seconds of CPU time per second that a probe can count on while the others go on as they do. What is less important counts only as far as it has an income of its own. Never nothing: a plan needs something to divide.
    pub(crate) fn available(&mut self, probe: Probe, now: Instant) -> f64 {
        self.fill(now);
        let income = self.income();
        let mut left = income;
        let mut more_important = true;
        for account in &self.accounts {
            if account.probe == probe {
                more_important = false;
            } else {
                let own = if more_important { income } else { account.probe.reserve() * income };
                left -= account.pace.min(own);
            }
        }
        left.max(LEAST_AVAILABLE * income)
    }

    /// Books what a probe has cost.
    pub(crate) fn charge(&mut self, probe: Probe, cost: Duration, now: Instant) {
        self.fill(now);
        let cost = cost.as_secs_f64();
        if let Some(account) = self.account(probe) {
            account.purse -= cost;
            account.untold += cost;
            account.pace += cost / SMOOTHING;
        }
    }

    /// Whether something may be started that is expected to cost so much in all. What costs more than a purse holds is granted
    /// when the purse is full, and the debt is paid afterwards.
    pub(crate) fn grant(&mut self, probe: Probe, expected: Duration, now: Instant) -> Grant {
        self.fill(now);
        let income = self.income();
        let together: f64 = self.accounts.iter().map(|account| account.purse).sum();
        let purse = self.account(probe).map_or(0.0, |account| account.purse);
        let missing = (expected.as_secs_f64().min(probe.saving() * income) - purse).max(-together);
        if missing <= ROUNDING {
            return Grant::Yes;
        }
        Grant::NotBefore(now + Duration::from_secs_f64((missing / income).clamp(*WAIT.start(), *WAIT.end())))
    }

    /// Whether a probe is in debt. One that is always on has to go then: it has used up its savings and costs more than it gets.
    /// It may come back when it is granted again.
    pub(crate) fn must_shed(&mut self, probe: Probe, now: Instant) -> bool {
        self.fill(now);
        self.account(probe).is_some_and(|account| account.purse < -ROUNDING)
    }

    /// The share of one CPU that each probe has cost since this was last asked: `deferd.target.overhead`.
    pub(crate) fn spent(&mut self, now: Instant) -> [(Probe, f64); 4] {
        let elapsed = now.saturating_duration_since(self.told).as_secs_f64();
        if elapsed <= 0.0 {
            return Probe::ALL.map(|probe| (probe, 0.0));
        }
        self.told = now;
        self.accounts.each_mut().map(|account| (account.probe, std::mem::take(&mut account.untold) / elapsed))
    }

    fn income(&self) -> f64 {
        self.allowance() * HANDED_OUT
    }

    fn account(&mut self, probe: Probe) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.probe == probe)
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        if elapsed <= 0.0 {
            return;
        }
        self.filled = now;
        let income = self.income();
        let mut rest = income * elapsed;
        for account in &mut self.accounts {
            rest -= account.take(account.probe.reserve() * income * elapsed, income);
        }
        for account in &mut self.accounts {
            rest -= account.take(rest.max(0.0), income);
            account.pace *= (-elapsed / SMOOTHING).exp();
        }
    }

    /// Savings made under a higher allowance are void.
    fn trim(&mut self) {
        let income = self.income();
        for account in &mut self.accounts {
            account.purse = account.purse.min(account.probe.saving() * income);
        }
    }
}
