//! Little-endian numbers out of bytes that may end anywhere.

/// The `u16` at `at`, if all of it is there.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let chunk = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*chunk))
}

/// The `u32` at `at`, if all of it is there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let chunk = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*chunk))
}

/// The `i32` at `at`, if all of it is there.
pub(super) fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    u32_at(bytes, at).map(u32::cast_signed)
}

/// The `u64` at `at`, if all of it is there.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let chunk = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*chunk))
}

/// One unsigned LEB128 number of at most 32 bits, as Go's `runtime.readvarint`
/// reads it. `None` when the bytes end first or the number is longer.
pub(super) fn varint(next: &mut impl FnMut() -> Option<u8>) -> Option<u32> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = next()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_end_too_early_are_none() {
        assert_eq!(u32_at(&[1, 0, 0, 0], 0), Some(1));
        assert_eq!(u32_at(&[1, 0, 0, 0], 1), None);
        assert_eq!(u64_at(&[0; 8], usize::MAX), None);
        assert_eq!(u16_at(&[0xff, 0x01], 0), Some(0x1ff));
        assert_eq!(i32_at(&[0xff; 4], 0), Some(-1));
    }

    #[test]
    fn varint_stops_at_five_bytes() {
        let read = |bytes: &[u8]| {
            let mut rest = bytes.iter().copied();
            varint(&mut || rest.next())
        };
        assert_eq!(read(&[0x05]), Some(5));
        assert_eq!(read(&[0x80, 0x01]), Some(128));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Some(u32::MAX));
        assert_eq!(read(&[0x80; 6]), None);
        assert_eq!(read(&[0x80]), None);
    }
}
