//! Looking for bytes where a section header should have said they are.

use super::elf::{Elf, Segment};

/// The runtime and the linker write each thing that is looked for once; what
/// is embedded in the program may hold copies.
const MAX_FOUND: usize = 16;

/// The addresses in `segments`, multiples of `align`, at which `test` accepts
/// the bytes that follow (at least `align` of them, unless the segment ends).
/// The first sixteen are enough.
///
/// Segments that overlap are a trick, so no more bytes are read than the file
/// has.
pub(super) fn find<'s>(
    elf: &Elf,
    segments: impl Iterator<Item = &'s Segment>,
    align: usize,
    test: impl Fn(&[u8]) -> bool,
) -> Vec<u64> {
    let mut found = Vec::new();
    let mut budget = elf.source.len();
    for segment in segments {
        let Some((start, bytes)) = elf.aligned_bytes(segment, align as u64) else {
            continue;
        };
        let Some(left) = budget.checked_sub(bytes.len()) else {
            break;
        };
        budget = left;
        bytes.scan(align, |offset, chunk| {
            let hits = (0..chunk.len())
                .step_by(align)
                .filter(|&at| chunk.get(at..).is_some_and(&test))
                .filter_map(|at| start.checked_add(offset)?.checked_add(at as u64));
            found.extend(hits.take(MAX_FOUND));
            (found.len() >= MAX_FOUND).then_some(())
        });
    }
    // What stands where two chunks overlap may have been found twice.
    found.dedup();
    found.truncate(MAX_FOUND);
    found
}
