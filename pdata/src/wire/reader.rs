//! Field by field over a slice, never beyond it.

use super::{FIXED32, FIXED64, Fault, LEN, Malformed, VARINT};

/// Longest encoding of a 64-bit varint: ten groups of seven bits.
const VARINT_MAX: usize = 10;
/// Largest field number protobuf allows.
const NUMBER_MAX: u64 = (1 << 29) - 1;

/// A field's value as the wire gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire<'a> {
    /// `int32`, `int64`, `uint32`, `uint64`, `sint32`, `bool`, enums.
    Varint(u64),
    /// `fixed64`, `sfixed64`, `double` (as bits).
    Fixed64(u64),
    /// `string`, `bytes`, messages, packed numbers.
    Len(&'a [u8]),
    /// `fixed32`, `float` (as bits).
    Fixed32(u32),
}

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Number from the message's declaration, 1 to 2^29 - 1.
    pub number: u32,
    /// What it holds.
    pub value: Wire<'a>,
}

/// Reads the fields of one message and knows how far into the request it is.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    end: usize,
}

impl<'a> Reader<'a> {
    /// Reads `message`, whose first byte is offset 0.
    pub fn new(message: &'a [u8]) -> Self {
        Self::at(message, 0)
    }

    /// Reads `message`, whose first byte lies `offset` bytes into the request. Only [`Self::offset`] and errors depend on it.
    pub fn at(message: &'a [u8], offset: usize) -> Self {
        Self { rest: message, end: offset.saturating_add(message.len()) }
    }

    /// Reads the message that the field just returned holds: `content` must be that field's [`Wire::Len`].
    #[must_use]
    pub fn nested(&self, content: &'a [u8]) -> Self {
        Self { rest: content, end: self.offset() }
    }

    /// Bytes from the start of the request to the next field.
    #[inline]
    pub fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// The next field, or `None` at the end of the message. After an error the message counts as ended.
    #[inline]
    pub fn next_field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut rest = self.rest;
        match field(&mut rest) {
            Ok(field) => {
                self.rest = rest;
                Ok(Some(field))
            }
            Err(what) => {
                let offset = self.offset();
                self.rest = &[];
                Err(Malformed { offset, what })
            }
        }
    }
}

/// The fields of one message that passed [`crate::validate`]: ends at the first malformed field.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of `message`.
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        // No offset to keep and no reason to report: this is the loop that everything else waits for.
        let field = field(&mut self.rest).ok();
        if field.is_none() {
            self.rest = &[];
        }
        field
    }
}

#[expect(
    clippy::inline_always,
    reason = "every loop over fields waits for this one; out of line it costs a third more (examples/cost)"
)]
#[inline(always)]
fn field<'a>(rest: &mut &'a [u8]) -> Result<Field<'a>, Fault> {
    let key = read_varint(rest)?;
    let number = key >> 3;
    if number == 0 || number > NUMBER_MAX {
        return Err(Fault::FieldNumber);
    }
    let number = u32::try_from(number).map_err(|_| Fault::FieldNumber)?;
    let value = match key & 7 {
        VARINT => Wire::Varint(read_varint(rest)?),
        FIXED64 => Wire::Fixed64(u64::from_le_bytes(array(rest)?)),
        LEN => {
            let length = usize::try_from(read_varint(rest)?).map_err(|_| Fault::Truncated)?;
            let (content, tail) = rest.split_at_checked(length).ok_or(Fault::Truncated)?;
            *rest = tail;
            Wire::Len(content)
        }
        FIXED32 => Wire::Fixed32(u32::from_le_bytes(array(rest)?)),
        other => return Err(Fault::WireType(u8::try_from(other).unwrap_or(u8::MAX))),
    };
    Ok(Field { number, value })
}

#[inline]
fn array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Fault> {
    let (value, tail) = rest.split_first_chunk().ok_or(Fault::Truncated)?;
    *rest = tail;
    Ok(*value)
}

/// Takes one varint off the front.
#[inline]
pub(crate) fn read_varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    match rest.split_first() {
        // Nearly every key and length is below 128.
        Some((&byte, tail)) if byte < 0x80 => {
            *rest = tail;
            Ok(u64::from(byte))
        }
        Some(_) => long_varint(rest),
        None => Err(Fault::Truncated),
    }
}

fn long_varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    let mut value = 0;
    for (index, &byte) in rest.iter().take(VARINT_MAX).enumerate() {
        // The tenth byte has room for one bit.
        if index == VARINT_MAX - 1 && byte > 1 {
            return Err(Fault::Overlong);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *rest = rest.get(index + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    Err(Fault::Truncated)
}
