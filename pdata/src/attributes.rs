//! A set of attributes: the `KeyValue` fields of a message.

use crate::{
    any_value::AnyValue,
    text::Text,
    wire::{Fields, Repeated, View, Wire},
};

/// Attributes in wire order. Cheap to copy around; every pass reads the bytes again.
///
/// OTLP wants unique keys and does not get them from everybody: iteration yields duplicates, [`Self::get`] the first.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    message: &'a [u8],
    number: u32,
}

impl<'a> Attributes<'a> {
    /// The attributes that `message` holds as field `number`.
    pub fn new(message: &'a [u8], number: u32) -> Self {
        Self { message, number }
    }

    /// Key and value of each attribute.
    pub fn iter(&self) -> impl Iterator<Item = (Text<'a>, AnyValue<'a>)> + Clone + use<'a> {
        self.encoded().map(|KeyValue { key, value }| (key, value))
    }

    /// The first value under `key`.
    pub fn get(&self, key: &str) -> Option<AnyValue<'a>> {
        self.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// How many there are, duplicates included.
    pub fn count(&self) -> usize {
        self.encoded::<&[u8]>().count()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.encoded::<&[u8]>().next().is_none()
    }

    /// Each attribute as the serialized `KeyValue` message that it is: what a key is made from.
    pub fn pairs(&self) -> Repeated<'a, &'a [u8]> {
        self.encoded()
    }

    /// Each `KeyValue` message.
    pub(crate) fn encoded<T: View<'a>>(&self) -> Repeated<'a, T> {
        Repeated::new(self.message, self.number)
    }
}

/// One `KeyValue` message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyValue<'a> {
    pub(crate) key: Text<'a>,
    pub(crate) value: AnyValue<'a>,
}

impl<'a> View<'a> for KeyValue<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut pair = Self { key: Text::default(), value: AnyValue::Empty };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Len(key)) => pair.key = Text::new(key),
                (2, Wire::Len(value)) => pair.value = AnyValue::view(value),
                _ => {}
            }
        }
        pair
    }
}
