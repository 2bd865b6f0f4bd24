//! Which destinations are reached through a proxy.
//!
//! The variables and their rules are hyper-util's, which are curl's; as in Go, a proxy of the environment is never asked for this machine.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::Matcher;

/// A proxy, if any, for each destination.
#[derive(Debug, Clone)]
pub struct Proxy {
    rules: Arc<Matcher>,
    spares_loopback: bool,
}

/// A proxy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no proxy that can be used; allowed: http://HOST:PORT, with USER:PASSWORD@ before the host if it asks for one")]
pub struct ProxyError(String);

/// A proxy that is to be used.
#[derive(Debug, Clone)]
pub(super) struct Via {
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in capitals or not.
    pub fn from_environment() -> Self {
        Self { rules: Arc::new(Matcher::from_env()), spares_loopback: true }
    }

    /// One proxy for every destination, as `http://HOST:PORT`.
    pub fn fixed(url: &str) -> Result<Self, ProxyError> {
        let rules = Arc::new(Matcher::builder().all(url).build());
        let used = rules.intercept(&Uri::from_static("https://destination.invalid"));
        // A password must not come into an error.
        let refused = || ProxyError(url.rsplit_once('@').map_or(url, |(_, rest)| rest).to_owned());
        match used {
            Some(used) if used.uri().scheme_str() == Some("http") => Ok(Self { rules, spares_loopback: false }),
            _ => Err(refused()),
        }
    }

    /// The proxy to reach `destination` through.
    pub(super) fn toward(&self, destination: &Uri) -> Option<Via> {
        if self.spares_loopback && destination.host().is_none_or(is_loopback) {
            return None;
        }
        let used = self.rules.intercept(destination)?;
        Some(Via { uri: used.uri().clone(), authorization: used.basic_auth().cloned() })
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
