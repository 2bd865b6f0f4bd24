//! What a sink answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use prost::Message;

/// One way to answer a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    /// OK; the data is kept.
    #[default]
    Accept,
    /// OK, after this time.
    Slow(Duration),
    /// Nothing, until the sink is told another answer.
    Hang,
    /// This gRPC status, with a message and `grpc-status-details-bin`; the data is not kept.
    Status {
        /// From 0 to 16, or not.
        code: u32,
        /// As it is sent: percent-encoded.
        message: String,
        /// See [`retry_info`].
        details: Option<String>,
    },
    /// OK, with `partial_success`; the data is kept.
    Partial {
        /// Items that were not taken.
        rejected: i64,
        /// Why.
        message: String,
    },
    /// OK, with this body, prefix and all, and this `grpc-encoding`; the data is not kept.
    Garbage(Vec<u8>, &'static str),
    /// This HTTP status, with a body of HTML; the data is not kept.
    Http(u16),
    /// An answer that ends without a status; the data is not kept.
    Cut,
}

impl Answer {
    /// A status with nothing else.
    pub fn status(code: u32) -> Self {
        Self::Status { code, message: "as told".into(), details: None }
    }

    /// Whether the data counts as taken.
    pub(super) const fn takes(&self) -> bool {
        matches!(self, Self::Accept | Self::Partial { .. })
    }

    /// The message of an answer with status OK. Its fields have the same numbers for every signal.
    pub(super) fn message(&self) -> Vec<u8> {
        let partial_success = match self {
            Self::Partial { rejected, message } => {
                Some(ExportMetricsPartialSuccess { rejected_data_points: *rejected, error_message: message.clone() })
            }
            _ => None,
        };
        ExportMetricsServiceResponse { partial_success }.encode_to_vec()
    }
}

/// `grpc-status-details-bin` of a `google.rpc.Status` that asks for a delay by `google.rpc.RetryInfo`.
///
/// # Panics
/// With a delay too long for the varints of this function.
pub fn retry_info(code: u32, delay: Duration) -> String {
    let field = |number: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).ok().filter(|length| *length < 0x80).expect("short");
        [&[number << 3 | 2, length], content].concat()
    };
    let varint = |number: u8, value: u64| {
        let mut bytes = vec![number << 3];
        prost::encoding::encode_varint(value, &mut bytes);
        bytes
    };
    let duration = [varint(1, delay.as_secs()), varint(2, delay.subsec_nanos().into())].concat();
    let info = [field(1, b"type.googleapis.com/google.rpc.RetryInfo"), field(2, &field(1, &duration))].concat();
    STANDARD_NO_PAD.encode([varint(1, code.into()), field(3, &info)].concat())
}
