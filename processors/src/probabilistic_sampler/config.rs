//! Keys of the sampler: the Collector's, with its defaults and its error texts.

use deferd_component::{Issues, Validate};
use schemars::JsonSchema;
use serde::Deserialize;

use super::decision::threshold::{DIGITS, MIN_PROBABILITY};

/// The configuration of one sampler.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Share of the records that stays, in percent. 0 drops all, 100 and more keeps all.
    pub sampling_percentage: f32,
    /// How the decision is made.
    pub mode: Mode,
    /// Seed of the hash. Samplers one after the other take different seeds, those side by side the same.
    pub hash_seed: u32,
    /// Whether a record whose randomness is missing or whose sampling information is wrong is dropped (true) or stays.
    pub fail_closed: bool,
    /// Hexadecimal digits of a threshold that is written, 1 to 14.
    pub sampling_precision: usize,
    /// Where the hash looks first.
    pub attribute_source: AttributeSource,
    /// Attribute to hash where there is no trace id, or `attribute_source` is `record`. Empty: none.
    pub from_attribute: String,
    /// Attribute whose value, a percentage, replaces `sampling_percentage` for its record. Empty: none.
    pub sampling_priority: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sampling_percentage: 0.0,
            mode: Mode::HashSeed,
            hash_seed: 0,
            fail_closed: true,
            sampling_precision: 4,
            attribute_source: AttributeSource::TraceId,
            from_attribute: String::new(),
            sampling_priority: String::new(),
        }
    }
}

/// How the decision is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub enum Mode {
    /// By a hash of trace id or attribute.
    HashSeed,
    /// Brings all records to one share, however they were sampled before.
    Equalizing,
    /// Keeps a share of what arrives.
    Proportional,
}

/// Where the hash looks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub enum AttributeSource {
    /// At the trace id.
    TraceId,
    /// At the attribute.
    Record,
}

impl TryFrom<String> for Mode {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "hash_seed" | "" => Ok(Self::HashSeed),
            "equalizing" => Ok(Self::Equalizing),
            "proportional" => Ok(Self::Proportional),
            _ => Err(format!("unsupported sampler mode {name:?}, not one of hash_seed, equalizing, proportional")),
        }
    }
}

impl TryFrom<String> for AttributeSource {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "traceID" => Ok(Self::TraceId),
            "record" | "" => Ok(Self::Record),
            _ => Err(format!("invalid attribute source: {name}. Expected: traceID or record")),
        }
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        const KEY: &str = "sampling_percentage";
        let percent = self.sampling_percentage;
        let ratio = f64::from(percent) / 100.0;
        if !percent.is_finite() {
            issues.push(KEY, format!("sampling rate is invalid: {percent}%"), "a number of 0 or more");
        } else if ratio < 0.0 {
            issues.push(KEY, format!("sampling rate is negative: {percent:.6}%"), "a number of 0 or more");
        } else if ratio > 0.0 && ratio < MIN_PROBABILITY {
            issues.push(KEY, format!("sampling rate is too small: {percent:e}%"), "0, or 1.4e-15 or more");
        }
        if self.sampling_precision == 0 {
            issues.push("sampling_precision", "invalid sampling precision: 0", format!("1 to {DIGITS}"));
        } else if self.sampling_precision > DIGITS {
            let message = format!("sampling precision is too great, should be <= 14: {}", self.sampling_precision);
            issues.push("sampling_precision", message, "");
        }
    }
}
