//! JSON to bytes, in one pass: each value is written as its field the moment it is read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    Request,
    scalar::{self, Scalar},
    table::{Field, Kind, Table},
};
use crate::wire::{Expect, Writer};

/// Reads a request of a known signal into `out`.
pub(super) struct Message<'o> {
    pub(super) out: &'o mut Writer,
    pub(super) table: &'static Table,
}

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.table.0.iter().map(|field| field.name).take(3);
        write!(f, "an object with {}", names.next().unwrap_or_default())?;
        names.try_for_each(|name| write!(f, ", {name}"))?;
        f.write_str(if self.table.0.len() > 3 { ", ..." } else { "" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seen, mut chosen) = (0_u32, None);
        while let Some(key) = map.next_key_seed(Key(self.table))? {
            let Some(field) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            // Twice would be one of two on the wire, or both merged: nobody means that.
            let bit = 1 << (field.number & 31);
            if seen & bit != 0 {
                return Err(A::Error::custom(format_args!("`{}` occurs twice", field.name)));
            }
            seen |= bit;
            let written = map.next_value_seed(Content { out: &mut *self.out, field })?;
            if let (true, true, Some(other)) = (field.choice, written, chosen) {
                return Err(A::Error::custom(format_args!("`{}` beside `{other}`, expected only one of them", field.name)));
            }
            if field.choice && written {
                chosen = Some(field.name);
            }
        }
        Ok(())
    }
}

/// A field by its name; `None` for a name that is not known, which is ignored.
struct Key(&'static Table);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.0.iter().find(|field| field.name == name))
    }
}

/// What stands under a key. Tells whether it was more than `null`, which is the same as leaving the key out.
struct Content<'o> {
    out: &'o mut Writer,
    field: &'static Field,
}

impl<'de> DeserializeSeed<'de> for Content<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Content<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.field.name)
    }

    fn visit_none<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        if self.field.many {
            deserializer.deserialize_seq(List(self))?;
        } else {
            Element(self).deserialize(deserializer)?;
        }
        Ok(true)
    }
}

/// The values of a repeated field.
struct List<'o>(Content<'o>);

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list under `{}`", self.0.field.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Content { out, field } = self.0;
        if scalar::is_packed(field.kind) {
            let mut packed = Vec::new();
            while let Some(value) = list.next_element_seed(Scalar(field))? {
                value.pack(&mut packed);
            }
            if !packed.is_empty() {
                out.bytes(field.number, &packed);
            }
            return Ok(());
        }
        while list.next_element_seed(Element(Content { out: &mut *out, field }))?.is_some() {}
        Ok(())
    }
}

/// One value of a field.
struct Element<'o>(Content<'o>);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Content { out, field } = self.0;
        let Kind::Message(table) = field.kind else {
            Scalar(field).deserialize(deserializer)?.write(out, field.number);
            return Ok(());
        };
        // Most messages are values and attributes, and those are small.
        let nested = out.open(field.number, Expect::Small);
        Message { out: &mut *out, table }.deserialize(deserializer)?;
        out.close(&nested);
        Ok(())
    }
}

/// Reads a request whose signal its only known key tells.
pub(super) struct Any<'o>(pub(super) &'o mut Writer);

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = Request;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Request, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = Request;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with resourceMetrics, resourceLogs or resourceSpans")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request, A::Error> {
        let mut found: Option<Request> = None;
        while let Some(name) = map.next_key::<String>()? {
            let of = |request: &Request| request.table().0.iter().find(|field| field.name == name);
            let known = Request::ALL.into_iter().find_map(|request| Some((request, of(&request)?)));
            let Some((request, field)) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if found.is_some() {
                return Err(A::Error::custom(format_args!("`{name}` beside another signal, expected one per request")));
            }
            found = Some(request);
            map.next_value_seed(Content { out: &mut *self.0, field })?;
        }
        found.ok_or_else(|| A::Error::custom("no signal, expected resourceMetrics, resourceLogs or resourceSpans"))
    }
}
