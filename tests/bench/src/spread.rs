//! The middle and the ends of repeated figures.

use std::fmt;

/// What the same measurement said several times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub least: f64,
    /// The median: one run that was disturbed does not move it.
    pub median: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of these figures; `None` of none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let upper = *sorted.get(half)?;
        let lower = if sorted.len().is_multiple_of(2) { *sorted.get(half.checked_sub(1)?)? } else { upper };
        Some(Self { least, median: f64::midpoint(lower, upper), most })
    }
}

impl fmt::Display for Spread {
    /// Ratios as differences in percent: `-0.9 % (-1.4 .. +0.2)`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |ratio: f64| (ratio - 1.0) * 100.0;
        write!(out, "{:+.2} % ({:+.2} .. {:+.2})", percent(self.median), percent(self.least), percent(self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.5, 4.0));
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { least: 1.0, median: 2.0, most: 3.0 }));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratios_read_as_differences() {
        assert_eq!(Spread::of([0.99, 1.0, 1.02]).unwrap().to_string(), "+0.00 % (-1.00 .. +2.00)");
    }
}
