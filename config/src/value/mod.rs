//! Value types that many configurations share.
//!
//! Each parses from text, prints text that parses back, and says in its schema what it takes. Their `Deserialize`
//! never quotes the refused value: [`Problem`](crate::Problem) adds it, unless it is secret.

mod byte_size;
mod duration;
mod endpoint;
mod percent;
mod secret;
mod template;

pub use byte_size::ByteSize;
pub use duration::Duration;
pub use endpoint::Endpoint;
pub use percent::Percent;
pub use secret::{REDACTED, Secret};
pub use template::{Template, TemplateError};

/// Why a text is no value of the type it was given to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct ValueError {
    /// What the type takes, with examples.
    pub expected: &'static str,
}

/// Implements what is the same for every value type that is written as a text or as a number: `Serialize` as text,
/// `Deserialize` from text or number, and an inline schema.
macro_rules! text_or_number {
    ($type:ident, $expected:ident, $format:literal, [$($json:literal),*], |$number:ident: f64| $from_number:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::{Error, Unexpected};

                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
                    }

                    fn visit_u64<E: Error>(self, number: u64) -> Result<$type, E> {
                        number.to_string().parse().map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
                    }

                    fn visit_i64<E: Error>(self, number: i64) -> Result<$type, E> {
                        number.to_string().parse().map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
                    }

                    fn visit_f64<E: Error>(self, $number: f64) -> Result<$type, E> {
                        let value: Option<$type> = $from_number;
                        value.ok_or_else(|| E::invalid_value(Unexpected::Float($number), &self))
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": [$($json),*], "format": $format, "description": $expected })
            }
        }
    };
}
use text_or_number;

#[cfg(test)]
mod tests;
