//! Pointers that the dynamic loader fills in.
//!
//! In a position independent executable a pointer in the data may be zero in
//! the file, its value being the addend of a relocation. The Go linker writes
//! both, the system's linker (cgo) only the relocation.

use super::bytes::u64_at;
use super::elf::{Elf, PT_DYNAMIC};
use super::source::Window;

/// One `Elf64_Rela`: offset, info, addend.
const RECORD: usize = 24;
/// `R_X86_64_RELATIVE`: load bias plus addend.
const RELATIVE: u64 = 8;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const MAX_DYNAMIC: u64 = 64 << 10;
/// Most places at which a wanted pointer may stand.
const MAX_PLACES: usize = 16;

/// The relative relocations of one executable; none in a fixed one.
pub(super) struct Relocations {
    table: Option<Window>,
}

impl Relocations {
    pub(super) fn new(elf: &Elf) -> Self {
        let table = if elf.is_pie { table(elf) } else { None };
        Self { table }
    }

    /// The addresses that will hold one of `values`, in the table's order.
    pub(super) fn places_of(&self, values: &[u64]) -> Vec<u64> {
        let mut places = Vec::new();
        self.each(|address, addend| {
            if places.len() < MAX_PLACES && values.contains(&addend) {
                places.push(address);
            }
        });
        places
    }

    /// Writes the values that belong into pieces of memory, each given with
    /// its address.
    pub(super) fn apply(&self, pieces: &mut [(u64, impl AsMut<[u8]>)]) {
        self.each(|address, addend| {
            for (start, bytes) in pieces.iter_mut() {
                if let Some(Ok(at)) = address.checked_sub(*start).map(usize::try_from)
                    && let Some(rest) = bytes.as_mut().get_mut(at..)
                    && let Some(word) = rest.first_chunk_mut::<8>()
                {
                    *word = addend.to_le_bytes();
                }
            }
        });
    }

    fn each(&self, mut see: impl FnMut(u64, u64)) {
        let Some(table) = &self.table else { return };
        let mut records = table.forward();
        let mut at = 0;
        while let Some(record) = records.bytes(at, RECORD) {
            if let (Some(address), Some(RELATIVE), Some(addend)) = (u64_at(record, 0), u64_at(record, 8), u64_at(record, 16)) {
                see(address, addend);
            }
            at += RECORD as u64;
        }
    }
}

fn table(elf: &Elf) -> Option<Window> {
    let dynamic = elf.segments.iter().find(|s| s.kind == PT_DYNAMIC)?;
    let dynamic = elf.segment_bytes(dynamic).filter(|bytes| bytes.len() <= MAX_DYNAMIC)?;
    let dynamic = dynamic.vec(0, dynamic.len())?;
    let value =
        |tag: u64| dynamic.chunks_exact(16).find(|entry| u64_at(entry, 0) == Some(tag)).and_then(|entry| u64_at(entry, 8));
    elf.bytes_at(value(DT_RELA)?, value(DT_RELASZ)?)
}
