//! How many batches of each second are shown.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

const WINDOW: Duration = Duration::from_secs(1);

/// Counts the batches of the current second. Kept over reloads, so that a reload is no way around the sampling.
#[derive(Debug, Default)]
pub struct Sampler(Mutex<Option<(Instant, u64)>>);

impl Sampler {
    /// Whether to show one more batch: the first `initial` of a second, then each `thereafter`-th, or none if that is 0.
    pub(super) fn admits(&self, now: Instant, initial: u32, thereafter: u32) -> bool {
        let mut window = self.0.lock();
        let (begun, seen) = window.filter(|(begun, _)| now.saturating_duration_since(*begun) < WINDOW).unwrap_or((now, 0));
        *window = Some((begun, seen + 1));
        let initial = u64::from(initial);
        seen < initial || thereafter != 0 && (seen + 1 - initial).is_multiple_of(u64::from(thereafter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(initial: u32, thereafter: u32) -> Vec<usize> {
        let (sampler, now) = (Sampler::default(), Instant::now());
        (1..=12).filter(|_| sampler.admits(now, initial, thereafter)).collect()
    }

    #[test]
    fn the_first_batches_of_a_second_are_shown_then_every_nth() {
        assert_eq!(shown(2, 5), [1, 2, 7, 12]);
        assert_eq!(shown(2, 1).len(), 12);
        assert_eq!(shown(3, 0), [1, 2, 3]);
        assert_eq!(shown(0, 4), [4, 8, 12]);
    }

    #[test]
    fn a_new_second_begins_anew() {
        let (sampler, now) = (Sampler::default(), Instant::now());
        assert!(sampler.admits(now, 1, 0));
        assert!(!sampler.admits(now + WINDOW / 2, 1, 0));
        assert!(sampler.admits(now + WINDOW, 1, 0));
    }
}
