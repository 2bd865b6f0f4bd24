//! Iterators over the repeated fields of a message: messages, texts and numbers, packed or not.

use std::marker::PhantomData;

use super::{Fields, Wire, read_varint};

/// Something that can be read from the bytes of one length-delimited field.
pub trait View<'a>: Sized {
    /// Looks at `bytes`. Cannot fail: what is malformed or missing reads as the field's default.
    fn view(bytes: &'a [u8]) -> Self;
}

impl<'a> View<'a> for &'a [u8] {
    fn view(bytes: &'a [u8]) -> Self {
        bytes
    }
}

/// Every occurrence of one length-delimited field, in wire order.
#[derive(Debug, Clone)]
pub struct Repeated<'a, T> {
    fields: Fields<'a>,
    number: u32,
    item: PhantomData<T>,
}

impl<'a, T: View<'a>> Repeated<'a, T> {
    /// The occurrences of field `number` in `message`. Occurrences with another wire type are unknown fields and passed over.
    pub fn new(message: &'a [u8], number: u32) -> Self {
        Self { fields: Fields::new(message), number, item: PhantomData }
    }
}

impl<'a, T: View<'a>> Iterator for Repeated<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        loop {
            let field = self.fields.next()?;
            match field.value {
                Wire::Len(bytes) if field.number == self.number => return Some(T::view(bytes)),
                _ => {}
            }
        }
    }
}

/// A repeated `fixed64` or `double`, packed, unpacked or both: occurrences are concatenated, as protobuf asks.
#[derive(Debug, Clone)]
pub struct Fixed64s<'a> {
    fields: Fields<'a>,
    number: u32,
    packed: &'a [u8],
}

impl<'a> Fixed64s<'a> {
    /// The values of field `number` in `message`, as bits.
    pub fn new(message: &'a [u8], number: u32) -> Self {
        Self { fields: Fields::new(message), number, packed: &[] }
    }

    /// The same values as `double`.
    pub fn doubles(self) -> impl Iterator<Item = f64> + Clone + use<'a> {
        self.map(f64::from_bits)
    }
}

impl Iterator for Fixed64s<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            if let Some((value, tail)) = self.packed.split_first_chunk() {
                self.packed = tail;
                return Some(u64::from_le_bytes(*value));
            }
            let field = self.fields.next()?;
            match field.value {
                Wire::Fixed64(value) if field.number == self.number => return Some(value),
                Wire::Len(bytes) if field.number == self.number => self.packed = bytes,
                _ => {}
            }
        }
    }
}

/// A repeated `uint64`, packed, unpacked or both: occurrences are concatenated, as protobuf asks.
#[derive(Debug, Clone)]
pub struct Varints<'a> {
    fields: Fields<'a>,
    number: u32,
    packed: &'a [u8],
}

impl<'a> Varints<'a> {
    /// The values of field `number` in `message`.
    pub fn new(message: &'a [u8], number: u32) -> Self {
        Self { fields: Fields::new(message), number, packed: &[] }
    }
}

impl Iterator for Varints<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            // A malformed tail of the packed bytes leaves an error here; the rest of that chunk is given up.
            if !self.packed.is_empty() {
                match read_varint(&mut self.packed) {
                    Ok(value) => return Some(value),
                    Err(_) => self.packed = &[],
                }
            }
            let field = self.fields.next()?;
            match field.value {
                Wire::Varint(value) if field.number == self.number => return Some(value),
                Wire::Len(bytes) if field.number == self.number => self.packed = bytes,
                _ => {}
            }
        }
    }
}
