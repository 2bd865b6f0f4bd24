//! Parts for tests of the built binary: child processes that never outlive a test, ports, plain HTTP, waiting with a deadline, and
//! the Go programs and services that are watched.
//!
//! The tests are in `tests/`. Nothing here uses deferd as a library: what a user cannot see does not count.
#![expect(clippy::expect_used, clippy::panic, reason = "only tests use this crate, and a failed expectation is their message")]

pub mod alerting;
pub mod alertmanager;
pub mod apart;
pub mod collector;
pub mod config;
pub mod deferd;
pub mod exposition;
pub mod files;
pub mod http;
pub mod leaks;
pub mod lookalikes;
pub mod matrix;
pub mod nats;
pub mod otlp_sink;
pub mod panics;
pub mod port;
pub mod probing;
pub mod process;
pub mod programs;
pub mod prometheus;
pub mod rates;
pub mod recording;
pub mod snapshot;
pub mod teller;
pub mod wait;
pub mod webhook;
