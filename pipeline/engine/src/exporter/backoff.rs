//! How long to wait before the next attempt.

use std::time::Duration;

use deferd_component::RetrySettings;

/// The waits between the attempts to deliver one batch.
#[derive(Debug)]
pub(super) struct Backoff {
    interval: Duration,
}

impl Backoff {
    pub(super) fn new(settings: &RetrySettings) -> Self {
        Self { interval: settings.initial_interval.get() }
    }

    /// The next wait, or `None` if retrying is off or would go on for longer than allowed. `asked` is what the destination
    /// wants, `elapsed` the time since the first attempt, `chance` is in 0..1.
    pub(super) fn next(
        &mut self,
        settings: &RetrySettings,
        asked: Option<Duration>,
        elapsed: Duration,
        chance: f64,
    ) -> Option<Duration> {
        if !settings.enabled {
            return None;
        }
        let spread = settings.randomization_factor * (2.0 * chance - 1.0);
        let wait = scale(self.interval, 1.0 + spread).max(asked.unwrap_or_default());
        self.interval = scale(self.interval, settings.multiplier).min(settings.max_interval.get());
        let limit = settings.max_elapsed_time.get();
        (limit.is_zero() || elapsed.saturating_add(wait) <= limit).then_some(wait)
    }
}

fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_end_at_the_limit() {
        let settings = RetrySettings { randomization_factor: 0.0, ..RetrySettings::default() };
        let mut backoff = Backoff::new(&settings);
        let mut elapsed = Duration::ZERO;
        let mut waits = Vec::new();
        while let Some(wait) = backoff.next(&settings, None, elapsed, 0.3) {
            waits.push(wait.as_secs_f64());
            elapsed += wait;
        }
        assert_eq!(waits.get(..4), Some([5.0, 7.5, 11.25, 16.875].as_slice()));
        assert_eq!(waits.last(), Some(&30.0));
        assert!(elapsed <= Duration::from_mins(5), "{elapsed:?}");
    }

    #[test]
    fn the_destination_may_ask_for_more_time() {
        let settings = RetrySettings::default();
        let asked = Some(Duration::from_mins(1));
        assert_eq!(Backoff::new(&settings).next(&settings, asked, Duration::ZERO, 0.5), asked);
        let off = RetrySettings { enabled: false, ..settings };
        assert_eq!(Backoff::new(&off).next(&off, None, Duration::ZERO, 0.5), None);
    }
}
