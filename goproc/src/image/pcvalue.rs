//! The compressed tables that give a value for every pc of a function.
//!
//! A table is a list of pairs of varints, the zig-zag change of the value and
//! the number of bytes of code it holds for, ended by a zero change (format:
//! `runtime.step`).

use super::bytes::varint;
use super::source::Window;

/// The value at `offset` bytes into the function; `None` without a table, past
/// its end, or when it is damaged.
pub(super) fn at(tables: &Window, table: u32, offset: u32) -> Option<i32> {
    value(&mut tables.stream(start(table)?), offset)
}

/// The first offset into a function of `len` bytes whose value is not negative.
pub(super) fn first_not_negative(tables: &Window, table: u32, len: u32) -> Option<u32> {
    let mut walk = Walk::new(tables.stream(start(table)?));
    let mut from = 0;
    while from < len {
        let (value, end) = walk.next()?;
        if value >= 0 {
            return Some(from);
        }
        from = end;
    }
    None
}

/// Table 0 means: none.
fn start(table: u32) -> Option<u64> {
    (table != 0).then_some(u64::from(table))
}

fn value(bytes: &mut impl Iterator<Item = u8>, offset: u32) -> Option<i32> {
    let mut walk = Walk::new(bytes);
    loop {
        let (value, end) = walk.next()?;
        if offset < end {
            return Some(value);
        }
    }
}

struct Walk<B> {
    bytes: B,
    value: i32,
    end: u32,
}

impl<B: Iterator<Item = u8>> Walk<B> {
    fn new(bytes: B) -> Self {
        // The first change counts from -1.
        Self { bytes, value: -1, end: 0 }
    }

    /// The next value and the offset at which it stops to hold.
    fn next(&mut self) -> Option<(i32, u32)> {
        let change = varint(&mut || self.bytes.next())?;
        if change == 0 && self.end != 0 {
            return None;
        }
        let change = (change >> 1).cast_signed() ^ -(change & 1).cast_signed();
        let length = varint(&mut || self.bytes.next())?;
        if length == 0 {
            return None;
        }
        self.value = self.value.wrapping_add(change);
        self.end = self.end.checked_add(length)?;
        Some((self.value, self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(bytes: &[u8], offset: u32) -> Option<i32> {
        value(&mut bytes.iter().copied(), offset)
    }

    #[test]
    fn values_hold_from_their_start_to_the_next_change() {
        // -1 + 11 = 10 for 4 bytes, then -3 for 2 bytes, then the end.
        let table = [22, 4, 5, 2, 0];
        assert_eq!(lookup(&table, 0), Some(10));
        assert_eq!(lookup(&table, 3), Some(10));
        assert_eq!(lookup(&table, 4), Some(7));
        assert_eq!(lookup(&table, 5), Some(7));
        assert_eq!(lookup(&table, 6), None);
    }

    #[test]
    fn a_first_change_of_zero_is_not_the_end() {
        assert_eq!(lookup(&[0, 8, 0], 3), Some(-1));
    }

    #[test]
    fn a_table_that_does_not_advance_is_damaged() {
        assert_eq!(lookup(&[2, 0, 2, 0, 2, 0], 1), None);
        assert_eq!(lookup(&[2], 0), None);
    }
}
