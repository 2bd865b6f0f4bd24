//! What a gRPC status means for the data that was sent.
//!
//! Read here rather than by tonic, whose `Status::from_header_map` panics on details that are not base64.

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use deferd_component::ExportError;
use deferd_pdata::wire::{Fields, Wire};
use hyper::{HeaderMap, StatusCode};
use percent_encoding::percent_decode;
use tonic::Code;

/// gRPC says that binary headers may come with padding or without.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// Longest text of a server that is shown.
const MAX_TEXT: usize = 300;

/// What a server asks for is honoured up to this: nobody means more, and a larger number is an error of its clock or its units.
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// A status, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: Code,
    message: String,
    /// `RetryInfo` of the details.
    delay: Option<Duration>,
}

impl Status {
    /// The status in trailers (or in the head, of an answer that has no body). `None` if there is none.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let code = Code::from_bytes(headers.get("grpc-status")?.as_bytes());
        let message = headers
            .get("grpc-message")
            .map_or_else(String::new, |text| shown(&percent_decode(text.as_bytes()).decode_utf8_lossy()));
        let details = headers.get("grpc-status-details-bin").and_then(|text| BASE64.decode(text.as_bytes()).ok());
        let delay = details.as_deref().and_then(retry_delay);
        Some(Self { code, message, delay })
    }

    /// What gRPC makes of an answer that comes from something else, such as a proxy.
    pub(super) fn of_http(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            400 => Code::Internal,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::Unimplemented,
            429 | 502 | 503 | 504 => Code::Unavailable,
            _ => Code::Unknown,
        };
        Self { code, message: format!("answered with HTTP status {status} instead of gRPC"), delay: None }
    }

    /// Whether to send again, by OTLP's table.
    pub(super) fn failure(&self, target: &str) -> ExportError {
        let separator = if self.message.is_empty() { "" } else { ": " };
        let message = format!("{target}: {}{separator}{}", name(self.code), self.message);
        let retryable = match self.code {
            Code::Cancelled | Code::DeadlineExceeded | Code::Aborted | Code::OutOfRange | Code::Unavailable | Code::DataLoss => {
                true
            }
            // Without a delay the server means that the data does not fit, ever.
            Code::ResourceExhausted => self.delay.is_some(),
            _ => false,
        };
        if retryable { ExportError::Retryable { message, after: self.delay } } else { ExportError::Permanent { message } }
    }
}

/// A text of a server: one line, bounded.
pub(super) fn shown(text: &str) -> String {
    let line = deferd_config::one_line(text);
    match line.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The name as the specification writes it.
const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The content of a field of that number and of wire type LEN, the first of them.
fn content(message: &[u8], number: u32) -> Option<&[u8]> {
    contents(message, number).next()
}

fn contents(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Fields::new(message).filter_map(move |field| match field.value {
        Wire::Len(content) if field.number == number => Some(content),
        _ => None,
    })
}

/// The delay of the first `google.rpc.RetryInfo` in a `google.rpc.Status`. Malformed bytes hold none. The header they come from is bounded.
fn retry_delay(status: &[u8]) -> Option<Duration> {
    let info = contents(status, 3).find(|any| content(any, 1).is_some_and(|url| url.ends_with(b"/google.rpc.RetryInfo")))?;
    let delay = content(content(info, 2).unwrap_or_default(), 1)?;
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields::new(delay) {
        match (field.number, field.value) {
            (1, Wire::Varint(value)) => seconds = value,
            (2, Wire::Varint(value)) => nanos = value,
            _ => {}
        }
    }
    // Negative ones are huge here, and mean "at once".
    let (Ok(seconds), Ok(nanos)) = (i64::try_from(seconds), u32::try_from(nanos)) else { return Some(Duration::ZERO) };
    let delay = Duration::from_secs(seconds.unsigned_abs()).saturating_add(Duration::from_nanos(nanos.into()));
    Some(delay.min(LONGEST_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(details: &str) -> Status {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", "8".parse().unwrap());
        headers.insert("grpc-message", "too%20much%0Aof it".parse().unwrap());
        headers.insert("grpc-status-details-bin", details.parse().unwrap());
        Status::read(&headers).unwrap()
    }

    #[test]
    fn the_delay_is_found_padded_or_not_and_the_message_is_one_line() {
        // code 8, one detail: type.googleapis.com/google.rpc.RetryInfo with 1 s and 500,000,000 ns.
        let padded = "CAgaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAyrXuAQ==";
        for details in [padded, padded.trim_end_matches('=')] {
            let failure = status(details).failure("a:1");
            let message = "a:1: RESOURCE_EXHAUSTED: too much\\nof it".to_owned();
            assert_eq!(failure, ExportError::Retryable { message, after: Some(Duration::from_millis(1500)) });
        }
    }

    #[test]
    fn details_that_are_garbage_are_no_delay() {
        for details in ["", "%%%", "////", "GgIK", "Gv////8P"] {
            assert!(matches!(status(details).failure("a:1"), ExportError::Permanent { .. }), "{details}");
        }
    }

    #[test]
    fn a_delay_beyond_reason_is_cut() {
        let field = |number: u8, content: &[u8]| [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat();
        let delay = [&[0x08], [0xff; 8].as_slice(), &[0x7f]].concat();
        let any = [field(1, b"x/google.rpc.RetryInfo"), field(2, &field(1, &delay))].concat();
        assert_eq!(retry_delay(&field(3, &any)), Some(LONGEST_DELAY));
    }

    #[test]
    fn a_long_text_of_a_server_is_cut() {
        assert_eq!(shown(&"x".repeat(1000)).len(), MAX_TEXT + 3);
    }
}
