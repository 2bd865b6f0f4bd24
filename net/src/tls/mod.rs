//! TLS for clients and servers: the keys of the Collector's `tls` blocks, and what is made of them.
//!
//! rustls with ring, handed over explicitly: no process-wide default that another crate could set first. Files are read when a
//! component is built, so that a wrong one is a build error, and again while it runs if `reload_interval` asks for it. A replacement
//! that cannot be used (a certificate whose key has not been written yet) leaves what is there in place.

mod client;
mod common;
mod config;
mod explain;
mod live;
mod material;
mod server;
#[cfg(test)]
mod tests;
mod unverified;

pub use client::Tls;
pub use common::Version;
pub use config::{ClientConfig, ServerConfig};
pub use explain::explain;
pub use material::TlsError;
pub use server::TlsServer;
