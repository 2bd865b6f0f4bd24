//! Keys of the OTLP exporter, with the Collector's names and defaults (its `configgrpc` client and exporter helper).

use std::collections::BTreeMap;

use deferd_component::{Issues, QueueSettings, RetrySettings, Validate};
use deferd_config::{ByteSize, Duration, Secret};
use deferd_net::tls::ClientConfig;
use hyper::header::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::target::Target;

/// The configuration of one OTLP exporter.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to send: `host:port`, `http://host:port`, `https://host:port`, `dns:///host:port` or `unix:///path`. Required.
    pub endpoint: String,
    /// How requests are compressed.
    pub compression: Compression,
    /// Encryption. Without this block it is on, as in the Collector; an endpoint that begins with `http://` turns it off.
    pub tls: ClientConfig,
    /// Sent with every request. The values are secret.
    pub headers: BTreeMap<String, Secret>,
    /// Pings on the connection, so that a dead one is noticed.
    pub keepalive: Keepalive,
    /// Longest time one attempt may take; 0 is no limit.
    pub timeout: Duration,
    /// What happens to a request that failed but may be tried again.
    pub retry_on_failure: RetrySettings,
    /// The queue in front of the exporter.
    pub sending_queue: QueueSettings,
    /// How several addresses of one name are used. Without effect: there is one connection, to the first address that answers.
    pub balancer_name: Option<Balancer>,
    /// While there is no connection, an attempt waits for one until `timeout` instead of failing at once.
    pub wait_for_ready: bool,
    /// Put in front of the user agent's other parts, in place of `deferd/VERSION`.
    pub user_agent: String,
    /// The `:authority` of requests and the name that the server's certificate must have, in place of the endpoint's host.
    pub authority: String,
    /// Without effect on what is sent.
    pub read_buffer_size: ByteSize,
    /// Without effect on what is sent.
    pub write_buffer_size: ByteSize,
}

/// How requests are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Compression {
    /// RFC 1952, at zlib's default level.
    #[default]
    Gzip,
    /// Not at all.
    None,
}

/// An empty text means none, as in the Collector, which an error should not have to list.
impl<'de> Deserialize<'de> for Compression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "gzip" => Ok(Self::Gzip),
            "" | "none" => Ok(Self::None),
            other => Err(D::Error::unknown_variant(other, &["gzip", "none"])),
        }
    }
}

/// How several addresses of one name are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balancer {
    /// In turn.
    RoundRobin,
    /// The first that answers.
    PickFirst,
}

/// Pings on the connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keepalive {
    /// A ping after so long without anything received; 0 is never.
    pub time: Duration,
    /// The connection is given up after so long without an answer to a ping.
    pub timeout: Duration,
    /// Whether pings are sent while no request is under way.
    pub permit_without_stream: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            compression: Compression::Gzip,
            tls: ClientConfig::default(),
            headers: BTreeMap::new(),
            keepalive: Keepalive::default(),
            timeout: Duration::from_secs(5),
            retry_on_failure: RetrySettings::default(),
            sending_queue: QueueSettings::default(),
            balancer_name: None,
            wait_for_ready: false,
            user_agent: String::new(),
            authority: String::new(),
            read_buffer_size: ByteSize::new(0),
            write_buffer_size: ByteSize::new(512 << 10),
        }
    }
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), timeout: Duration::from_secs(10), permit_without_stream: false }
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        if self.endpoint.trim().is_empty() {
            // The Collector's words.
            issues.push("endpoint", "requires a non-empty \"endpoint\"", "host:port, such as localhost:4317");
        } else if let Err(error) = Target::new(&self.endpoint, &self.authority) {
            issues.push("endpoint", error.to_string(), error.allowed());
        }
        for (name, value) in &self.headers {
            if let Err((problem, allowed)) = header(name, value) {
                issues.push("headers", problem, allowed);
            }
        }
        if HeaderValue::from_str(&self.user_agent).is_err() {
            issues.push("user_agent", "`user_agent` is no header value", "visible ASCII characters and spaces");
        }
        issues.within("tls", &self.tls);
        issues.within("retry_on_failure", &self.retry_on_failure);
        issues.within("sending_queue", &self.sending_queue);
    }
}

impl Config {
    /// The headers as they are sent. Those that are none were refused by [`Validate`].
    pub(super) fn header_values(&self) -> Vec<(HeaderName, HeaderValue)> {
        self.headers.iter().filter_map(|(name, value)| header(name, value).ok()).collect()
    }
}

/// One header, or what is wrong with it and what is allowed. The value is never in the text.
fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), (String, &'static str)> {
    let lower = name.to_ascii_lowercase();
    let own = ["te", "content-type", "user-agent", "host", "connection", "content-length", "transfer-encoding"];
    if own.contains(&lower.as_str()) || lower.starts_with("grpc-") {
        return Err((format!("the header {name:?} is set by the exporter"), "other names; `user_agent` has a key of its own"));
    }
    if lower.ends_with("-bin") {
        return Err((format!("the header {name:?} is a binary one"), "names that do not end in -bin"));
    }
    let header = HeaderName::from_bytes(lower.as_bytes())
        .map_err(|_| (format!("{name:?} is no header name"), "letters, digits and !#$%&'*+-.^_`|~"))?;
    let mut value = HeaderValue::from_str(value.expose())
        .map_err(|_| (format!("the value of the header {name:?} is none"), "visible ASCII characters and spaces"))?;
    value.set_sensitive(true);
    Ok((header, value))
}
