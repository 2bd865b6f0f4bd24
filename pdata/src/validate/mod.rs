//! One structural walk over a request, at the door: after it views, counts and edits may trust the shape.
//!
//! Checked: every field ends within its message, known fields have their declared wire type, nesting, length of ids, and text encoding if
//! wanted. Unknown fields must be well-formed and are otherwise left alone.
//!
//! Stricter than protobuf in one point: a *singular* message that occurs twice is refused. A protobuf decoder would merge the two;
//! no known encoder writes that, and reading it rightly would cost every view on every request.

pub(crate) mod schema;
#[cfg(test)]
mod tests;

use crate::wire::{Fault, Field, Malformed, Reader, Wire, read_varint};
use schema::{Kind, Schema};

/// How deep messages may nest, the request being the first level. A value in a list in a list costs two levels per list,
/// three per map; so attribute values may nest about 18 maps deep. Protobuf decoders commonly stop at 100 messages.
pub const MAX_DEPTH: usize = 64;

/// What to do about text that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Utf8 {
    /// Refuse the request, as protobuf decoders do.
    Require,
    /// Let it pass: [`crate::text::Text`] keeps the bytes.
    Ignore,
}

/// Checks a serialized `ExportMetricsServiceRequest`.
pub fn metrics(request: &[u8], utf8: Utf8) -> Result<(), Malformed> {
    walk(Reader::new(request), &schema::METRICS, 1, utf8)
}

/// Checks a serialized `ExportLogsServiceRequest`.
pub fn logs(request: &[u8], utf8: Utf8) -> Result<(), Malformed> {
    walk(Reader::new(request), &schema::LOGS, 1, utf8)
}

/// Checks a serialized `ExportTraceServiceRequest`.
pub fn traces(request: &[u8], utf8: Utf8) -> Result<(), Malformed> {
    walk(Reader::new(request), &schema::TRACES, 1, utf8)
}

/// Checks a serialized `ExportProfilesServiceRequest`, its dictionary included. Whether indexes lie within the dictionary is left
/// to those who follow them.
pub fn profiles(request: &[u8], utf8: Utf8) -> Result<(), Malformed> {
    walk(Reader::new(request), &schema::profiles::PROFILES, 1, utf8)
}

fn walk(mut message: Reader<'_>, schema: &Schema, depth: usize, utf8: Utf8) -> Result<(), Malformed> {
    // Bit per singular message seen; bit 0 stands for a `oneof` of messages.
    let mut seen = 0_u32;
    loop {
        let offset = message.offset();
        let Some(Field { number, value }) = message.next_field()? else {
            return Ok(());
        };
        let (nested, once) = match schema.kind(number) {
            Kind::Many(nested) => (nested, 0),
            Kind::One(nested) => (nested, 1 << (number & 31)),
            Kind::OneOf(nested) => (nested, 1),
            kind => {
                scalar(kind, number, value, utf8).map_err(|what| Malformed { offset, what })?;
                continue;
            }
        };
        let fault = |what| Err(Malformed { offset, what });
        let Wire::Len(content) = value else {
            return fault(Fault::Mismatch(number));
        };
        if seen & once != 0 {
            return fault(Fault::Repeated(number));
        }
        seen |= once;
        if depth >= MAX_DEPTH {
            return fault(Fault::TooDeep);
        }
        walk(message.nested(content), nested, depth + 1, utf8)?;
    }
}

#[inline]
fn scalar(kind: Kind, number: u32, value: Wire<'_>, utf8: Utf8) -> Result<(), Fault> {
    match (kind, value) {
        (Kind::Text, Wire::Len(text)) => {
            if utf8 == Utf8::Require && std::str::from_utf8(text).is_err() {
                return Err(Fault::Utf8(number));
            }
        }
        (Kind::Id(allowed), Wire::Len(id)) => {
            if !id.is_empty() && id.len() != allowed {
                return Err(Fault::IdLength { number, found: id.len(), allowed });
            }
        }
        (Kind::Varints, Wire::Len(mut packed)) => {
            while !packed.is_empty() {
                read_varint(&mut packed)?;
            }
        }
        (Kind::Fixed64s, Wire::Len(packed)) => {
            if !packed.len().is_multiple_of(8) {
                return Err(Fault::Truncated);
            }
        }
        (Kind::Unknown, _)
        | (Kind::Varint | Kind::Varints, Wire::Varint(_))
        | (Kind::Fixed64 | Kind::Fixed64s, Wire::Fixed64(_))
        | (Kind::Fixed32, Wire::Fixed32(_))
        | (Kind::Bytes, Wire::Len(_)) => {}
        _ => return Err(Fault::Mismatch(number)),
    }
    Ok(())
}
