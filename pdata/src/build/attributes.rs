//! Attribute sets to be written: pairs, a set encoded once and used often, or a set seen in another request.

use super::value::{Value, write_pair};
use crate::{attributes::Attributes, wire::Writer};

/// Field number under which an encoded set is stored: that of number points, so that writing it there is one copy.
const STORED: u32 = 7;

/// Attributes in encoded form, for a set that many points share.
#[derive(Debug, Clone, Default)]
pub struct EncodedAttributes(Writer);

impl EncodedAttributes {
    /// Encodes a set.
    pub fn new<'a>(attributes: impl Into<AttributeSet<'a>>) -> Self {
        let mut encoded = Self::default();
        encoded.extend(attributes);
        encoded
    }

    /// Adds one attribute. Whether the key is there already is not looked at.
    pub fn push<'a>(&mut self, key: &str, value: impl Into<Value<'a>>) {
        write_pair(&mut self.0, STORED, key, &value.into());
    }

    /// Adds a set. Whether its keys are there already is not looked at.
    pub fn extend<'a>(&mut self, attributes: impl Into<AttributeSet<'a>>) {
        attributes.into().write(&mut self.0, STORED);
    }

    /// Reads the set.
    pub fn view(&self) -> Attributes<'_> {
        Attributes::new(self.0.as_bytes(), STORED)
    }

    /// The encoded set: equal sets in equal order have equal bytes, so this serves as a key.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Whatever attributes can be written from.
#[derive(Debug, Clone)]
pub enum AttributeSet<'a> {
    /// Keys and values.
    Pairs(&'a [(&'a str, Value<'a>)]),
    /// A set encoded before.
    Encoded(&'a EncodedAttributes),
    /// A set of another request.
    View(Attributes<'a>),
}

impl AttributeSet<'_> {
    /// Writes each attribute as field `number`.
    pub(super) fn write(&self, out: &mut Writer, number: u32) {
        match self {
            Self::Pairs(pairs) => {
                for (key, value) in *pairs {
                    write_pair(out, number, key, value);
                }
            }
            Self::Encoded(set) if number == STORED => out.encoded(set.as_bytes()),
            Self::Encoded(set) => copy(&set.view(), out, number),
            Self::View(set) => copy(set, out, number),
        }
    }
}

fn copy(set: &Attributes<'_>, out: &mut Writer, number: u32) {
    for pair in set.encoded::<&[u8]>() {
        out.bytes(number, pair);
    }
}

impl Default for AttributeSet<'_> {
    fn default() -> Self {
        Self::Pairs(&[])
    }
}

impl<'a> From<&'a [(&'a str, Value<'a>)]> for AttributeSet<'a> {
    fn from(pairs: &'a [(&'a str, Value<'a>)]) -> Self {
        Self::Pairs(pairs)
    }
}

impl<'a, const N: usize> From<&'a [(&'a str, Value<'a>); N]> for AttributeSet<'a> {
    fn from(pairs: &'a [(&'a str, Value<'a>); N]) -> Self {
        Self::Pairs(pairs)
    }
}

impl<'a> From<&'a Vec<(&'a str, Value<'a>)>> for AttributeSet<'a> {
    fn from(pairs: &'a Vec<(&'a str, Value<'a>)>) -> Self {
        Self::Pairs(pairs)
    }
}

impl<'a> From<&'a EncodedAttributes> for AttributeSet<'a> {
    fn from(set: &'a EncodedAttributes) -> Self {
        Self::Encoded(set)
    }
}

impl<'a> From<Attributes<'a>> for AttributeSet<'a> {
    fn from(set: Attributes<'a>) -> Self {
        Self::View(set)
    }
}
