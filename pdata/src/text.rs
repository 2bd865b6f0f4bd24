//! Text as it came: bytes that should be UTF-8.
//!
//! Some senders put other encodings into protobuf strings. Refusing a whole request for one bad byte
//! loses data, and repairing it would change bytes nobody asked to change; so a view hands over the bytes, the door decides
//! (see [`crate::validate::Utf8`]), and whoever prints takes [`Text::to_str_lossy`].

use std::{borrow::Cow, fmt, str::Utf8Error};

use crate::wire::View;

/// A borrowed `string` field. Ordered, hashed and compared by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Takes `bytes` as text.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they came.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// True if there is no text; protobuf cannot tell this from an absent field.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The text, if it is UTF-8.
    pub fn to_str(self) -> Result<&'a str, Utf8Error> {
        std::str::from_utf8(self.0)
    }

    /// The text with U+FFFD for what is not UTF-8; borrowed if all of it is.
    pub fn to_str_lossy(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }
}

impl<'a> View<'a> for Text<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// Prints [`Text::to_str_lossy`].
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_str_lossy().fmt(f)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_str_lossy(), f)
    }
}
