//! A share in percent.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

const EXPECTED: &str = "a percentage such as 5% or 0.5%";

/// A share in percent, zero or more and finite: `5%`, `0.5%`, or the number `5`, which means the same as `5%`
/// (as in the Collector's `*_percentage` keys; it is never a ratio). More than 100 % is for the setting to refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Percent(f64);

impl Percent {
    /// Makes a share from whole percents.
    pub fn new(percent: u32) -> Self {
        Self(f64::from(percent))
    }

    /// Returns the share in percent, 5.0 for `5%`.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Returns the share as a ratio, 0.05 for `5%`.
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }

    fn checked(percent: f64) -> Option<Self> {
        (percent.is_finite() && percent >= 0.0).then_some(Self(percent))
    }
}

impl FromStr for Percent {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let number = text.trim().strip_suffix('%').unwrap_or(text.trim()).trim_end();
        let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let parsed = if plain { number.parse().ok() } else { None };
        parsed.and_then(Self::checked).ok_or(ValueError { expected: EXPECTED })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

super::text_or_number!(Percent, EXPECTED, "percent", ["string", "number"], |number: f64| Percent::checked(number));
