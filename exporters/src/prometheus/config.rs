//! Keys of the Prometheus exporter, with the Collector's names and defaults.

use std::collections::BTreeMap;

use deferd_component::{Issues, Validate};
use deferd_config::{Duration, Endpoint};
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of one Prometheus exporter.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "the Collector's keys")]
pub struct Config {
    /// Where `/metrics` is served. Required.
    pub endpoint: Option<Endpoint>,
    /// Put in front of every metric name.
    pub namespace: String,
    /// Labels put on every series.
    pub const_labels: BTreeMap<String, String>,
    /// Whether samples carry the time of their data point. Without it Prometheus takes the time of the scrape.
    pub send_timestamps: bool,
    /// A series that is not updated for so long is no longer shown.
    pub metric_expiration: Duration,
    /// `OpenMetrics` is not implemented; only false is taken.
    pub enable_open_metrics: bool,
    /// What becomes of resource attributes.
    pub resource_to_telemetry_conversion: ResourceToTelemetry,
    /// Leaves the `otel_scope_*` labels out.
    pub without_scope_info: bool,
    /// Whether names get the suffixes for unit and type.
    pub add_metric_suffixes: bool,
    /// Series kept at most; points of further ones are dropped and counted. deferd's own key: the Collector has no bound.
    pub max_series: usize,
}

/// What becomes of resource attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResourceToTelemetry {
    /// Whether each becomes a label of each series, instead of `target_info` alone.
    pub enabled: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            namespace: String::new(),
            const_labels: BTreeMap::new(),
            send_timestamps: false,
            metric_expiration: Duration::from_secs(300),
            enable_open_metrics: false,
            resource_to_telemetry_conversion: ResourceToTelemetry::default(),
            without_scope_info: false,
            add_metric_suffixes: true,
            max_series: 1_000_000,
        }
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        if self.endpoint.is_none() {
            // The Collector's words.
            let text = "expecting a non-blank address to run the Prometheus metrics handler";
            issues.push("endpoint", text, "host:port, such as localhost:9464");
        }
        if self.enable_open_metrics {
            issues.push("enable_open_metrics", "OpenMetrics is not implemented", "false: the text format 0.0.4 is served");
        }
        if self.metric_expiration.is_zero() {
            issues.push("metric_expiration", "`metric_expiration` must be positive", "for example 5m");
        }
        if self.max_series == 0 {
            issues.push("max_series", "`max_series` must be positive", "1 or more");
        }
    }
}
