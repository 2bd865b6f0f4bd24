//! A network address as configurations write it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ValueError;

const EXPECTED: &str = "host:port, such as localhost:4317, 0.0.0.0:0 or [::]:4317";

/// Longest host name, in bytes (RFC 1035, section 2.3.4, less the root label).
const HOST_MAX: usize = 253;

/// A host and a port, `localhost:4317`. Nothing is resolved here.
///
/// An IPv6 address stands in brackets; an empty host (`:4317`) means every address, as in Go; port 0 asks the kernel for
/// a free one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    /// Makes an endpoint on this machine's loopback name, `localhost:PORT`.
    pub fn localhost(port: u16) -> Self {
        Self { host: "localhost".to_owned(), port }
    }

    /// Returns the host, without brackets; empty means every address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port; 0 asks for a free one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes an endpoint from its parts; refuses a host that could not be written as `host:port`.
    pub fn new(host: &str, port: u16) -> Result<Self, ValueError> {
        if is_host(host) { Ok(Self { host: host.to_owned(), port }) } else { Err(ValueError { expected: EXPECTED }) }
    }
}

impl FromStr for Endpoint {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let refused = ValueError { expected: EXPECTED };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| refused.clone())?;
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused);
        }
        let port = port.parse().map_err(|_| refused.clone())?;
        match host.strip_prefix('[').map(|inner| inner.strip_suffix(']')) {
            None if !host.contains(':') => Self::new(host, port),
            Some(Some(inner)) if inner.contains(':') => Self::new(inner, port),
            _ => Err(refused),
        }
    }
}

fn is_host(host: &str) -> bool {
    if host.contains(':') {
        let address = host.split_once('%').map_or(host, |(address, _zone)| address);
        return address.parse::<Ipv6Addr>().is_ok() && host.bytes().all(|b| b.is_ascii_graphic() && b != b']');
    }
    host.len() <= HOST_MAX && host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &EXPECTED))
    }
}

impl schemars::JsonSchema for Endpoint {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Endpoint".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "endpoint", "description": EXPECTED })
    }
}
