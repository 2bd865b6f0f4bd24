//! The keys of a client's `tls` block, with the Collector's names, defaults and words.

use std::sync::LazyLock;

use deferd_component::{Issues, Validate};
use deferd_config::{Duration, Secret};
use rustls::crypto::ring;
use schemars::JsonSchema;
use serde::Deserialize;

/// How a client does TLS. Whether it does is said by the scheme of its endpoint (or by `insecure`, for clients without a scheme).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientConfig {
    /// PEM file of the authorities that a server's certificate may be signed by. Without any, those of the system.
    pub ca_file: String,
    /// The same as text.
    pub ca_pem: String,
    /// PEM file of our own certificate and its chain, for servers that ask for one.
    pub cert_file: String,
    /// The same as text.
    pub cert_pem: String,
    /// PEM file of the key of our certificate.
    pub key_file: String,
    /// The same as text.
    pub key_pem: Secret,
    /// Whether the system's authorities are trusted beside those of `ca_file`.
    pub include_system_ca_certs_pool: bool,
    /// Oldest version of TLS.
    pub min_version: Version,
    /// Newest version of TLS; the newest there is if it is not set.
    pub max_version: Option<Version>,
    /// Suites for TLS 1.2; all secure ones if empty. Those of TLS 1.3 are always on, as in Go.
    pub cipher_suites: Vec<String>,
    /// No TLS, for clients whose endpoint has no scheme to say so.
    pub insecure: bool,
    /// Takes any certificate, whoever signed it and whatever it is for.
    pub insecure_skip_verify: bool,
    /// The name that the server's certificate must be for, and that is asked for, instead of the endpoint's host.
    pub server_name_override: String,
    /// How often the files are looked at for changes; 0 is never.
    pub reload_interval: Duration,
}

/// A version of TLS that is still safe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub enum Version {
    /// TLS 1.2.
    #[default]
    #[schemars(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[schemars(rename = "1.3")]
    V1_3,
}

/// A text and not a name, so that a number without quotes is told that it has to be a text, as by the Collector.
impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "1.2" => Ok(Self::V1_2),
            "1.3" => Ok(Self::V1_3),
            _ => Err(format!("unsupported TLS version: {text:?}; allowed: 1.2, 1.3")),
        }
    }
}

/// The suites of TLS 1.2 that can be named, in the IANA spelling, which is also Go's.
static SUITES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = ring::ALL_CIPHER_SUITES.iter();
    all.filter(|suite| suite.tls13().is_none()).map(|suite| format!("{:?}", suite.suite())).collect()
});

impl Validate for ClientConfig {
    fn validate(&self, issues: &mut Issues) {
        if !self.ca_file.is_empty() && !self.ca_pem.is_empty() {
            let text = "provide either a CA file or the PEM-encoded string, but not both";
            issues.push("ca_pem", text, "one of ca_file and ca_pem");
        }
        if !self.cert_file.is_empty() && !self.cert_pem.is_empty() {
            let text = "provide either a certificate or the PEM-encoded string, but not both";
            issues.push("cert_pem", text, "one of cert_file and cert_pem");
        }
        if !self.key_file.is_empty() && !self.key_pem.is_empty() {
            let text = "provide either a key or the PEM-encoded string, but not both";
            issues.push("key_pem", text, "one of key_file and key_pem");
        }
        let certificate = !self.cert_file.is_empty() || !self.cert_pem.is_empty();
        let key = !self.key_file.is_empty() || !self.key_pem.is_empty();
        if certificate != key {
            let text = "for auth via TLS, provide both certificate and key, or neither";
            issues.push(if certificate { "key_file" } else { "cert_file" }, text, "a file for each, or none");
        }
        if self.max_version.is_some_and(|newest| newest < self.min_version) {
            issues.push("max_version", "min_version cannot be greater than max_version", "1.3, or nothing");
        }
        for (index, name) in self.cipher_suites.iter().enumerate() {
            if !SUITES.contains(name) {
                let text = format!("{name} is no cipher suite of TLS 1.2 that is safe");
                issues.push(&format!("cipher_suites::{index}"), text, SUITES.join(", "));
            }
        }
    }
}
