//! Connections to other services: reaching them, and saying who we are.
//!
//! One [`Connector`] serves every client, tonic's channels and hyper's pool alike, so that TLS, proxies, deadlines and error texts are
//! the same whatever is spoken on top.

mod auth;
mod connector;
pub mod http;
mod proxy;
mod stream;
#[cfg(test)]
mod tests;

pub use auth::{Auth, Basic, Credentials, CredentialsError, Headers, header_map, validate_headers};
pub use connector::{ConnectError, Connector};
pub use proxy::{Proxy, ProxyError};
pub use stream::Stream;
