//! serde's errors, kept apart by kind so that a message can be made of them where the value and its place are known.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

/// What serde found wrong with one value. Never holds the value, save what a type's own message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// Another type, or a value out of range.
    Type {
        /// What would be taken, in words.
        expected: String,
    },
    /// A text that is none of a fixed set.
    Variant {
        /// The text, for finding the nearest.
        given: String,
        /// The set.
        allowed: &'static [&'static str],
    },
    /// A key that has no default is not there.
    Missing(&'static str),
    /// A key the schema let through but the type does not know.
    Unknown {
        /// The key.
        key: String,
        /// What the type knows.
        allowed: &'static [&'static str],
    },
    /// A message of a type's own making.
    Custom(String),
}

impl Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Type { expected: in_words(&expected.to_string()) }
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Type { expected: in_words(&expected.to_string()) }
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::Type { expected: in_words(&expected.to_string()) }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Variant { given: variant.to_owned(), allowed: expected }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown { key: field.to_owned(), allowed: expected }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected } => write!(f, "expected {expected}"),
            Self::Variant { allowed, .. } => {
                write!(f, "unknown value, allowed: {}", allowed.join(", "))
            }
            Self::Missing(key) => write!(f, "missing key {key:?}"),
            Self::Unknown { key, .. } => write!(f, "unknown key {key:?}"),
            Self::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Says in the words of a configuration what serde says in the words of Rust.
fn in_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" | "u128" => "a whole number, 0 or more",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "isize" | "i128" => "a whole number",
        "f32" | "f64" => "a number",
        "a nonzero u16" | "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => "a whole number, 1 or more",
        "a sequence" => "a list",
        "string or map" => "a name or a map",
        "unit" => "nothing",
        _ if expected.starts_with("struct ") || expected.starts_with("internally tagged enum ") => "a map",
        _ if expected.starts_with("tuple ") || expected.starts_with("a tuple ") => "a list of fixed length",
        _ => expected,
    };
    words.to_owned()
}
