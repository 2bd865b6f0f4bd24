//! What a span has to do with others.

use crate::{
    attributes::Attributes,
    envelope::low32,
    text::Text,
    wire::{Fields, View, Wire},
};

/// One `Span.Link`.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    bytes: &'a [u8],
    /// The trace of the other span: 16 bytes, or none.
    pub trace_id: &'a [u8],
    /// The other span: 8 bytes, or none.
    pub span_id: &'a [u8],
    /// The `tracestate` header that came with it.
    pub trace_state: Text<'a>,
    /// As those of a span, with the linked one in place of the parent.
    pub flags: u32,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
}

impl<'a> Link<'a> {
    /// What is known about it.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 4)
    }
}

impl<'a> View<'a> for Link<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut link =
            Self { bytes, trace_id: &[], span_id: &[], trace_state: Text::default(), flags: 0, dropped_attributes_count: 0 };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Len(id)) => link.trace_id = id,
                (2, Wire::Len(id)) => link.span_id = id,
                (3, Wire::Len(text)) => link.trace_state = Text::new(text),
                (5, Wire::Varint(count)) => link.dropped_attributes_count = low32(count),
                (6, Wire::Fixed32(flags)) => link.flags = flags,
                _ => {}
            }
        }
        link
    }
}
