//! Writes fields into one buffer, nested messages with their exact length.
//!
//! A message's length stands before its content but is known after it. Writing everything twice (sizes
//! first) makes every caller describe its data twice; padding the length to a fixed width is legal but
//! makes every message longer. So room for a length of the expected width is left, the content is written, and
//! only if the guess was wrong the content moves by a byte or two. Guesses are right for nearly everything
//! that OTLP nests, which [`Expect`] names.

use super::{FIXED32, FIXED64, LEN, VARINT};

/// Expected size of a nested message's content. A wrong guess costs one move of that content, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Below 128 bytes: an attribute, a value.
    Small,
    /// Below 16 KiB: a data point, a log record.
    Medium,
    /// Below 2 MiB: a metric, a scope, a resource with all it holds.
    Large,
}

impl Expect {
    fn width(self) -> usize {
        match self {
            Self::Small => 1,
            Self::Medium => 2,
            Self::Large => 3,
        }
    }
}

/// A message being written.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// A writer with room for `capacity` bytes before it has to grow.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity) }
    }

    /// The bytes written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// The bytes written.
    pub fn into_vec(self) -> Vec<u8> {
        self.out
    }

    /// Takes over fields that are encoded already.
    pub fn encoded(&mut self, fields: &[u8]) {
        self.out.extend_from_slice(fields);
    }

    /// Writes a varint field: any integer but the fixed ones, a `bool`, an enum.
    pub fn varint(&mut self, number: u32, value: u64) {
        self.tag(number, VARINT);
        push_varint(&mut self.out, value);
    }

    /// Writes a `fixed64` field.
    pub fn fixed64(&mut self, number: u32, value: u64) {
        self.tag(number, FIXED64);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes a `double` field.
    pub fn double(&mut self, number: u32, value: f64) {
        self.fixed64(number, value.to_bits());
    }

    /// Writes a `fixed32` field.
    pub fn fixed32(&mut self, number: u32, value: u32) {
        self.tag(number, FIXED32);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes a `string`, `bytes` or ready message field.
    pub fn bytes(&mut self, number: u32, content: &[u8]) {
        self.tag(number, LEN);
        push_varint(&mut self.out, content.len() as u64);
        self.out.extend_from_slice(content);
    }

    /// Writes a `string` field unless it is empty, which is what its absence means.
    pub fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    /// Writes a packed repeated `fixed64` field unless it is empty.
    pub fn packed_fixed64(&mut self, number: u32, values: impl ExactSizeIterator<Item = u64>) {
        if values.len() == 0 {
            return;
        }
        self.tag(number, LEN);
        push_varint(&mut self.out, (values.len() as u64).saturating_mul(8));
        for value in values {
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// Writes a nested message: what `write` writes.
    pub fn nested(&mut self, number: u32, expect: Expect, write: impl FnOnce(&mut Self)) {
        let nested = self.open(number, expect);
        write(self);
        self.close(&nested);
    }

    /// Begins a nested message; what is written until [`Self::close`] or [`Self::cancel`] is its content.
    pub(crate) fn open(&mut self, number: u32, expect: Expect) -> Nested {
        let start = self.out.len();
        self.tag(number, LEN);
        let length_at = self.out.len();
        let content_at = length_at + expect.width();
        self.out.resize(content_at, 0);
        Nested { start, length_at, content_at }
    }

    /// Ends the message last opened.
    pub(crate) fn close(&mut self, nested: &Nested) {
        let length = self.out.len().saturating_sub(nested.content_at) as u64;
        if varint_width(length) == nested.content_at - nested.length_at {
            let slots = self.out.iter_mut().skip(nested.length_at);
            for (slot, byte) in slots.zip(varint_bytes(length)) {
                *slot = byte;
            }
        } else {
            self.out.splice(nested.length_at..nested.content_at, varint_bytes(length));
        }
    }

    /// Takes the message last opened back, with all its content.
    pub(crate) fn cancel(&mut self, nested: &Nested) {
        self.out.truncate(nested.start);
    }

    fn tag(&mut self, number: u32, wire_type: u64) {
        push_varint(&mut self.out, u64::from(number) << 3 | wire_type);
    }
}

/// Where a message that is being written began.
#[derive(Debug)]
#[must_use = "a message left open has a wrong length"]
pub(crate) struct Nested {
    start: usize,
    length_at: usize,
    content_at: usize,
}

/// Bytes that `value` takes as a varint: 1 to 10.
pub fn varint_width(value: u64) -> usize {
    // `| 1`: zero takes a byte too.
    ((value | 1).ilog2() / 7 + 1) as usize
}

pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn varint_bytes(value: u64) -> impl Iterator<Item = u8> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let value = rest?;
        rest = (value >= 0x80).then_some(value >> 7);
        let more = if rest.is_some() { 0x80 } else { 0 };
        Some((value & 0x7f) as u8 | more)
    })
}
