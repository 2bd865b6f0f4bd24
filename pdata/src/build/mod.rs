//! Writing requests: what our own receivers and processors produce.
//!
//! A builder writes the final bytes at once, so there is nothing to convert afterwards. Nesting is by closures: what is
//! opened is closed. A resource, scope or metric into which nothing was put is not written.

mod attributes;
mod logs;
mod metrics;
mod shell;
mod value;

#[cfg(test)]
mod tests;

pub use attributes::{AttributeSet, EncodedAttributes};
pub use logs::{LogsBuilder, LogsResource, LogsScope, Record};
pub use metrics::{
    Exemplar, HistogramPoint, HistogramPoints, MetricsBuilder, MetricsResource, MetricsScope, NumberPoint, NumberPoints,
};
pub use value::{Value, encode_value};
