//! A span of time in Go's syntax.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

const EXPECTED: &str = "a duration such as 500ms, 1.5s or 1h30m";

/// Units from large to small with their length in nanoseconds; `us` has two more spellings, see [`unit`].
const UNITS: [(&str, u64); 6] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

/// The largest duration Go can say, about 292 years.
const MAX_NANOS: u128 = i64::MAX as u128;

/// A span of time, zero or more, at most about 292 years, as Go writes it: `1h2m3s`, `500ms`, `1.5s`, `0`.
///
/// A number without a unit is refused (the Collector reads it as nanoseconds, which nobody means), except `0`. So is a
/// negative duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Duration(std::time::Duration);

impl Duration {
    /// Makes a duration of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    /// Makes a duration of whole milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(std::time::Duration::from_millis(milliseconds))
    }

    /// Returns the standard library's type.
    pub const fn get(self) -> std::time::Duration {
        self.0
    }

    /// Says whether the duration is zero, which many settings take as "off".
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for Duration {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        nanoseconds(text)
            .filter(|nanos| *nanos <= MAX_NANOS)
            .and_then(|nanos| u64::try_from(nanos).ok())
            .map(|nanos| Self(std::time::Duration::from_nanos(nanos)))
            .ok_or(ValueError { expected: EXPECTED })
    }
}

/// Adds up `<decimal><unit>` pairs; `None` when the text is not made of them or the sum is absurd.
fn nanoseconds(text: &str) -> Option<u128> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit_text, tail) = tail.split_at(end);
        total = total.checked_add(scaled(number, unit(unit_text)?)?)?;
        rest = tail;
    }
    Some(total)
}

fn unit(text: &str) -> Option<u64> {
    // Go also takes the micro sign (U+00B5) and the Greek letter mu (U+03BC).
    let text = if matches!(text, "\u{b5}s" | "\u{3bc}s") { "us" } else { text };
    UNITS.iter().find(|(name, _)| *name == text).map(|(_, nanos)| *nanos)
}

/// Multiplies a decimal such as `1.5` or `.5` by a unit, without floating point; digits below a nanosecond are cut.
fn scaled(number: &str, unit: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let unit = u128::from(unit);
    let mut nanos = if whole.is_empty() { 0 } else { whole.parse::<u64>().map(u128::from).ok()?.checked_mul(unit)? };
    let mut weight = unit;
    for digit in fraction.chars() {
        weight /= 10;
        nanos = nanos.checked_add(u128::from(digit.to_digit(10)?).checked_mul(weight)?)?;
    }
    Some(nanos)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0s");
        }
        if nanos < 1_000_000_000 {
            let (name, unit) = UNITS.iter().find(|(_, unit)| u128::from(*unit) <= nanos).copied().unwrap_or(("ns", 1));
            return write_decimal(f, nanos, u128::from(unit), name);
        }
        let (hours, rest) = (nanos / 3_600_000_000_000, nanos % 3_600_000_000_000);
        let (minutes, rest) = (rest / 60_000_000_000, rest % 60_000_000_000);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if rest > 0 { write_decimal(f, rest, 1_000_000_000, "s") } else { Ok(()) }
    }
}

/// Writes `nanos / unit` with as many decimals as it takes and no more.
fn write_decimal(f: &mut fmt::Formatter<'_>, nanos: u128, unit: u128, name: &str) -> fmt::Result {
    write!(f, "{}", nanos / unit)?;
    let mut rest = nanos % unit;
    let mut weight = unit;
    if rest > 0 {
        f.write_str(".")?;
    }
    while rest > 0 {
        weight /= 10;
        write!(f, "{}", rest / weight)?;
        rest %= weight;
    }
    f.write_str(name)
}

super::text_or_number!(Duration, EXPECTED, "duration", ["string", "integer"], |_number: f64| None);
