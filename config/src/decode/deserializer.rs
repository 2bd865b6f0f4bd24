//! Lets serde read a [`Node`].
//!
//! Strict as the Collector's decoder: a text is no number and a number no text, except that a value which came out of
//! the environment still has its text. A struct is a map, never a list.

use std::slice;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Deserializer, EnumAccess, Error as _, IntoDeserializer, Unexpected, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::error::DecodeError;
use crate::node::{Data, Node, Number};

/// Reads one node.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'a>(pub(super) &'a Node);

impl<'de> IntoDeserializer<'de, DecodeError> for NodeDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> NodeDeserializer<'de> {
    fn map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Some(map) = self.0.as_map() else {
            return Err(self.unexpected(&visitor));
        };
        let pairs = map.iter().map(|(key, entry)| (&**key, NodeDeserializer(&entry.value)));
        let mut access = MapDeserializer::new(pairs);
        let value = visitor.visit_map(&mut access)?;
        access.end()?;
        Ok(value)
    }

    fn list<V: Visitor<'de>>(items: &'de [Node], visitor: V) -> Result<V::Value, DecodeError> {
        let mut access = SeqDeserializer::new(slice::Iter::map(items.iter(), NodeDeserializer));
        let value = visitor.visit_seq(&mut access)?;
        access.end()?;
        Ok(value)
    }

    /// serde wants to hear what it got; the message says it from the node, so any word will do.
    fn unexpected<V: Visitor<'de>>(self, visitor: &V) -> DecodeError {
        DecodeError::invalid_type(Unexpected::Other(self.0.data.type_name()), visitor)
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.data {
            Data::Null => visitor.visit_unit(),
            Data::Bool(value) => visitor.visit_bool(*value),
            Data::Number(Number::Int(value)) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Data::Number(Number::Uint(value)) => visitor.visit_u64(*value),
            Data::Number(Number::Float(value)) => visitor.visit_f64(*value),
            Data::String(text) => visitor.visit_borrowed_str(text),
            Data::List(items) => Self::list(items, visitor),
            Data::Map(_) => self.map(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.raw {
            Some(raw) => visitor.visit_borrowed_str(raw),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let (variant, content) = match (&self.0.data, &self.0.raw) {
            (Data::String(text), _) => (&**text, None),
            (Data::Map(map), _) if map.len() == 1 => match map.iter().next() {
                Some((key, entry)) => (&**key, Some(&entry.value)),
                None => return Err(self.unexpected(&visitor)),
            },
            (Data::Bool(_) | Data::Number(_), Some(raw)) => (&**raw, None),
            _ => return Err(self.unexpected(&visitor)),
        };
        visitor.visit_enum(Variant { name: variant, content })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct
        map identifier ignored_any
    }
}

/// A variant of an enum: a name alone, or a map of one key.
struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Node>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: serde::de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        let name: StrDeserializer<'de, DecodeError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.content {
            Some(node) if !node.is_null() => Err(DecodeError::invalid_type(Unexpected::Map, &"a name alone")),
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: serde::de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        match self.content {
            Some(node) => seed.deserialize(NodeDeserializer(node)),
            None => Err(DecodeError::invalid_type(Unexpected::UnitVariant, &"a map of one key")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        match self.content.map(|node| &node.data) {
            Some(Data::List(items)) => NodeDeserializer::list(items, visitor),
            _ => Err(DecodeError::invalid_type(Unexpected::UnitVariant, &visitor)),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, DecodeError> {
        match self.content {
            Some(node) => NodeDeserializer(node).map(visitor),
            None => Err(DecodeError::invalid_type(Unexpected::UnitVariant, &visitor)),
        }
    }
}
