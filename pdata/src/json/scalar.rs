//! Single values: numbers, texts, ids.

use std::fmt;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde::de::{DeserializeSeed, Deserializer, Error, Unexpected, Visitor};

use super::table::{Field, Kind};
use crate::wire::{Writer, push_varint};

/// Padding may be there or not: protobuf's JSON form takes both.
const PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, PADDING);

/// A value as the wire has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Encoded {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Vec<u8>),
}

impl Encoded {
    pub(super) fn write(&self, out: &mut Writer, number: u32) {
        match self {
            Self::Varint(value) => out.varint(number, *value),
            Self::Fixed64(value) => out.fixed64(number, *value),
            Self::Fixed32(value) => out.fixed32(number, *value),
            Self::Bytes(bytes) => out.bytes(number, bytes),
        }
    }

    /// As an element of a packed field.
    pub(super) fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Varint(value) => push_varint(out, *value),
            Self::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Bytes(_) => {}
        }
    }
}

/// Whether a repeated field of that kind is packed into one.
pub(super) const fn is_packed(kind: Kind) -> bool {
    !matches!(kind, Kind::Text | Kind::Base64 | Kind::Id(_) | Kind::Message(_))
}

/// Reads the value of a field.
pub(super) struct Scalar(pub(super) &'static Field);

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = Encoded;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Encoded, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// What protobuf's JSON allows is read: numbers in quotes and not, whole numbers with a point or an exponent, `NaN` and infinities, both Base64
/// alphabets, enums by name.
impl Visitor<'_> for Scalar {
    type Value = Encoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` to be ", self.0.name)?;
        match self.0.kind {
            Kind::U32 | Kind::Fixed32 => f.write_str("a number of 32 bits, 0 or more"),
            Kind::U64 | Kind::Fixed64 => f.write_str("a number of 64 bits, 0 or more, in quotes or not"),
            Kind::I64 | Kind::Sfixed64 => f.write_str("a whole number of 64 bits, in quotes or not"),
            Kind::Zigzag32 => f.write_str("a whole number of 32 bits"),
            Kind::Enum(names) => write!(f, "a number, or a name such as {}{}", names.prefix, names.names.last().unwrap_or(&"")),
            Kind::Bool => f.write_str("true or false"),
            Kind::Double => f.write_str("a number, or one of \"NaN\", \"Infinity\", \"-Infinity\""),
            Kind::Text => f.write_str("a text"),
            Kind::Base64 => f.write_str("a text in Base64"),
            Kind::Id(length) => write!(f, "{} hexadecimal digits, or none", 2 * length),
            Kind::Message(_) => f.write_str("an object"),
        }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Encoded, E> {
        match self.0.kind {
            Kind::Bool => Ok(Encoded::Varint(value.into())),
            _ => Err(E::invalid_type(Unexpected::Bool(value), &self)),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Encoded, E> {
        self.whole(value.into()).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Encoded, E> {
        self.whole(value.into()).ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Encoded, E> {
        self.float(value).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Encoded, E> {
        self.text(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl Scalar {
    fn whole(&self, value: i128) -> Option<Encoded> {
        Some(match self.0.kind {
            Kind::U32 => Encoded::Varint(u32::try_from(value).ok()?.into()),
            Kind::U64 => Encoded::Varint(u64::try_from(value).ok()?),
            Kind::I64 => Encoded::Varint(i64::try_from(value).ok()?.cast_unsigned()),
            Kind::Enum(_) => Encoded::Varint(i64::from(i32::try_from(value).ok()?).cast_unsigned()),
            Kind::Zigzag32 => {
                let value = i32::try_from(value).ok()?;
                Encoded::Varint((value << 1 ^ value >> 31).cast_unsigned().into())
            }
            Kind::Fixed32 => Encoded::Fixed32(u32::try_from(value).ok()?),
            Kind::Fixed64 => Encoded::Fixed64(u64::try_from(value).ok()?),
            Kind::Sfixed64 => Encoded::Fixed64(i64::try_from(value).ok()?.cast_unsigned()),
            #[expect(clippy::cast_precision_loss, reason = "a double without a point is still a double")]
            Kind::Double => Encoded::Fixed64((value as f64).to_bits()),
            Kind::Bool | Kind::Text | Kind::Base64 | Kind::Id(_) | Kind::Message(_) => return None,
        })
    }

    fn float(&self, value: f64) -> Option<Encoded> {
        if let Kind::Double = self.0.kind {
            return Some(Encoded::Fixed64(value.to_bits()));
        }
        // 1.0 and 1e3 are whole numbers; beyond 2^53 the digits would be made up.
        let whole = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        whole.then(|| self.whole(value as i128)).flatten()
    }

    fn text(&self, text: &str) -> Option<Encoded> {
        match self.0.kind {
            Kind::Text => Some(Encoded::Bytes(text.as_bytes().to_vec())),
            Kind::Base64 => {
                let other = text.contains(['-', '_']);
                let engine = if other { URL_SAFE } else { STANDARD };
                engine.decode(text).ok().map(Encoded::Bytes)
            }
            Kind::Id(length) => unhex(text).filter(|id| id.is_empty() || id.len() == length).map(Encoded::Bytes),
            Kind::Enum(names) => names.number(text).and_then(|number| self.whole(number.into())),
            Kind::Double => match text {
                "NaN" => self.float(f64::NAN),
                "Infinity" => self.float(f64::INFINITY),
                "-Infinity" => self.float(f64::NEG_INFINITY),
                // What Rust reads beyond digits ("inf", "nan") is no number in JSON.
                _ if text.ends_with(|last: char| last.is_ascii_digit() || last == '.') => self.float(text.parse().ok()?),
                _ => None,
            },
            Kind::Bool | Kind::Message(_) => None,
            _ => match text.parse() {
                Ok(value) => self.whole(value),
                Err(_) => None,
            },
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}
