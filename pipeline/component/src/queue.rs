//! Queue and retry settings, with the keys and defaults of the Collector's exporter helper.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use deferd_config::{ByteSize, Duration as ConfigDuration};

use crate::{Issues, Validate};

/// What `queue_size` counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sizer {
    /// Batches.
    #[default]
    Requests,
    /// Spans, data points, log records or samples.
    Items,
    /// Serialized bytes.
    Bytes,
}

/// The keys of `sending_queue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueueSettings {
    /// Whether a sender is told that its data is accepted once it is queued. Off, it waits for the result of the export, as with
    /// `wait_for_result` and `block_on_overflow`; exports under way and memory are bounded all the same.
    pub enabled: bool,
    /// Exports under way at once. With 1, batches arrive in the order in which they were queued.
    pub num_consumers: u32,
    /// Capacity, in units of `sizer`.
    pub queue_size: u64,
    /// What `queue_size` counts.
    pub sizer: Sizer,
    /// Memory bound in bytes whatever the sizer. deferd's own key: the Collector has no such bound.
    pub max_bytes: ByteSize,
    /// The sender waits for the result of the export.
    pub wait_for_result: bool,
    /// The sender waits for room instead of being refused.
    pub block_on_overflow: bool,
    /// Keeping the queue on disk is not implemented; only null is taken.
    pub storage: Option<String>,
    /// Batching inside the queue is not implemented; it must be left out.
    pub batch: Option<NotYet>,
}

/// Stands for a block of keys that the Collector has and that is not implemented: it is refused whatever is in it. A key
/// with nothing behind it never gets here: everywhere it is as if it were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NotYet;

impl<'de> Deserialize<'de> for NotYet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for NotYet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NotYet".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::Schema::default()
    }
}

impl QueueSettings {
    /// Whether a sender waits for the result of the export.
    pub const fn waits_for_result(&self) -> bool {
        self.wait_for_result || !self.enabled
    }

    /// Whether a sender waits for room.
    pub const fn waits_for_room(&self) -> bool {
        self.block_on_overflow || !self.enabled
    }
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            max_bytes: ByteSize::mib(64),
            wait_for_result: false,
            block_on_overflow: false,
            storage: None,
            batch: None,
        }
    }
}

impl Validate for QueueSettings {
    fn validate(&self, issues: &mut Issues) {
        if self.num_consumers == 0 {
            issues.push("num_consumers", "`num_consumers` must be positive", "1 or more");
        }
        if self.queue_size == 0 {
            issues.push("queue_size", "`queue_size` must be positive", "1 or more");
        }
        if self.max_bytes.get() == 0 {
            issues.push("max_bytes", "`max_bytes` must be positive", "for example 64MiB");
        }
        if self.storage.is_some() {
            issues.push("storage", "a queue on disk is not implemented", "no `storage`: the queue is in memory");
        }
        if self.batch.is_some() {
            issues.push(
                "batch",
                "batching inside the queue is not implemented",
                "no `batch`: requests are sent as they were queued",
            );
        }
    }
}

/// The keys of `retry_on_failure`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrySettings {
    /// Whether a retryable failure is retried at all.
    pub enabled: bool,
    /// First wait.
    pub initial_interval: ConfigDuration,
    /// Each wait is spread by up to this fraction, both ways.
    pub randomization_factor: f64,
    /// Each wait is this many times the one before.
    pub multiplier: f64,
    /// Longest wait.
    pub max_interval: ConfigDuration,
    /// Retrying ends after this long; 0 means never.
    pub max_elapsed_time: ConfigDuration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: ConfigDuration::from_secs(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: ConfigDuration::from_secs(30),
            max_elapsed_time: ConfigDuration::from_secs(300),
        }
    }
}

impl Validate for RetrySettings {
    fn validate(&self, issues: &mut Issues) {
        if !(0.0..=1.0).contains(&self.randomization_factor) {
            issues.push("randomization_factor", "'randomization_factor' must be within [0, 1]", "0 to 1");
        }
        if !self.multiplier.is_finite() || self.multiplier < 1.0 {
            issues.push("multiplier", "'multiplier' must be at least 1", "1 or more");
        }
        let elapsed = self.max_elapsed_time.get();
        if !elapsed.is_zero() && elapsed < self.initial_interval.get() {
            let text = "'max_elapsed_time' must not be less than 'initial_interval'";
            issues.push("max_elapsed_time", text, "0 (no limit), or at least initial_interval");
        }
    }
}

/// Everything the engine needs to know to run an exporter.
#[derive(Debug, Clone, PartialEq)]
pub struct ExporterSettings {
    /// Its queue.
    pub queue: QueueSettings,
    /// Its retries.
    pub retry: RetrySettings,
    /// Longest time one attempt may take.
    pub timeout: Duration,
}

impl ExporterSettings {
    /// For an exporter that works inside this process and keeps order: one consumer, no retries, 5 s per attempt.
    pub fn local() -> Self {
        Self {
            queue: QueueSettings { num_consumers: 1, ..QueueSettings::default() },
            retry: RetrySettings { enabled: false, ..RetrySettings::default() },
            timeout: Duration::from_secs(5),
        }
    }
}
