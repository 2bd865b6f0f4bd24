//! What happened during a span.

use crate::{
    attributes::Attributes,
    envelope::low32,
    text::Text,
    wire::{Fields, View, Wire},
};

/// One `Span.Event`.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    bytes: &'a [u8],
    /// Nanoseconds since the epoch at which it happened; 0 if not said.
    pub time: u64,
    /// What happened.
    pub name: Text<'a>,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
}

impl<'a> Event<'a> {
    /// What is known about it.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 3)
    }
}

impl<'a> View<'a> for Event<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut event = Self { bytes, time: 0, name: Text::default(), dropped_attributes_count: 0 };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Fixed64(time)) => event.time = time,
                (2, Wire::Len(text)) => event.name = Text::new(text),
                (4, Wire::Varint(count)) => event.dropped_attributes_count = low32(count),
                _ => {}
            }
        }
        event
    }
}
