//! From measured values to "firing": how long a limit was passed, how long it was not, and damping of what flaps.
//!
//! A rule has up to three levels, one per severity. Each is off, pending (its limit is passed, not yet for long enough) or on (until
//! the value is back on the clear side). What fires is the most severe level that is on. Levels are remembered by severity, so that a
//! reload that adds or removes one leaves the others as they are.

use super::rule::{Level, Timing};

/// Most levels of a rule: one per severity.
pub(super) const MAX_LEVELS: usize = 3;

/// An alert that fires again within so many seconds after it was resolved flaps.
const FLAP_MEMORY: f64 = 600.0;
/// How long the value has to stay on the clear side after the first flap, if the rule does not ask for longer; each further flap
/// doubles it.
const FLAP_CLEAR: f64 = 10.0;
/// Doublings end here: at most 32 times as long.
const MAX_FLAPS: u8 = 6;

/// The state of one rule on one series.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    levels: [State; MAX_LEVELS],
    /// The level that fires, if one does.
    firing: Option<Firing>,
    flaps: u8,
    resolved_at: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Off,
    Pending {
        since: Moment,
    },
    On {
        since: Moment,
        /// What was passed. A reload may set another limit.
        limit: f64,
        /// Since when the value has been on the clear side without a break.
        clear_since: Option<f64>,
    },
}

/// An instant in the time of the series, and on the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Moment {
    /// Seconds in the time of the series.
    pub(super) at: f64,
    /// Nanoseconds since the epoch.
    pub(super) time: u64,
}

/// What fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Firing {
    /// Index of the level in the rule.
    pub(super) level: usize,
    /// When its condition first held.
    pub(super) since: Moment,
}

impl Condition {
    /// Judges a measured value. Returns what fires now.
    pub(super) fn judge(&mut self, value: f64, now: Moment, levels: &[Level], timing: Timing) -> Option<Firing> {
        let clear_for = self.clear_for(timing, now.at);
        self.adopt(levels);
        for (slot, state) in self.levels.iter_mut().enumerate() {
            *state = match levels.iter().find(|level| level.slot() == slot) {
                Some(level) => state.next(value, now, level, timing.hold, clear_for),
                None => State::Off,
            };
        }
        let before = self.firing;
        // Levels are in ascending order of severity.
        let on = |(index, level): (usize, &Level)| self.levels.get(level.slot())?.firing(index);
        self.firing = levels.iter().enumerate().rev().find_map(on);
        self.remember(before, now.at);
        self.firing
    }

    /// Where a rule's only level has got another severity, it goes on under that.
    fn adopt(&mut self, levels: &[Level]) {
        let [only] = levels else { return };
        let others = || (0..MAX_LEVELS).filter(|slot| *slot != only.slot());
        let known = others().rev().find_map(|slot| self.levels.get(slot).copied().filter(|state| *state != State::Off));
        if let (Some(known), Some(place @ State::Off)) = (known, self.levels.get_mut(only.slot())) {
            *place = known;
        }
    }

    /// Whether nothing is known that a later sample would need.
    pub(super) fn is_idle(&self, now: f64) -> bool {
        self.levels.iter().all(|state| *state == State::Off)
            && self.resolved_at.is_none_or(|resolved| now - resolved > FLAP_MEMORY)
    }

    /// The series has ended, and may come again.
    pub(super) fn end(&mut self, now: f64) {
        let before = self.firing.take();
        self.levels = [State::Off; MAX_LEVELS];
        self.remember(before, now);
    }

    /// Takes back that the alert fires, for want of room; it fires when there is some.
    pub(super) fn suppress(&mut self, before: &Self) {
        (self.firing, self.flaps, self.resolved_at) = (None, before.flaps, before.resolved_at);
        for state in &mut self.levels {
            if let State::On { since, .. } = *state {
                *state = State::Pending { since };
            }
        }
    }

    fn clear_for(&self, timing: Timing, now: f64) -> f64 {
        let remembered = self.firing.is_some() || self.resolved_at.is_some_and(|resolved| now - resolved <= FLAP_MEMORY);
        match self.flaps {
            flaps if flaps > 0 && remembered => timing.clear.max(FLAP_CLEAR) * f64::from(1_u32 << (flaps - 1)),
            _ => timing.clear,
        }
    }

    fn remember(&mut self, before: Option<Firing>, now: f64) {
        match (before, self.firing) {
            (None, Some(_)) => {
                let again = self.resolved_at.is_some_and(|resolved| now - resolved <= FLAP_MEMORY);
                self.flaps = if again { (self.flaps + 1).min(MAX_FLAPS) } else { 0 };
            }
            (Some(_), None) => self.resolved_at = Some(now),
            _ => {}
        }
    }
}

impl State {
    fn next(self, value: f64, now: Moment, level: &Level, hold: f64, clear_for: f64) -> Self {
        let (passed, limit) = (level.limit.is_passed_by(value), level.limit.number());
        match self {
            Self::Off | Self::Pending { .. } if !passed => Self::Off,
            Self::Off if hold <= 0.0 => Self::On { since: now, limit, clear_since: None },
            Self::Off => Self::Pending { since: now },
            Self::Pending { since } if now.at - since.at >= hold => Self::On { since, limit, clear_since: None },
            Self::Pending { since } => Self::Pending { since },
            // Another limit, which was never passed.
            Self::On { limit: other, .. } if !passed && other.to_bits() != limit.to_bits() => Self::Off,
            Self::On { since, clear_since, .. } if level.limit.is_clear(value) => {
                let from = clear_since.unwrap_or(now.at);
                if now.at - from >= clear_for { Self::Off } else { Self::On { since, limit, clear_since: Some(from) } }
            }
            Self::On { since, .. } => Self::On { since, limit, clear_since: None },
        }
    }

