//! The build ids in the ELF notes.

use super::bytes::u32_at;
use super::elf::{Elf, PT_NOTE};

/// Notes of a Go program are about 200 bytes.
const MAX_NOTES: u64 = 64 << 10;
/// `ELF_NOTE_GOBUILDID_TAG` of cmd/link.
const GO_BUILD_ID: u32 = 4;
/// `NT_GNU_BUILD_ID` of the GNU linker.
const GNU_BUILD_ID: u32 = 3;

/// The Go build id, else the GNU one in hexadecimal, else nothing.
pub(super) fn build_id(elf: &Elf) -> Option<String> {
    let mut gnu = None;
    for segment in elf.segments.iter().filter(|s| s.kind == PT_NOTE) {
        let Some(bytes) =
            elf.segment_bytes(segment).filter(|window| window.len() <= MAX_NOTES).and_then(|window| window.vec(0, window.len()))
        else {
            continue;
        };
        let mut rest = bytes.as_slice();
        while let Some((note, next)) = split(rest) {
            match (note.name, note.kind) {
                (b"Go\0\0", GO_BUILD_ID) if !note.value.is_empty() => {
                    return Some(String::from_utf8_lossy(note.value).into_owned());
                }
                (b"GNU\0", GNU_BUILD_ID) if !note.value.is_empty() => gnu = Some(hex(note.value)),
                _ => {}
            }
            rest = next;
        }
    }
    gnu
}

struct Note<'b> {
    name: &'b [u8],
    kind: u32,
    value: &'b [u8],
}

/// The first note and what follows it. Name and value are padded to 4 bytes.
fn split(bytes: &[u8]) -> Option<(Note<'_>, &[u8])> {
    let name_len = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let value_len = usize::try_from(u32_at(bytes, 4)?).ok()?;
    let kind = u32_at(bytes, 8)?;
    let rest = bytes.get(12..)?;
    let name = rest.get(..name_len)?;
    let rest = rest.get(name_len.checked_next_multiple_of(4)?..)?;
    let value = rest.get(..value_len)?;
    let next = rest.get(value_len.checked_next_multiple_of(4)?..);
    Some((Note { name, kind, value }, next.unwrap_or_default()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_whose_length_overruns_is_not_read() {
        let mut note = Vec::new();
        note.extend(4_u32.to_le_bytes());
        note.extend(2_u32.to_le_bytes());
        note.extend(4_u32.to_le_bytes());
        note.extend(b"Go\0\0ab\0\0");
        let (first, rest) = split(&note).expect("a whole note");
        assert_eq!((first.name, first.value), (&b"Go\0\0"[..], &b"ab"[..]));
        assert!(rest.is_empty());
        note[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(split(&note).is_none());
    }
}
