//! The keys of the `tls` blocks of clients and servers, with the Collector's names, defaults and words.

use deferd_component::{Issues, Validate};
use deferd_config::{Duration, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use super::common::{Common, Version};

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

/// How a server does TLS. Without this block a server does none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// PEM file of our own certificate and its chain. Required.
    pub cert_file: String,
    /// The same as text.
    pub cert_pem: String,
    /// PEM file of the key of our certificate. Required.
    pub key_file: String,
    /// The same as text.
    pub key_pem: Secret,
    /// PEM file of the authorities that a client's certificate may be signed by. If set, no client comes in without one.
    pub client_ca_file: String,
    /// Whether `client_ca_file` is looked at for changes every 5 s, or every `reload_interval` if that is shorter. If not, it is read
    /// once.
    pub client_ca_file_reload: bool,
    /// Without effect on a server, as in the Collector: who may be a client is said by `client_ca_file`.
    pub ca_file: String,
    /// The same as text.
    pub ca_pem: String,
    /// Without effect on a server, as in the Collector.
    pub include_system_ca_certs_pool: bool,
    /// Oldest version of TLS.
    pub min_version: Version,
    /// Newest version of TLS; the newest there is if it is not set.
    pub max_version: Option<Version>,
    /// Suites for TLS 1.2; all secure ones if empty. Those of TLS 1.3 are always on, as in Go.
    pub cipher_suites: Vec<String>,
    /// How often `cert_file` and `key_file` are looked at for changes; 0 is never.
    pub reload_interval: Duration,
}

impl ClientConfig {
    pub(super) fn common(&self) -> Common<'_> {
        Common {
            ca_file: &self.ca_file,
            ca_pem: &self.ca_pem,
            cert_file: &self.cert_file,
            cert_pem: &self.cert_pem,
            key_file: &self.key_file,
            key_pem: self.key_pem.expose(),
            min_version: self.min_version,
            max_version: self.max_version,
            cipher_suites: &self.cipher_suites,
        }
    }
}

impl ServerConfig {
    pub(super) fn common(&self) -> Common<'_> {
        Common {
            ca_file: &self.ca_file,
            ca_pem: &self.ca_pem,
            cert_file: &self.cert_file,
            cert_pem: &self.cert_pem,
            key_file: &self.key_file,
            key_pem: self.key_pem.expose(),
            min_version: self.min_version,
            max_version: self.max_version,
            cipher_suites: &self.cipher_suites,
        }
    }
}

impl Validate for ClientConfig {
    fn validate(&self, issues: &mut Issues) {
        self.common().validate(issues);
    }
}

impl Validate for ServerConfig {
    fn validate(&self, issues: &mut Issues) {
        self.common().validate(issues);
        if !self.common().has_certificate() && self.key_file.is_empty() && self.key_pem.is_empty() {
            issues.push("cert_file", "a server needs a certificate and its key", "cert_file and key_file");
        }
        if self.client_ca_file_reload && self.client_ca_file.is_empty() {
            issues.push("client_ca_file_reload", "there is no client_ca_file to be read again", "false, or a client_ca_file");
        }
    }
}
