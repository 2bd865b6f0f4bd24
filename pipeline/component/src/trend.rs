//! Where a series goes, said robustly: the slopes between all pairs of its samples.
//!
//! One place for what both a receiver that watches a figure and a rule that judges it must agree on.

/// The slopes between all pairs of samples: `n * (n - 1) / 2` of them, so `n` is to be bounded by the caller.
#[derive(Debug, Clone, Default)]
pub struct Slopes(Vec<f64>);

impl Slopes {
    /// Of samples (time, value) in the order of time. Pairs without a finite slope are left out.
    pub fn between(samples: &(impl Iterator<Item = (f64, f64)> + Clone)) -> Self {
        let count = samples.clone().count();
        let mut slopes = Vec::with_capacity(count * count / 2);
        for (index, (at, value)) in samples.clone().enumerate() {
            let earlier = samples.clone().take(index);
            slopes.extend(earlier.map(|(earlier, before)| (value - before) / (at - earlier)).filter(|slope| slope.is_finite()));
        }
        Self(slopes)
    }

    /// The median (the slope of Theil and Sen): a single outlier does not move it, and what goes up and comes down again has none.
    /// `None` without a pair.
    pub fn median(&mut self) -> Option<f64> {
        let middle = self.0.len() / 2;
        let upper = self.nth(middle)?;
        if self.0.len() % 2 == 1 {
            return Some(upper);
        }
        let lower = self.0.iter().take(middle).copied().max_by(f64::total_cmp)?;
        Some(f64::midpoint(lower, upper))
    }

    /// The slope that a quarter of all pairs fall short of: above zero, the series goes up all along, not in one step. `None`
    /// without a pair.
    pub fn lower_quartile(&mut self) -> Option<f64> {
        self.nth(self.0.len() / 4)
    }

    fn nth(&mut self, index: usize) -> Option<f64> {
        (index < self.0.len()).then(|| *self.0.select_nth_unstable_by(index, f64::total_cmp).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slopes(values: &[f64]) -> Slopes {
        Slopes::between(&(0_u32..).map(f64::from).zip(values.iter().copied()))
    }

    #[test]
    fn an_outlier_moves_neither_the_median_nor_the_quartile_far() {
        assert_eq!(slopes(&[0.0, 2.0, 900.0, 6.0, 8.0, 10.0]).median(), Some(2.0));
        assert!(slopes(&[0.0, 2.0, 4.0, 6.0, 900.0, 10.0, 12.0, 14.0, 16.0]).lower_quartile().unwrap() >= 2.0);
    }

    #[test]
    fn a_step_has_no_lower_quartile_above_zero() {
        assert_eq!(slopes(&[0.0, 0.0, 0.0, 9.0, 9.0, 9.0]).lower_quartile(), Some(0.0));
    }

    #[test]
    fn without_two_samples_at_different_times_there_is_no_slope() {
        assert_eq!((slopes(&[7.0]).median(), slopes(&[]).lower_quartile()), (None, None));
        assert_eq!(Slopes::between(&[(1.0, 2.0), (1.0, 3.0)].into_iter()).median(), None);
    }
}
