//! Programs whose section headers are gone.

use std::fs::{self, File};
use std::io::Write as _;

use deferd_goproc::image::Image;

use crate::fixtures::{Mode, fixtures};

#[test]
fn a_program_without_section_headers_is_the_same_program() {
    for fixture in fixtures(&Mode::ALL) {
        let with = fixture.image();
        let mut bytes = fs::read(&fixture.path).expect("the fixture");
        remove_section_headers(&mut bytes);
        let without = Image::read(&temporary(&bytes)).unwrap_or_else(|error| panic!("{fixture}: {error}"));
        assert_eq!(with.version(), without.version(), "{fixture}");
        assert_eq!(with.build_id(), without.build_id(), "{fixture}");
        assert_eq!(with.module_path(), without.module_path(), "{fixture}");
        assert_eq!(with.text(), without.text(), "{fixture}");
        assert!(with.functions().eq(without.functions()), "{fixture}");
        if fixture.mode == Mode::Unoptimised {
            // Only the symbols tell more of such a program.
            assert_eq!(with.globals().allgs, without.globals().allgs, "{fixture}");
        } else {
            assert_eq!(with.globals(), without.globals(), "{fixture}");
        }
    }
}

#[test]
fn the_load_bias_is_found_from_any_segments_mapping() {
    for fixture in fixtures(&[Mode::Plain, Mode::Pie, Mode::CgoPie]) {
        let image = fixture.image();
        let bytes = fs::read(&fixture.path).expect("the fixture");
        let base = if fixture.mode.is_pie() { 0x5555_5540_0000 } else { 0 };
        for (offset, address) in loads(&bytes) {
            let (offset, address) = (offset & !0xfff, address & !0xfff);
            assert_eq!(image.load_bias(base + address, offset), Some(base), "{fixture}");
        }
        if fixture.mode.is_pie() {
            assert_eq!(image.load_bias(base, 0x7fff_f000), None, "{fixture}");
        }
    }
}

/// An unnamed file with these bytes.
pub(crate) fn temporary(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    file
}

fn remove_section_headers(elf: &mut [u8]) {
    let word = |at: usize| u64::from_le_bytes(elf[at..at + 8].try_into().expect("8 bytes"));
    let headers = usize::try_from(word(40)).expect("an offset");
    let count = usize::from(u16::from_le_bytes([elf[60], elf[61]]));
    elf[headers..headers + 64 * count].fill(0);
    elf[40..48].fill(0);
    elf[60..64].fill(0);
}

/// Where in the file the byte at a link-time address stands.
pub(crate) fn file_offset(elf: &[u8], address: u64) -> usize {
    let segments = loads(elf);
    let (offset, start) =
        segments.iter().filter(|(_, start)| *start <= address).max_by_key(|(_, start)| *start).expect("a segment below it");
    usize::try_from(offset + (address - start)).expect("an offset")
}

/// (file offset, address) of every loaded segment.
fn loads(elf: &[u8]) -> Vec<(u64, u64)> {
    let headers = elf[64..].chunks(56);
    let count = usize::from(u16::from_le_bytes([elf[56], elf[57]]));
    let word = |header: &[u8], at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("8 bytes"));
    headers.take(count).filter(|header| header[..4] == [1, 0, 0, 0]).map(|header| (word(header, 8), word(header, 16))).collect()
}
