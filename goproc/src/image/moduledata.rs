//! Where the linker put what: `runtime.moduledata` and the function table.
//!
//! Both are found by section name when there are sections, else by their
//! contents; either way they must agree with one another, because each holds
//! the addresses of the other's parts.

use std::ops::Range;

use super::bytes::u64_at;
use super::elf::Elf;
use super::error::ImageError;
use super::relocations::Relocations;
use super::search;
use super::source::Window;

/// The eight bytes every function table of Go 1.20 and newer begins with:
/// magic 0xfffffff1, two zeros, instruction quantum 1, pointer size 8.
const TABLE_MAGIC: [u8; 8] = [0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
/// `runtime.pcHeader` of all supported versions.
const TABLE_HEADER: usize = 72;
/// Enough of `runtime.moduledata` for every field used here.
const MODULE: usize = 0x160;
/// Far more functions than any program has (kubelet: 130,000).
const MAX_FUNCTIONS: u64 = 1 << 24;
/// Both stand at multiples of this.
const WORD: usize = 8;

/// The parts of `runtime.moduledata` that are used, verified.
#[derive(Debug)]
pub(super) struct ModuleData {
    /// runtime.text to runtime.etext.
    pub(super) text: Range<u64>,
    /// First and one past the last pc that the function table describes.
    pub(super) described: Range<u64>,
    pub(super) function_count: u64,
    /// Descriptions of types and their names; offsets of names count from its
    /// start. Not checked: it may be empty or outside of the file.
    pub(super) types: Range<u64>,
    /// Names of functions, NUL-terminated.
    pub(super) names: Window,
    /// Per compilation unit, offsets into `files`.
    pub(super) units: Window,
    pub(super) files: Window,
    /// The pc-value tables.
    pub(super) pc_tables: Window,
    /// The sorted index of functions, and behind it their records.
    pub(super) functions: Window,
    /// Where function data offsets count from, to the end of the segment.
    pub(super) function_data: Option<Window>,
}

impl ModuleData {
    pub(super) fn find(elf: &Elf, minor: u8) -> Result<Self, ImageError> {
        let tables = table_addresses(elf);
        if tables.is_empty() {
            return Err(ImageError::FunctionTable { what: "not found" });
        }
        modules(elf, &tables)
            .find_map(|module| Self::decode(elf, minor, &module))
            .ok_or(ImageError::FunctionTable { what: "no runtime.moduledata agrees with it" })
    }

    /// Takes the fields out of the bytes of a moduledata and checks each
    /// against the header of the function table that it points to.
    fn decode(elf: &Elf, minor: u8, module: &[u8; MODULE]) -> Option<Self> {
        let word = |at: usize| u64_at(module, at);
        let table = word(0)?;
        let header = header_at(elf, table)?;
        // A Go slice whose start must be where the header says.
        let slice = |at: usize, start_at: usize, size: u64| {
            let start = word(at)?;
            let expected = table.checked_add(u64_at(&header, start_at)?)?;
            let len = word(at + 8)?.checked_mul(size)?;
            (start == expected).then(|| elf.bytes_at(start, len))?
        };
        let function_count = u64_at(&header, 8)?;
        let text = word(0xb0)?..word(0xb8)?;
        let described = word(0xa0)?..word(0xa8)?;
        let sound = word(0x80)? == word(0x68)?
            && word(0x88)? == function_count.checked_add(1)?
            && text.start <= described.start
            && described.start < described.end
            && described.end <= text.end
            && elf.bytes_from(text.start).is_some();
        if !sound {
            return None;
        }
        let function_data = word(if minor >= 27 { 0x158 } else { 0x140 })?;
        let types = word(0x128)?..word(if minor >= 27 { 0x138 } else { 0x130 })?;
        Some(Self {
            types,
            text,
            described,
            function_count,
            names: slice(0x08, 0x20, 1)?,
            units: slice(0x20, 0x28, 4)?,
            files: slice(0x38, 0x30, 1)?,
            pc_tables: slice(0x50, 0x38, 1)?,
            functions: slice(0x68, 0x40, 1)?,
            function_data: elf.bytes_from(function_data),
        })
    }
}

/// Addresses at which a function table may stand, the likeliest first.
fn table_addresses(elf: &Elf) -> Vec<u64> {
    let mut found: Vec<u64> = [".gopclntab", ".data.rel.ro.gopclntab"]
        .iter()
        .filter_map(|name| elf.section(name).map(|section| section.address))
        .filter(|&address| header_at(elf, address).is_some())
        .collect();
    if found.is_empty() {
        found = search::find(elf, elf.loads(), WORD, |bytes| {
            bytes.starts_with(&TABLE_MAGIC) && u64_at(bytes, 8).is_none_or(is_count)
        });
    }
    found
}

fn is_count(functions: u64) -> bool {
    (1..=MAX_FUNCTIONS).contains(&functions)
}

fn header_at(elf: &Elf, address: u64) -> Option<[u8; TABLE_HEADER]> {
    let header = elf.bytes_from(address)?.array::<TABLE_HEADER>(0)?;
    let sound = header.starts_with(&TABLE_MAGIC) && is_count(u64_at(&header, 8)?);
    sound.then_some(header)
}

/// The bytes of everything that may be the moduledata of one of the tables.
/// Each later way costs more, and is taken only if the earlier ones fail.
fn modules<'e>(elf: &'e Elf, tables: &'e [u64]) -> impl Iterator<Item = [u8; MODULE]> + 'e {
    let bytes = |place: u64| elf.bytes_from(place)?.array::<MODULE>(0);
    let own_section = elf.section(".go.module").map(|section| section.address);
    let by_contents =
        move || search::find(elf, elf.writable(), WORD, |bytes| u64_at(bytes, 0).is_some_and(|word| tables.contains(&word)));
    let relocated = move || {
        let relocations = Relocations::new(elf);
        let places = relocations.places_of(tables);
        let mut modules: Vec<(u64, [u8; MODULE])> = places.into_iter().filter_map(|place| Some((place, bytes(place)?))).collect();
        relocations.apply(&mut modules);
        modules.into_iter().map(|(_, module)| module)
    };
    own_section
        .into_iter()
        .chain(std::iter::once_with(by_contents).flatten())
        .filter_map(bytes)
        .chain(std::iter::once_with(relocated).flatten())
}
