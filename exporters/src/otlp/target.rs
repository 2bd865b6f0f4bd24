//! Where to send, in the forms that gRPC clients take.

use std::fmt;
use std::path::PathBuf;

use deferd_config::Endpoint;
use hyper::Uri;
use hyper::http::{self, uri::Authority};

/// What an endpoint may look like.
const ALLOWED: &str =
    "host:port, http://host:port, https://host:port, dns:///host:port, passthrough:///host:port or unix:///path";

/// A destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// What to connect to.
    pub(super) address: Address,
    /// Whether the endpoint itself says that the connection is encrypted or is not.
    pub(super) encrypted: Option<bool>,
    /// Host and port that requests name.
    authority: String,
}

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A host, resolved at each connection, and a port.
    Tcp(Endpoint),
    /// A socket of this machine.
    Unix(PathBuf),
}

/// Why an endpoint is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TargetError {
    /// The Collector's words.
    #[error("unix socket path cannot be empty")]
    NoPath,
    #[error("{0:?} is no port")]
    Port(String),
    #[error("{0:?} names no host and port")]
    Address(String),
    #[error("{0:?} is no authority")]
    Authority(String),
}

impl TargetError {
    /// What is allowed instead.
    pub(super) const fn allowed(&self) -> &'static str {
        match self {
            Self::Port(_) => "host:port, the port from 1 to 65535",
            Self::Authority(_) => "host or host:port in `authority`",
            Self::NoPath | Self::Address(_) => ALLOWED,
        }
    }
}

impl Target {
    /// Reads an endpoint. `authority` replaces the endpoint's own where it is not empty.
    pub(super) fn new(text: &str, authority: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        let (address, encrypted) = if let Some(path) = text.strip_prefix("unix:") {
            (Address::Unix(socket(path)?), None)
        } else {
            let schemes = [("http://", Some(false)), ("https://", Some(true)), ("dns:///", None), ("passthrough:///", None)];
            let of = schemes.iter().find_map(|(scheme, encrypted)| Some((text.strip_prefix(scheme)?, *encrypted)));
            let (rest, encrypted) = of.unwrap_or((text, None));
            (Address::Tcp(host_and_port(rest)?), encrypted)
        };
        let own = match &address {
            Address::Tcp(endpoint) => endpoint.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        };
        let authority = if authority.is_empty() { &own } else { authority };
        if authority.parse::<Authority>().is_err() {
            return Err(TargetError::Authority(authority.to_owned()));
        }
        Ok(Self { address, encrypted, authority: authority.to_owned() })
    }

    /// Whether the connection is to be encrypted. An endpoint with a scheme decides, else `insecure`; a socket of this machine never
    /// is, since no certificate could be for it.
    pub(super) fn is_encrypted(&self, insecure: bool) -> bool {
        match (&self.address, self.encrypted) {
            (Address::Unix(_), _) => false,
            (Address::Tcp(_), said) => said.unwrap_or(!insecure),
        }
    }

    /// What is connected to, as the connector reads it.
    pub(super) fn uri(&self, encrypted: bool) -> Result<Uri, http::Error> {
        let host = match &self.address {
            Address::Tcp(endpoint) => endpoint.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        };
        uri(encrypted, host)
    }

    /// What requests say that they are for.
    pub(super) fn origin(&self, encrypted: bool) -> Result<Uri, http::Error> {
        uri(encrypted, self.authority.clone())
    }
}

fn uri(encrypted: bool, authority: String) -> Result<Uri, http::Error> {
    Uri::builder().scheme(if encrypted { "https" } else { "http" }).authority(authority).path_and_query("/").build()
}

fn socket(path: &str) -> Result<PathBuf, TargetError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() { Err(TargetError::NoPath) } else { Ok(PathBuf::from(path)) }
}

fn host_and_port(text: &str) -> Result<Endpoint, TargetError> {
    let refused = || TargetError::Address(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
    if !port.parse::<u16>().is_ok_and(|port| port != 0) {
        return Err(TargetError::Port(port.to_owned()));
    }
    let endpoint: Endpoint = text.parse().map_err(|_| refused())?;
    if host.is_empty() { Err(refused()) } else { Ok(endpoint) }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(endpoint) => endpoint.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_collector_is_read() {
        let forms = [
            ("localhost:4317", "localhost:4317", None),
            ("http://localhost:4317", "localhost:4317", Some(false)),
            ("https://[::1]:4317", "[::1]:4317", Some(true)),
            ("dns:///collector.example:4317", "collector.example:4317", None),
            ("passthrough:///10.0.0.1:4317", "10.0.0.1:4317", None),
            ("unix:///run/otel.sock", "unix:/run/otel.sock", None),
            ("unix:otel.sock", "unix:otel.sock", None),
        ];
        for (text, shown, encrypted) in forms {
            let target = Target::new(text, "").unwrap();
            assert_eq!((target.to_string().as_str(), target.encrypted), (shown, encrypted), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_a_reason() {
        let refused = [
            ("localhost", "\"localhost\" names no host and port"),
            ("localhost:http", "\"http\" is no port"),
            ("http://localhost:4317/", "\"4317/\" is no port"),
            ("localhost:0", "\"0\" is no port"),
            (":4317", "\":4317\" names no host and port"),
            ("a b:4317", "\"a b:4317\" names no host and port"),
            ("dns://8.8.8.8/x:4317", "\"dns://8.8.8.8/x:4317\" names no host and port"),
            ("unix://", "unix socket path cannot be empty"),
        ];
        for (text, reason) in refused {
            assert_eq!(Target::new(text, "").unwrap_err().to_string(), reason, "{text}");
        }
        assert_eq!(Target::new("a:1", "b c").unwrap_err(), TargetError::Authority("b c".into()));
    }
}
