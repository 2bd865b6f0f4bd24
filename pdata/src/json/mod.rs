//! OTLP in JSON, to and from bytes: for files that people and tests read and write.
//!
//! Tables of names drive a reader straight into the wire format and a writer straight out of it, for all signals alike. The prost types with
//! their serde feature (opentelemetry-proto 0.33.1) were tried first. What is wrong or merely unusual anywhere inside a metric's data or
//! a point's value, a `NaN` for instance, makes them drop that data without a word, since its error is lost in a flattened choice; they take ids of
//! any length, and refuse `null` and names of enums. That cannot be corrected from outside, so their types are left to the tests. JSON itself is
//! `serde_json`'s, and Base64 is `base64`'s.

mod decode;
mod encode;
mod scalar;
mod table;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde::de::DeserializeSeed;

use crate::wire::{Malformed, Reader, Writer};
use table::Table;

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `ExportMetricsServiceRequest` or `MetricsData`, which are the same on the wire; so are the others.
    Metrics,
    /// `ExportLogsServiceRequest` or `LogsData`.
    Logs,
    /// `ExportTraceServiceRequest` or `TracesData`.
    Traces,
}

impl Request {
    const ALL: [Self; 3] = [Self::Metrics, Self::Logs, Self::Traces];

    fn table(self) -> &'static Table {
        match self {
            Self::Metrics => &table::METRICS,
            Self::Logs => &table::LOGS,
            Self::Traces => &table::TRACES,
        }
    }
}

/// A text that is no OTLP request in JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct JsonError {
    /// Line of the text, from 1.
    pub line: usize,
    /// Byte of that line at which reading stopped, from 1; 0 before the first.
    pub column: usize,
    /// What is there, and what was expected.
    pub message: String,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column, text) = (error.line(), error.column(), error.to_string());
        let place = format!(" at line {line} column {column}");
        let message = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        Self { line, column, message }
    }
}

/// Reads a request of any signal, which its key `resourceMetrics`, `resourceLogs` or `resourceSpans` tells.
///
/// The rules of [`decode`] hold; a text without any of these keys is an error here, since it could be anything.
pub fn decode_any(text: &str) -> Result<(Request, Bytes), JsonError> {
    let mut out = Writer::with_capacity(text.len() / 2);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let request = decode::Any(&mut out).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((request, out.into_vec().into()))
}

/// Reads a request: `{"resourceLogs": [...]}` and so on.
///
/// As the specification says: names in lowerCamelCase, ids in hexadecimal, 64-bit numbers in quotes or not, enums as numbers (names are
/// taken as well), unknown fields ignored, `null` the same as absent. A field that occurs twice, or two of which only one is allowed, is an error.
pub fn decode(request: Request, text: &str) -> Result<Bytes, JsonError> {
    let mut out = Writer::with_capacity(text.len() / 2);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    decode::Message { out: &mut out, table: request.table() }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(out.into_vec().into())
}

/// Writes a serialized request in JSON, on one line and without a line's end.
///
/// Fields without a name in OTLP are left out, and text that is not UTF-8 is replaced by U+FFFD where it is not: JSON has no other
/// way. Fails if the bytes are malformed or nest deeper than [`crate::validate::MAX_DEPTH`].
pub fn encode(request: Request, bytes: &[u8]) -> Result<String, Malformed> {
    let object = encode::object(Reader::new(bytes), request.table(), 1)?;
    Ok(object.to_string())
}
