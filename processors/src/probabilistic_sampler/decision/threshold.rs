//! Thresholds and randomness: 56 bits each, compared, and written as hexadecimal digits.
//!
//! The arithmetic follows the Collector's `pkg/sampling` step by step, floating-point operations included, because two tiers that
//! round differently would disagree about items.

/// Number of values that randomness can have.
const RANGE: u64 = 1 << 56;
/// Hexadecimal digits that hold 56 bits.
pub(crate) const DIGITS: usize = 14;
/// Bits in a hexadecimal digit.
const DIGIT_BITS: usize = 4;
/// The smallest share that can be expressed: one in 2^56.
pub(crate) const MIN_PROBABILITY: f64 = 1.0 / 72_057_594_037_927_936.0;
/// 2^56 as a floating-point number.
const RANGE_F64: f64 = 72_057_594_037_927_936.0;

/// How many of 2^56 values of randomness are rejected: an item stays if its randomness is not below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Threshold(u64);

/// What a decision compares with a threshold; below 2^56.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Randomness(u64);

impl Threshold {
    /// Everything stays.
    pub(crate) const ALWAYS: Self = Self(0);
    /// Nothing stays.
    pub(crate) const NEVER: Self = Self(RANGE);

    /// Rejects `rejected` of 2^56; more than that is all of them.
    pub(crate) fn rejecting(rejected: u64) -> Self {
        Self(rejected.min(RANGE))
    }

    /// The threshold that keeps a share, in so many hexadecimal digits after leading zeros or `f`s. `None` if the share is
    /// not within 2^-56 to 1.
    pub(crate) fn from_probability(share: f64, precision: usize) -> Option<Self> {
        if !(MIN_PROBABILITY..=1.0).contains(&share) {
            return None;
        }
        #[expect(clippy::float_cmp, reason = "the one share that is exact")]
        if share == 1.0 {
            return Some(Self::ALWAYS);
        }
        // A digit more for each leading 0 or f, so that shares near 0 and 1 keep their relative precision.
        let more = leading_digits(share).max(leading_digits(1.0 - share));
        let precision = precision.saturating_add(more).clamp(1, DIGITS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 to 2^56 by the range of the share")]
        let kept = (share * RANGE_F64).round() as u64;
        let mut rejected = RANGE.saturating_sub(kept);
        let shift = DIGIT_BITS * (DIGITS - precision);
        if shift > 0 {
            rejected = (rejected + (1 << (shift - 1))) >> shift << shift;
        }
        Some(Self::rejecting(rejected))
    }

    /// The share that it keeps.
    pub(crate) fn probability(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "rounded as in the Collector")]
        let kept = RANGE.saturating_sub(self.0) as f64;
        kept / RANGE_F64
    }

    /// Whether an item of that randomness stays.
    pub(crate) fn keeps(self, randomness: Randomness) -> bool {
        self.0 <= randomness.0
    }

    /// Reads a `th` value: up to 14 digits, zeros at the end left out.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let missing = DIGITS.checked_sub(text.len())?;
        Some(Self(parse_hex(text)? << (DIGIT_BITS * missing)))
    }

    /// Writes a `th` value. [`Self::NEVER`] has none and is empty.
    pub(crate) fn render(self) -> String {
        match self {
            Self::ALWAYS => "0".to_owned(),
            Self::NEVER => String::new(),
            Self(rejected) => {
                let mut digits = Randomness(rejected).render();
                digits.truncate(digits.trim_end_matches('0').len());
                digits
            }
        }
    }
}

impl Randomness {
    /// Stays at any share above 0.
    pub(crate) const MAX: Self = Self(RANGE - 1);

    /// The low 56 bits.
    pub(crate) fn new(bits: u64) -> Self {
        Self(bits & (RANGE - 1))
    }

    /// The low 56 bits of a trace id, which W3C Trace Context level 2 says are random. `None` if it is no valid id.
    pub(crate) fn of_trace_id(id: &[u8]) -> Option<Self> {
        if !is_trace_id(id) {
            return None;
        }
        id.last_chunk().map(|low| Self::new(u64::from_be_bytes(*low)))
    }

    /// Reads an `rv` value: 14 digits.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        (text.len() == DIGITS).then(|| parse_hex(text)).flatten().map(Self)
    }

    /// Writes an `rv` value.
    pub(crate) fn render(self) -> String {
        format!("{:0width$x}", self.0, width = DIGITS)
    }
}

/// Sixteen bytes that are not all zero.
pub(crate) fn is_trace_id(id: &[u8]) -> bool {
    id.len() == 16 && id.iter().any(|&byte| byte != 0)
}

/// Hexadecimal digits of `share` before the first one that says something, as the exponent of a double tells.
fn leading_digits(share: f64) -> usize {
    // The share is 2^-exponent times a number within 0.5 to 1. One that rounded up to 1 has a negative exponent.
    let exponent = 1022_u64.saturating_sub(share.to_bits() >> 52 & 0x7ff);
    usize::try_from(exponent).unwrap_or_default() / DIGIT_BITS
}

/// Up to 16 hexadecimal digits, at least one, and nothing else.
fn parse_hex(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}
