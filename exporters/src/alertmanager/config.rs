//! Keys of the Alertmanager exporter: those of the Collector's, and what a state of alerts needs beyond them.

use std::collections::BTreeMap;

use deferd_component::{Issues, QueueSettings, RetrySettings, Validate};
use deferd_config::{Duration, Secret, Template};
use deferd_net::client::{Auth, Headers, http, validate_headers};
use deferd_net::tls;
use schemars::JsonSchema;
use serde::Deserialize;

use super::texts;

/// Where an Alertmanager listens unless it is told otherwise.
const DEFAULT_ENDPOINT: &str = "http://localhost:9093";

/// The configuration of one Alertmanager exporter.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The Alertmanager; `http://localhost:9093` if neither this nor `endpoints` is set.
    pub endpoint: String,
    /// Several Alertmanagers: each gets every alert.
    pub endpoints: Vec<String>,
    /// The severity of what has none of its own.
    pub severity: String,
    /// Attribute that holds the severity of what has no `alert.severity`.
    pub severity_attribute: String,
    /// Where an alert's "source" link leads; an address. Left out if empty.
    pub generator_url: String,
    /// Version of Alertmanager's interface.
    pub api_version: ApiVersion,
    /// Attributes of a log record that become labels of its alert.
    pub event_labels: Vec<String>,
    /// Longest time for one request.
    pub timeout: Duration,
    /// How soon a failed request is repeated.
    pub retry_on_failure: RetrySettings,
    /// The queue in front.
    pub sending_queue: QueueSettings,
    /// TLS, for `https` endpoints.
    pub tls: tls::ClientConfig,
    /// Sent with every request.
    pub headers: Headers,
    /// Who we are.
    pub auth: Auth,
    /// A proxy instead of that of the environment.
    pub proxy_url: Secret,
    /// Alertmanager takes no compressed requests.
    pub compression: Compression,
    /// How often firing alerts are posted again. An alert that is not ends three of these later.
    pub refresh_interval: Duration,
    /// An alert that is not seen for so long is resolved.
    pub stale_after: Duration,
    /// Labels beside or instead of the built-in ones; an empty text leaves one out.
    pub labels: BTreeMap<String, Template>,
    /// Annotations likewise.
    pub annotations: BTreeMap<String, Template>,
    /// Alerts kept at most; further ones are dropped and counted.
    pub max_alerts: usize,
}

/// A version of Alertmanager's interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// That of Alertmanager 0.16 and later.
    #[default]
    V2,
}

/// How requests are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            endpoints: Vec::new(),
            severity: "info".to_owned(),
            severity_attribute: String::new(),
            generator_url: String::new(),
            api_version: ApiVersion::V2,
            event_labels: Vec::new(),
            timeout: Duration::from_secs(30),
            // An alert has to arrive within seconds once Alertmanager is back, so the waits are shorter than the Collector's.
            retry_on_failure: RetrySettings {
                initial_interval: Duration::from_secs(1),
                max_interval: Duration::from_secs(5),
                ..RetrySettings::default()
            },
            sending_queue: QueueSettings { num_consumers: 1, ..QueueSettings::default() },
            tls: tls::ClientConfig::default(),
            headers: Headers::new(),
            auth: Auth::default(),
            proxy_url: Secret::default(),
            compression: Compression::None,
            refresh_interval: Duration::from_secs(30),
            stale_after: Duration::from_secs(300),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            max_alerts: 10_000,
        }
    }
}

impl Config {
    /// The Alertmanagers, each once, without a slash at the end.
    pub(super) fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = Vec::new();
        for address in [&self.endpoint].into_iter().chain(&self.endpoints).filter(|address| !address.is_empty()) {
            let address = address.trim_end_matches('/').to_owned();
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() { vec![DEFAULT_ENDPOINT.to_owned()] } else { addresses }
    }

    /// How its clients reach them.
    pub(super) fn client(&self) -> http::Settings {
        http::Settings {
            timeout: self.timeout.get(),
            headers: self.headers.clone(),
            tls: self.tls.clone(),
            auth: self.auth.clone(),
            proxy_url: self.proxy_url.clone(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        let keyed = self.endpoints.iter().enumerate().map(|(index, address)| (format!("endpoints::{index}"), address));
        for (key, address) in
            [("endpoint".to_owned(), &self.endpoint)].into_iter().filter(|(_, one)| !one.is_empty()).chain(keyed)
        {
            if let Err(text) = http::endpoint(address) {
                issues.push(&key, text, "for example http://localhost:9093");
            }
        }
        // Alertmanager 0.25 answers 422 to what is no address, the Collector's default for this key among it.
        let address = |text: &str| text.contains("://") && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !self.generator_url.is_empty() && !address(&self.generator_url) {
            let text = format!("{:?} is no address, and Alertmanager refuses alerts with such a source", self.generator_url);
            issues.push("generator_url", text, "for example http://deferd.example:8888, or nothing");
        }
        if self.timeout.is_zero() {
            issues.push("timeout", "`timeout` must be positive", "for example 30s");
        }
        if self.refresh_interval.get() < std::time::Duration::from_secs(1) {
            issues.push("refresh_interval", "`refresh_interval` must be at least 1s", "for example 30s");
        }
        if self.stale_after <= self.refresh_interval {
            let text = format!("`stale_after` ({}) must exceed `refresh_interval` ({})", self.stale_after, self.refresh_interval);
            issues.push("stale_after", text, "for example 5m");
        }
        if self.max_alerts == 0 {
            issues.push("max_alerts", "`max_alerts` must be positive", "1 or more");
        }
        texts::validate("labels", &self.labels, issues);
        texts::validate("annotations", &self.annotations, issues);
        validate_headers(&self.headers, issues);
        issues.within("tls", &self.tls);
        issues.within("auth", &self.auth);
        issues.within("retry_on_failure", &self.retry_on_failure);
        issues.within("sending_queue", &self.sending_queue);
    }
}
