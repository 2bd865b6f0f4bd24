//! Listeners, HTTP serving, TLS and HTTP clients for components.

pub mod client;
pub mod http;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tls;
