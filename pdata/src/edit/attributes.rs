//! Changing the attributes of one message: a resource, a log record, and whatever else holds `KeyValue` fields.
//!
//! A value is replaced inside its `KeyValue`, so what else is in there survives; what is new goes to the end of the message.
//! Nothing is noted for a value that is there already, so an edit that says nothing new copies nothing.

use super::splices::{Span, Splices};
use crate::{
    attributes::KeyValue,
    build::{Value, encode_value},
    wire::{Expect, LEN, Malformed, Reader, View, Wire, Writer, push_varint},
};

/// Field of a `KeyValue` that holds the key.
const KEY: u32 = 1;
/// Field of a `KeyValue` that holds the value.
const VALUE: u32 = 2;

/// What to do to a set of attributes: at most one thing per key.
///
/// Made once and applied often, so values are kept encoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    key: String,
    action: Action,
    /// The encoded `AnyValue`; empty for a deletion.
    value: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Insert,
    Upsert,
    Delete,
}

impl Changes {
    /// Adds the attribute where its key is absent, and leaves it alone where it is there.
    pub fn insert<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
        self.put(key, Action::Insert, encode_value(&value.into()));
    }

    /// Adds the attribute, or replaces its value where the key is there. Further values under the same key go.
    pub fn upsert<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
        self.put(key, Action::Upsert, encode_value(&value.into()));
    }

    /// Removes every attribute of this key.
    pub fn delete(&mut self, key: &str) {
        self.put(key, Action::Delete, Vec::new());
    }

    /// True if there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last word on a key counts.
    fn put(&mut self, key: &str, action: Action, value: Vec<u8>) {
        self.0.retain(|change| change.key != key);
        self.0.push(Change { key: key.to_owned(), action, value });
    }

    /// Writes what is to be there in a message without attributes. False if that is nothing.
    pub(super) fn write(&self, out: &mut Writer, number: u32) -> bool {
        self.write_absent(out, number, &[])
    }

    fn write_absent(&self, out: &mut Writer, number: u32, present: &[bool]) -> bool {
        let mut any = false;
        for (index, change) in self.0.iter().enumerate() {
            if change.action == Action::Delete || present.get(index) == Some(&true) {
                continue;
            }
            any = true;
            out.nested(number, Expect::Small, |out| {
                out.text(KEY, &change.key);
                out.bytes(VALUE, &change.value);
            });
        }
        any
    }
}

/// Notes the changes to the attributes that `message` holds as field `number`.
pub(super) fn apply(splices: &mut Splices, mut message: Reader<'_>, number: u32, changes: &Changes) -> Result<(), Malformed> {
    let mut present = vec![false; changes.0.len()];
    loop {
        let start = message.offset();
        let Some(field) = message.next_field()? else {
            break;
        };
        let (Wire::Len(bytes), true) = (field.value, field.number == number) else {
            continue;
        };
        let key = KeyValue::view(bytes).key;
        let mut found = changes.0.iter().zip(&mut present);
        let (Some((change, present)), Some(span)) =
            (found.find(|(change, _)| key == change.key.as_str()), Span::new(&field, start, &message))
        else {
            continue;
        };
        let again = std::mem::replace(present, true);
        match change.action {
            Action::Insert => {}
            Action::Upsert if !again => {
                splices.nested(&span, |splices| replace(splices, message.nested(bytes), &change.value))?;
            }
            Action::Upsert | Action::Delete => splices.remove(span.whole()),
        }
    }
    let mut added = Writer::default();
    if changes.write_absent(&mut added, number, &present) {
        splices.insert(message.offset(), added.as_bytes());
    }
    Ok(())
}

/// Makes `value` the only value of a `KeyValue`. Always true: the pair stays.
fn replace(splices: &mut Splices, mut pair: Reader<'_>, value: &[u8]) -> Result<bool, Malformed> {
    let mut placed = false;
    loop {
        let start = pair.offset();
        let Some(field) = pair.next_field()? else {
            break;
        };
        if field.number != VALUE {
            continue;
        }
        let old = start..pair.offset();
        match field.value {
            Wire::Len(bytes) if !placed && bytes == value => {}
            Wire::Len(_) if !placed => {
                splices.remove(old);
                splices.insert(pair.offset(), &encoded(value));
            }
            // The last one would win; of another wire type it is no value.
            _ => splices.remove(old),
        }
        placed = true;
    }
    if !placed {
        splices.insert(pair.offset(), &encoded(value));
    }
    Ok(true)
}

fn encoded(value: &[u8]) -> Vec<u8> {
    let mut field = Vec::with_capacity(value.len() + 4);
    push_varint(&mut field, u64::from(VALUE) << 3 | LEN);
    push_varint(&mut field, value.len() as u64);
    field.extend_from_slice(value);
    field
}
