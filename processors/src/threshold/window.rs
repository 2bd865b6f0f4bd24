//! What a series did lately: its rate and its slope over a window.
//!
//! A window keeps at most [`SLOTS`] samples, evenly spread, so that its size does not depend on how often points come.

use std::collections::VecDeque;

use deferd_component::trend::Slopes;

/// Parts of a window. Of the samples in one part the last one is kept.
const SLOTS: f64 = 16.0;

/// The recent samples of a series.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    samples: VecDeque<Sample>,
    /// What resets of a counter have swallowed so far.
    carried: f64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    /// When its slot began.
    start: f64,
    at: f64,
    value: f64,
}

impl Window {
    /// Adds a value at a time of the series, in seconds, and forgets what is older than `length`. Two samples are always kept:
    /// a series that is reported less often than the window is long has a slope too.
    pub(super) fn push(&mut self, at: f64, value: f64, length: f64) {
        match self.samples.back_mut() {
            Some(last) if at - last.start < length / SLOTS => (last.at, last.value) = (at, value),
            _ => self.samples.push_back(Sample { start: at, at, value }),
        }
        while self.samples.len() > 2 && self.samples.front().is_some_and(|first| first.at < at - length) {
            self.samples.pop_front();
        }
    }

    /// Adds a reading of a counter. A reading below the one before means that it was reset in between.
    pub(super) fn push_counter(&mut self, at: f64, reading: f64, length: f64) {
        let last = self.samples.back().map_or(0.0, |last| last.value);
        if reading + self.carried < last {
            self.carried = last;
        }
        self.push(at, reading + self.carried, length);
    }

    /// Adds what a counter has grown by since the reading before.
    pub(super) fn push_increase(&mut self, at: f64, increase: f64, length: f64) {
        let last = self.samples.back().map_or(0.0, |last| last.value);
        self.push(at, last + increase, length);
    }

    /// How much the value grew per second over the window. `None` until there are two samples.
    pub(super) fn rate(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = last.at - first.at;
        (seconds > 0.0).then(|| (last.value - first.value) / seconds)
    }

    /// The median of the slopes between all pairs of samples (Theil and Sen), per second: a single outlier does not move it, and
    /// what goes up and comes down again has none. `None` until there are two samples.
    pub(super) fn slope(&self) -> Option<f64> {
        Slopes::between(&self.samples.iter().map(|sample| (sample.at, sample.value))).median()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(values: &[f64], step: f64, length: f64) -> Window {
        let mut window = Window::default();
        let mut at = 0.0;
        for value in values {
            window.push(at, *value, length);
            at += step;
        }
        window
    }

    #[test]
    fn one_sample_has_neither_rate_nor_slope() {
        let one = window(&[7.0], 5.0, 20.0);
        assert_eq!((one.rate(), one.slope()), (None, None));
    }

    #[test]
    fn a_line_has_its_slope_and_an_outlier_does_not_change_it() {
        assert_eq!(window(&[0.0, 10.0, 20.0, 30.0], 5.0, 20.0).slope(), Some(2.0));
        assert_eq!(window(&[0.0, 10.0, 900.0, 30.0, 40.0, 50.0], 5.0, 60.0).slope(), Some(2.0));
    }

    #[test]
    fn what_falls_back_has_no_slope_from_the_second_sample_on() {
        let mut values: Vec<f64> = (0..10).map(|look| f64::from(look) * 50.0).collect();
        values.extend([0.0, 0.0]);
        assert!(window(&values, 5.0, 20.0).slope().unwrap() <= 0.0);
    }

    #[test]
    fn two_samples_are_kept_however_short_the_window() {
        assert_eq!(window(&[0.0, 60.0, 180.0], 60.0, 20.0).slope(), Some(2.0));
    }

    #[test]
    fn a_window_holds_a_bounded_number_of_samples() {
        let values: Vec<f64> = (0..10_000).map(f64::from).collect();
        let fast = window(&values, 0.01, 20.0);
        assert!(fast.samples.len() <= 18, "{}", fast.samples.len());
        assert!((fast.slope().unwrap() - 100.0).abs() < 1.0);
    }

    #[test]
    fn a_counter_that_is_reset_goes_on_growing() {
        let mut window = Window::default();
        for (at, reading) in [(0.0, 100.0), (10.0, 150.0), (20.0, 10.0), (30.0, 40.0)] {
            window.push_counter(at, reading, 60.0);
        }
        assert_eq!(window.rate(), Some((50.0 + 10.0 + 30.0) / 30.0));
    }

    #[test]
    fn increases_add_up() {
        let mut window = Window::default();
        for at in [0.0, 10.0, 20.0] {
            window.push_increase(at, 30.0, 60.0);
        }
        assert_eq!(window.rate(), Some(3.0));
    }
}
