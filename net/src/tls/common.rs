//! What the `tls` blocks of clients and servers have in common. The keys stand in both, for a flattened block could not refuse
//! unknown ones; what is made of them stands here once.

use std::sync::LazyLock;

use deferd_component::Issues;
use rustls::crypto::{CryptoProvider, ring};
use schemars::JsonSchema;
use serde::Deserialize;

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

/// The keys of both sides.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) ca_file: &'a str,
    pub(super) ca_pem: &'a str,
    pub(super) cert_file: &'a str,
    pub(super) cert_pem: &'a str,
    pub(super) key_file: &'a str,
    pub(super) key_pem: &'a str,
    pub(super) min_version: Version,
    pub(super) max_version: Option<Version>,
    pub(super) cipher_suites: &'a [String],
}

impl Common<'_> {
    pub(super) fn has_certificate(&self) -> bool {
        !self.cert_file.is_empty() || !self.cert_pem.is_empty()
    }

    fn has_key(&self) -> bool {
        !self.key_file.is_empty() || !self.key_pem.is_empty()
    }

    pub(super) fn validate(&self, issues: &mut Issues) {
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
        if self.has_certificate() != self.has_key() {
            let text = "for auth via TLS, provide both certificate and key, or neither";
            issues.push(if self.has_certificate() { "key_file" } else { "cert_file" }, text, "a file for each, or none");
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

    pub(super) fn provider(&self) -> CryptoProvider {
        let mut provider = ring::default_provider();
        if !self.cipher_suites.is_empty() {
            let named = |suite: &rustls::SupportedCipherSuite| self.cipher_suites.contains(&format!("{:?}", suite.suite()));
            provider.cipher_suites.retain(|suite| suite.tls13().is_some() || named(suite));
        }
        provider
    }

    pub(super) fn versions(&self) -> &'static [&'static rustls::SupportedProtocolVersion] {
        static ONLY_1_2: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
        static ONLY_1_3: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
        match (self.min_version, self.max_version) {
            (Version::V1_3, _) => ONLY_1_3,
            (Version::V1_2, Some(Version::V1_2)) => ONLY_1_2,
            (Version::V1_2, _) => rustls::ALL_VERSIONS,
        }
    }
}
