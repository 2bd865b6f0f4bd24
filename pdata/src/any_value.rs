//! A value of any kind: what attributes and log bodies hold.

mod render;

use crate::{
    attributes::Attributes,
    text::Text,
    wire::{Fields, Repeated, View, Wire},
};

/// A borrowed `AnyValue`. Nested values are read when they are iterated, so looking at a value costs no recursion.
#[derive(Debug, Clone, Copy)]
pub enum AnyValue<'a> {
    /// No value, or an index into a profiles dictionary, which metrics and logs do not have.
    Empty,
    /// A text.
    Str(Text<'a>),
    /// True or false.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// A floating-point number, possibly NaN or infinite.
    Double(f64),
    /// Arbitrary bytes.
    Bytes(&'a [u8]),
    /// A list of values.
    Array(Array<'a>),
    /// Values by key.
    Map(Map<'a>),
}

/// The values of an `ArrayValue`.
#[derive(Debug, Clone, Copy)]
pub struct Array<'a>(&'a [u8]);

impl<'a> Array<'a> {
    /// The values in wire order.
    pub fn iter(self) -> Repeated<'a, AnyValue<'a>> {
        Repeated::new(self.0, 1)
    }
}

/// The entries of a `KeyValueList`.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a>(&'a [u8]);

impl<'a> Map<'a> {
    /// The entries, read like attributes.
    pub fn entries(self) -> Attributes<'a> {
        Attributes::new(self.0, 1)
    }
}

/// The last member of the `oneof` on the wire wins.
impl<'a> View<'a> for AnyValue<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut value = Self::Empty;
        for field in Fields::new(bytes) {
            value = match (field.number, field.value) {
                (1, Wire::Len(text)) => Self::Str(Text::new(text)),
                (2, Wire::Varint(flag)) => Self::Bool(flag != 0),
                (3, Wire::Varint(bits)) => Self::Int(bits.cast_signed()),
                (4, Wire::Fixed64(bits)) => Self::Double(f64::from_bits(bits)),
                (5, Wire::Len(values)) => Self::Array(Array(values)),
                (6, Wire::Len(entries)) => Self::Map(Map(entries)),
                (7, Wire::Len(bytes)) => Self::Bytes(bytes),
                (8, Wire::Varint(_)) => Self::Empty,
                _ => value,
            };
        }
        value
    }
}