    const fn firing(&self, level: usize) -> Option<Firing> {
        match *self {
            Self::On { since, .. } => Some(Firing { level, since }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threshold::config::Severity;
    use crate::threshold::rule::Limit;

    fn level(severity: Severity, above: f64, clear: f64) -> Level {
        Level { severity, limit: Limit::Above { limit: above, clear } }
    }

    /// Which level fires after each value, one per 5 seconds.
    fn run(values: &[f64], levels: &[Level], hold: f64, clear: f64) -> Vec<Option<usize>> {
        let mut condition = Condition::default();
        let mut at = -5.0;
        let fired = values.iter().map(|value| {
            at += 5.0;
            let firing = condition.judge(*value, Moment { at, time: 0 }, levels, Timing { hold, clear });
            firing.map(|firing| firing.level)
        });
        fired.collect()
    }

    #[test]
    fn a_limit_has_to_be_passed_for_long_enough_without_a_break() {
        let levels = [level(Severity::High, 10.0, 10.0)];
        assert_eq!(run(&[11.0, 11.0, 9.0, 11.0, 11.0, 11.0], &levels, 10.0, 0.0), [None, None, None, None, None, Some(0)]);
        assert_eq!(run(&[10.0, 11.0], &levels, 0.0, 0.0), [None, Some(0)], "the limit itself is not passed");
    }

    #[test]
    fn what_fires_goes_on_until_the_clear_level() {
        let levels = [level(Severity::High, 10.0, 5.0)];
        assert_eq!(run(&[11.0, 7.0, 6.0, 5.0, 7.0], &levels, 0.0, 0.0), [Some(0), Some(0), Some(0), None, None]);
    }

    #[test]
    fn it_has_to_be_clear_for_long_enough_if_the_rule_says_so() {
        let levels = [level(Severity::High, 10.0, 5.0)];
        let fired = run(&[11.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0], &levels, 0.0, 10.0);
        assert_eq!(fired, [Some(0), Some(0), Some(0), Some(0), Some(0), Some(0), None]);
    }

    #[test]
    fn the_most_severe_level_that_is_on_fires() {
        let levels = [level(Severity::Medium, 10.0, 5.0), level(Severity::Critical, 100.0, 50.0)];
        assert_eq!(
            run(&[11.0, 200.0, 60.0, 20.0, 1.0], &levels, 0.0, 0.0),
            [Some(0), Some(1), Some(1), Some(0), None],
            "and the milder one goes on when it ends"
        );
    }

    #[test]
    fn an_alert_that_flaps_has_to_stay_clear_longer_each_time() {
        let levels = [level(Severity::High, 10.0, 10.0)];
        let mut values = Vec::new();
        for _ in 0..20 {
            values.extend([11.0, 0.0]);
        }
        let fired = run(&values, &levels, 0.0, 0.0);
        let resolutions = fired.windows(2).filter(|pair| matches!(pair, [Some(_), None])).count();
        assert_eq!(resolutions, 1, "the second time it needs ten seconds without a break: {fired:?}");
    }

    #[test]
    fn a_level_that_is_added_or_removed_leaves_the_others_alone() {
        let (medium, high, critical) =
            (level(Severity::Medium, 10.0, 10.0), level(Severity::High, 100.0, 100.0), level(Severity::Critical, 1000.0, 20.0));
        let timing = Timing { hold: 10.0, clear: 0.0 };
        let mut condition = Condition::default();
        for at in [0.0, 10.0] {
            condition.judge(150.0, Moment { at, time: 0 }, &[high], timing);
        }
        let firing = condition.judge(150.0, Moment { at: 15.0, time: 0 }, &[medium, high], timing);
        assert_eq!(firing.map(|firing| firing.level), Some(1), "high goes on, whatever is put before it");
        let firing = condition.judge(150.0, Moment { at: 20.0, time: 0 }, &[critical], timing);
        assert_eq!(firing, None, "what remains was never passed");
    }

    #[test]
    fn a_limit_that_is_raised_past_the_value_ends_the_alert() {
        let mut condition = Condition::default();
        let timing = Timing { hold: 0.0, clear: 0.0 };
        condition.judge(50.0, Moment::default(), &[level(Severity::High, 10.0, 5.0)], timing);
        let raised = [level(Severity::High, 100.0, 5.0)];
        assert_eq!(condition.judge(50.0, Moment { at: 5.0, time: 0 }, &raised, timing), None);
    }

    #[test]
    fn a_rule_that_loses_a_level_lets_go_of_it() {
        let two = [level(Severity::Medium, 10.0, 5.0), level(Severity::Critical, 100.0, 50.0)];
        let mut condition = Condition::default();
        let timing = Timing { hold: 0.0, clear: 0.0 };
        condition.judge(200.0, Moment::default(), &two, timing);
        let firing = condition.judge(200.0, Moment { at: 5.0, time: 0 }, &two[..1], timing);
        assert_eq!(firing.map(|firing| firing.level), Some(0));
    }
}
