//! The protobuf wire format: a bounded reader, a writer, and what can be wrong with bytes.
//!
//! Groups (wire types 3 and 4) are refused: OTLP has none, proto3 cannot declare one, and skipping them
//! is the only thing in the format that needs recursion to find where a field ends.

mod reader;
mod repeated;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use reader::read_varint;
pub use reader::{Field, Fields, Reader, Wire};
pub use repeated::{Fixed64s, Repeated, Varints, View};
pub(crate) use writer::push_varint;
pub use writer::{Expect, Writer, varint_width};

/// Wire type of an integer in base 128.
pub(crate) const VARINT: u64 = 0;
/// Wire type of eight little-endian bytes.
pub(crate) const FIXED64: u64 = 1;
/// Wire type of a length and so many bytes: text, bytes, messages, packed numbers.
pub(crate) const LEN: u64 = 2;
/// Wire type of four little-endian bytes.
pub(crate) const FIXED32: u64 = 5;

/// Bytes that are not what they should be, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed OTLP at byte {offset}: {what}")]
pub struct Malformed {
    /// Bytes from the start of the request to the field at fault.
    pub offset: usize,
    /// What is wrong there.
    pub what: Fault,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes end inside a field.
    #[error("the field is cut off")]
    Truncated,
    /// A varint is longer than ten bytes or larger than 64 bits.
    #[error("the varint does not fit 64 bits")]
    Overlong,
    /// Field number 0, or above 2^29 - 1 (protobuf's own limits).
    #[error("the field number is not within 1 to 536870911")]
    FieldNumber,
    /// A group, or one of the two wire types that do not exist.
    #[error("wire type {0} is not allowed")]
    WireType(u8),
    /// A known field is encoded as another kind of value than its declaration says.
    #[error("field {0} has a wire type other than declared")]
    Mismatch(u32),
    /// A singular message (or a `oneof` of messages) occurs twice.
    #[error("field {0} is a singular message but occurs again")]
    Repeated(u32),
    /// Messages nest deeper than [`crate::validate::MAX_DEPTH`].
    #[error("messages nest deeper than {max}", max = crate::validate::MAX_DEPTH)]
    TooDeep,
    /// A trace or span id of a length other than 0 and its own.
    #[error("field {number} is an id of {found} bytes, must be 0 or {allowed}")]
    IdLength {
        /// The field's number in its message.
        number: u32,
        /// The id's length in bytes.
        found: usize,
        /// The only length allowed besides 0.
        allowed: usize,
    },
    /// A text is not UTF-8.
    #[error("field {0} is not UTF-8")]
    Utf8(u32),
}
