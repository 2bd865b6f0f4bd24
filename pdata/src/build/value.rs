//! Values to be written.

use crate::wire::{Expect, Writer};

/// A value of any kind, borrowed where it can be.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value<'a> {
    /// No value.
    #[default]
    Empty,
    /// A text.
    Str(&'a str),
    /// True or false.
    Bool(bool),
    /// A signed integer. There is no unsigned one in OTLP.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Arbitrary bytes.
    Bytes(&'a [u8]),
    /// A list of values.
    Array(Vec<Value<'a>>),
    /// Values by key.
    Map(Vec<(&'a str, Value<'a>)>),
}

impl Value<'_> {
    /// Writes the fields of an `AnyValue`. The members of a `oneof` are written even if zero.
    pub(super) fn write(&self, out: &mut Writer) {
        match self {
            Self::Empty => {}
            Self::Str(text) => out.bytes(1, text.as_bytes()),
            Self::Bool(flag) => out.varint(2, u64::from(*flag)),
            Self::Int(value) => out.varint(3, value.cast_unsigned()),
            Self::Double(value) => out.double(4, *value),
            Self::Bytes(bytes) => out.bytes(7, bytes),
            Self::Array(values) => out.nested(5, Expect::Small, |out| {
                for value in values {
                    out.nested(1, Expect::Small, |out| value.write(out));
                }
            }),
            Self::Map(entries) => out.nested(6, Expect::Small, |out| {
                for (key, value) in entries {
                    write_pair(out, 1, key, value);
                }
            }),
        }
    }
}

/// Writes a `KeyValue` as field `number`.
pub(super) fn write_pair(out: &mut Writer, number: u32, key: &str, value: &Value<'_>) {
    out.nested(number, Expect::Small, |out| {
        out.text(1, key);
        out.nested(2, Expect::Small, |out| value.write(out));
    });
}

/// A serialized `AnyValue`, such as [`crate::any_value::AnyValue`] reads.
pub fn encode_value(value: &Value<'_>) -> Vec<u8> {
    let mut out = Writer::default();
    value.write(&mut out);
    out.into_vec()
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Str(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Str(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(values: Vec<Value<'a>>) -> Self {
        Self::Array(values)
    }
}
