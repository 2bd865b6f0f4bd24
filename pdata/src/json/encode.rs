//! Bytes to JSON: a tree of values, since a repeated field may be scattered over its message.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::{
    scalar::is_packed,
    table::{Field, Kind, Table},
};
use crate::{
    envelope::low32,
    validate::MAX_DEPTH,
    wire::{Fault, Malformed, Reader, Wire, read_varint},
};

/// The object of the message that `reader` reads. Fields that nobody knows are left out: without a name there is nothing to call them.
pub(super) fn object(mut reader: Reader<'_>, table: &Table, depth: usize) -> Result<Value, Malformed> {
    let mut object = Map::new();
    loop {
        let offset = reader.offset();
        let Some(field) = reader.next_field()? else {
            return Ok(Value::Object(object));
        };
        let Some(known) = table.0.iter().find(|known| known.number == field.number) else {
            continue;
        };
        let fault = |what| Malformed { offset, what };
        let mismatch = || fault(Fault::Mismatch(field.number));
        if known.choice {
            // On the wire the last one counts.
            object.retain(|name, _| !table.0.iter().any(|other| other.choice && other.name == name));
        }
        match (known.kind, field.value) {
            (Kind::Message(_), Wire::Len(_)) if depth >= MAX_DEPTH => return Err(fault(Fault::TooDeep)),
            (Kind::Message(nested), Wire::Len(content)) => {
                put(&mut object, known, self::object(reader.nested(content), nested, depth + 1)?);
            }
            (kind, Wire::Len(packed)) if known.many && is_packed(kind) => {
                unpack(kind, packed, |value| put(&mut object, known, value)).map_err(fault)?;
            }
            (kind, value) => put(&mut object, known, scalar(kind, value).ok_or_else(mismatch)?),
        }
    }
}

fn put(object: &mut Map<String, Value>, field: &Field, value: Value) {
    if !field.many {
        object.insert(field.name.to_owned(), value);
        return;
    }
    match object.get_mut(field.name) {
        Some(Value::Array(list)) => list.push(value),
        _ => drop(object.insert(field.name.to_owned(), Value::Array(vec![value]))),
    }
}

fn unpack(kind: Kind, mut packed: &[u8], mut each: impl FnMut(Value)) -> Result<(), Fault> {
    while !packed.is_empty() {
        let value = if let Kind::Fixed64 | Kind::Sfixed64 | Kind::Double = kind {
            let (bits, rest) = packed.split_first_chunk().ok_or(Fault::Truncated)?;
            packed = rest;
            Wire::Fixed64(u64::from_le_bytes(*bits))
        } else {
            Wire::Varint(read_varint(&mut packed)?)
        };
        scalar(kind, value).into_iter().for_each(&mut each);
    }
    Ok(())
}

fn scalar(kind: Kind, value: Wire<'_>) -> Option<Value> {
    Some(match (kind, value) {
        (Kind::U32, Wire::Varint(value)) => low32(value).into(),
        (Kind::U64, Wire::Varint(value)) | (Kind::Fixed64, Wire::Fixed64(value)) => value.to_string().into(),
        (Kind::I64, Wire::Varint(value)) | (Kind::Sfixed64, Wire::Fixed64(value)) => value.cast_signed().to_string().into(),
        (Kind::Zigzag32, Wire::Varint(value)) => {
            let bits = low32(value);
            ((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed()).into()
        }
        (Kind::Enum(_), Wire::Varint(value)) => low32(value).cast_signed().into(),
        (Kind::Bool, Wire::Varint(value)) => (value != 0).into(),
        (Kind::Fixed32, Wire::Fixed32(value)) => value.into(),
        (Kind::Double, Wire::Fixed64(bits)) => double(f64::from_bits(bits)),
        (Kind::Text, Wire::Len(text)) => String::from_utf8_lossy(text).into(),
        (Kind::Base64, Wire::Len(bytes)) => STANDARD.encode(bytes).into(),
        (Kind::Id(_), Wire::Len(id)) => hex(id).into(),
        _ => return None,
    })
}

/// JSON has no numbers for what is none.
fn double(value: f64) -> Value {
    Number::from_f64(value).map_or_else(
        || {
            Value::from(if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            })
        },
        Value::Number,
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
