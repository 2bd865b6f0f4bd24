//! How long something takes.

use std::fmt;
use std::time::Duration;

/// Times, of which median, 99th percentile and longest are shown, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spread(Vec<Duration>);

impl Spread {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        let at = self.0.partition_point(|other| *other <= time);
        self.0.insert(at, time);
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// The shortest that so many percent do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, all] = [self.percentile(50), self.percentile(99), self.longest()].map(|time| time.as_secs_f64() * 1e3);
        write!(f, "{half:.1} / {most:.1} / {all:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let mut spread = Spread::default();
        assert_eq!((spread.percentile(50), spread.longest()), (Duration::ZERO, Duration::ZERO));
        for time in (1..=200).rev() {
            spread.add(Duration::from_millis(time));
        }
        assert_eq!([50, 99, 100].map(|percent| spread.percentile(percent).as_millis()), [100, 198, 200]);
        assert_eq!(spread.to_string(), "100.0 / 198.0 / 200.0");
    }
}
