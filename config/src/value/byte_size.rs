//! A number of bytes.

use std::fmt;
use std::str::FromStr;

use super::ValueError;

const EXPECTED: &str = "a size such as 1048576, 512KiB, 64MiB or 2GB";

/// Units by suffix, longest first so that `MiB` is not read as `M`; compared without regard to case.
const UNITS: [(&str, u64); 13] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("b", 1),
];

/// A number of bytes: `1048576`, `64MiB` (binary), `10MB` or `10M` (decimal); at most `u64::MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// Makes a size from a number of bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Makes a size from a number of MiB; sizes beyond `u64` become `u64::MAX`.
    pub const fn mib(mebibytes: u64) -> Self {
        Self(mebibytes.saturating_mul(1 << 20))
    }

    /// Returns the number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the number of bytes for lengths in memory; more than the address space becomes `usize::MAX`.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text).map(Self).ok_or(ValueError { expected: EXPECTED })
    }
}

fn parse(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit) =
        UNITS.iter().find_map(|(suffix, unit)| lower.strip_suffix(suffix).map(|n| (n.trim_end(), *unit))).unwrap_or((&lower, 1));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // A fraction must come out at whole bytes: `1.5KiB` does, `1.5` does not.
    let fraction = fraction.trim_end_matches('0');
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()?.checked_mul(unit)? };
    if part.checked_rem(scale)? != 0 {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(part.checked_div(scale)?)
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (suffix, unit) in [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= unit && self.0.is_multiple_of(unit) {
                return write!(f, "{}{suffix}", self.0 / unit);
            }
        }
        write!(f, "{}", self.0)
    }
}

super::text_or_number!(ByteSize, EXPECTED, "byte-size", ["string", "integer"], |_number: f64| None);
