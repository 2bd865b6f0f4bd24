//! Quantiles of Student's t.
//!
//! One quantile of one distribution is all that is needed, so it is a short table and not a statistics library.

/// `(degrees of freedom, two-sided 95 % quantile)`, growing.
const QUANTILES: [(f64, f64); 20] = [
    (1.0, 12.706),
    (2.0, 4.303),
    (3.0, 3.182),
    (4.0, 2.776),
    (5.0, 2.571),
    (6.0, 2.447),
    (7.0, 2.365),
    (8.0, 2.306),
    (9.0, 2.262),
    (10.0, 2.228),
    (12.0, 2.179),
    (14.0, 2.145),
    (17.0, 2.110),
    (20.0, 2.086),
    (25.0, 2.060),
    (30.0, 2.042),
    (40.0, 2.021),
    (60.0, 2.000),
    (120.0, 1.980),
    (1000.0, 1.962),
];

/// The factor of the standard error that makes a 95 % interval. Between two entries of the table the larger factor holds; below
/// one degree of freedom there is none.
pub(super) fn quantile(freedom: f64) -> Option<f64> {
    QUANTILES.iter().rev().find(|(from, _)| *from <= freedom).map(|(_, factor)| *factor)
}
