//! The memory of the process as far as it is known: what was copied, and the
//! constants of the executable. Addresses are those of the process.

use crate::image::{GoType, Image};

use super::{Captured, MAX_DATA};

/// Most of one text that is read from the executable.
const MAX_TEXT: u64 = 4096;

/// See the module.
pub(super) struct Memory<'c> {
    image: &'c Image,
    captured: &'c Captured,
}

/// A text, and whether it goes on.
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) cut: bool,
}

impl<'c> Memory<'c> {
    pub(super) fn new(image: &'c Image, captured: &'c Captured) -> Self {
        Self { image, captured }
    }

    /// The Go minor release of the program.
    pub(super) fn minor(&self) -> u8 {
        self.image.version().minor()
    }

    /// Up to `len` bytes from `address`; fewer, or none, if that is all that
    /// is known.
    pub(super) fn bytes(&self, address: u64, len: u64) -> Vec<u8> {
        let len = len.min(MAX_DATA as u64);
        if let Some(inside) = address.checked_sub(self.captured.data_word).and_then(|at| usize::try_from(at).ok())
            && let Some(known) = self.captured.data.get(..self.captured.data_len.min(MAX_DATA))
            && let Some(rest) = known.get(inside..).filter(|rest| !rest.is_empty())
        {
            return rest.iter().copied().take(usize::try_from(len).unwrap_or(MAX_DATA)).collect();
        }
        let copied = self.captured.texts.iter().find(|(at, _, bytes)| *at == address && !bytes.is_empty());
        if let Some((_, _, bytes)) = copied {
            return bytes.iter().copied().take(usize::try_from(len).unwrap_or(MAX_DATA)).collect();
        }
        self.image.constant(self.linked(address), len).unwrap_or_default()
    }

    /// The text of `len` bytes at `address`, or its beginning; `None` if
    /// nothing of it is known.
    pub(super) fn text(&self, address: u64, len: u64) -> Option<Text> {
        if len == 0 {
            return Some(Text { bytes: Vec::new(), cut: false });
        }
        let copied = self.captured.texts.iter().filter(|(at, _, bytes)| *at == address && !bytes.is_empty());
        let copied = copied.map(|(_, _, bytes)| bytes).max_by_key(|bytes| bytes.len());
        let whole = usize::try_from(len).unwrap_or(usize::MAX);
        if let Some(bytes) = copied.filter(|bytes| bytes.len() >= whole) {
            return Some(Text { bytes: bytes.iter().copied().take(whole).collect(), cut: false });
        }
        let constant = self.image.constant_text(self.linked(address), len.min(MAX_TEXT));
        match (constant, copied) {
            (Some(bytes), _) => Some(Text { bytes, cut: len > MAX_TEXT }),
            (None, Some(bytes)) => Some(Text { bytes: bytes.clone(), cut: true }),
            (None, None) => None,
        }
    }

    /// The type that the first word of an interface names.
    pub(super) fn dynamic_type(&self, word: u64, has_methods: bool) -> Option<GoType> {
        let linked = self.linked(word);
        let address = if has_methods { self.image.type_of_itab(linked)? } else { linked };
        self.image.go_type(address)
    }

    /// The type described at `address`.
    pub(super) fn go_type(&self, address: u64) -> Option<GoType> {
        self.image.go_type(self.linked(address))
    }

    fn linked(&self, address: u64) -> u64 {
        address.wrapping_sub(self.captured.load_bias)
    }
}
