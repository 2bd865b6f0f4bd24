//! OTLP as bytes: views, edits, counts and builders.
//!
//! A serialized `ExportMetricsServiceRequest` (or logs, or traces) is never turned into owned objects. It is read
//! through borrowed views, changed by splicing, and produced by builders that write the final bytes.
//! A field that nobody here knows survives all of it, because nobody here copies fields one by one.
//!
//! # Who checks what
//! [`validate`] runs once, where bytes enter the process. Views are for bytes that passed it: on others
//! they are still safe (no panic, no allocation, bounded time) but end early at the first malformed
//! field, and they read a singular message that occurs twice by its last occurrence instead of merging the two.
//! `validate` refuses both, so that on accepted bytes views, counts, edits and a protobuf decoder agree.
//! Counts and edits report malformed bytes, since an early end would lose data there.

pub use bytes::Bytes;

pub mod any_value;
pub mod attributes;
pub mod build;
pub mod edit;
pub mod envelope;
#[cfg(feature = "json")]
pub mod json;
pub mod logs;
pub mod metrics;
pub mod profiles;
pub mod text;
pub mod traces;
pub mod validate;
pub mod wire;

#[cfg(test)]
mod differential;

/// The README's example is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
