//! The symbol table, when the program was not stripped of it.

use super::bytes::{u32_at, u64_at};
use super::elf::{Elf, SHT_SYMTAB};
use super::names;

/// One `Elf64_Sym`.
const RECORD: usize = 24;

/// The addresses of `wanted` names of package runtime, in their order; `None`
/// for those that have no symbol, and for all without a table.
pub(super) fn addresses<const N: usize>(elf: &Elf, wanted: [&str; N]) -> [Option<u64>; N] {
    let mut addresses = [None; N];
    let Some((symbols, names)) = tables(elf) else {
        return addresses;
    };
    let places = names::find(&names, &wanted);
    let mut records = symbols.forward();
    let mut at = 0;
    while let Some(record) = records.bytes(at, RECORD) {
        at += RECORD as u64;
        let (Some(name), Some(value)) = (u32_at(record, 0), u64_at(record, 8)) else {
            continue;
        };
        if let Ok(index) = places.binary_search_by_key(&name, |&(place, _)| place)
            && let Some(&(_, wanted)) = places.get(index)
            && let Some(slot) = addresses.get_mut(wanted)
            && value != 0
        {
            *slot = slot.or(Some(value));
        }
    }
    addresses
}

fn tables(elf: &Elf) -> Option<(super::source::Window, super::source::Window)> {
    let symbols = elf.sections.iter().find(|s| s.kind == SHT_SYMTAB)?;
    let names = elf.sections.get(usize::try_from(symbols.link).ok()?)?;
    Some((elf.section_bytes(symbols)?, elf.section_bytes(names)?))
}
