//! The ELF headers: which bytes of the file are which addresses.
//!
//! Program headers are what the kernel believes, so they must be right.
//! Section headers are a help that a program can do without (some packers
//! remove them), so a broken section table counts as none.

use std::ops::Range;
use std::sync::Arc;

use super::bytes::{u16_at, u32_at, u64_at};
use super::error::ImageError;
use super::source::{Source, Window};

// Names, values and field offsets are those of the System V ABI's ELF-64 tables.
pub(super) const PT_LOAD: u32 = 1;
pub(super) const PT_DYNAMIC: u32 = 2;
pub(super) const PT_NOTE: u32 = 4;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
const SHT_NOBITS: u32 = 8;
pub(super) const SHT_SYMTAB: u32 = 2;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const EM_X86_64: u16 = 62;
const HEADER: usize = 64;
const PROGRAM_HEADER: u16 = 56;
const SECTION_HEADER: u16 = 64;

/// Far more than any linker writes; the kernel stops at 64 KiB of headers.
const MAX_SEGMENTS: u16 = 256;
const MAX_SECTIONS: u16 = 4096;
const MAX_SECTION_NAMES: u64 = 1 << 20;
/// The page size of every amd64 kernel.
const PAGE: u64 = 4096;

/// One program header.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) file_size: u64,
    pub(super) memory_size: u64,
}

impl Segment {
    pub(super) fn is_writable(&self) -> bool {
        self.flags & PF_W != 0
    }

    pub(super) fn memory(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.memory_size)
    }
}

/// One section header.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) kind: u32,
    pub(super) link: u32,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// The headers of one file.
#[derive(Debug)]
pub(super) struct Elf {
    pub(super) source: Arc<Source>,
    pub(super) is_pie: bool,
    /// Every program header; [`Elf::loads`] are those that become memory.
    pub(super) segments: Vec<Segment>,
    /// Empty when the file has no usable section table.
    pub(super) sections: Vec<Section>,
}

impl Elf {
    pub(super) fn read(source: Arc<Source>) -> Result<Self, ImageError> {
        let malformed = |what| ImageError::MalformedElf { what };
        let file = Window::new(&source, 0, source.len()).ok_or(ImageError::NotElf)?;
        let header = file.array::<HEADER>(0).ok_or(ImageError::NotElf)?;
        check_identity(&header)?;
        let kind = u16_at(&header, 16);
        if kind != Some(ET_EXEC) && kind != Some(ET_DYN) {
            return Err(malformed("neither an executable nor position independent"));
        }
        let segments = segments(&file, &header).ok_or(malformed("program headers"))?;
        if !segments.iter().any(|segment| segment.kind == PT_LOAD) {
            return Err(malformed("no segment is loaded"));
        }
        let sections = sections(&file, &header).unwrap_or_default();
        Ok(Self { source, is_pie: kind == Some(ET_DYN), segments, sections })
    }

    /// The segments that become memory.
    pub(super) fn loads(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.kind == PT_LOAD)
    }

    /// The segments that the program writes to, which is where the linker puts
    /// the runtime's variables.
    pub(super) fn writable(&self) -> impl Iterator<Item = &Segment> {
        self.loads().filter(|segment| segment.is_writable())
    }

    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The file bytes of a whole section.
    pub(super) fn section_bytes(&self, section: &Section) -> Option<Window> {
        if section.kind == SHT_NOBITS {
            return None;
        }
        Window::new(&self.source, section.offset, section.size)
    }

    /// The file bytes of a whole segment, cut at the end of the file.
    pub(super) fn segment_bytes(&self, segment: &Segment) -> Option<Window> {
        let room = self.source.len().checked_sub(segment.offset)?;
        Window::new(&self.source, segment.offset, segment.file_size.min(room))
    }

    /// The file bytes of a segment from its first address that is a multiple
    /// of `align`, and that address.
    pub(super) fn aligned_bytes(&self, segment: &Segment, align: u64) -> Option<(u64, Window)> {
        let bytes = self.segment_bytes(segment)?;
        let address = segment.address.checked_next_multiple_of(align)?;
        let skip = address.checked_sub(segment.address)?;
        let rest = bytes.part(skip, bytes.len().checked_sub(skip)?)?;
        Some((address, rest))
    }

    /// From `address` to the end of the file bytes of its segment.
    pub(super) fn bytes_from(&self, address: u64) -> Option<Window> {
        let (segment, inside) = self.loads().find_map(|segment| {
            let inside = address.checked_sub(segment.address)?;
            (inside < segment.file_size).then_some((segment, inside))
        })?;
        let offset = segment.offset.checked_add(inside)?;
        let room = self.source.len().checked_sub(offset)?;
        let len = segment.file_size.saturating_sub(inside).min(room);
        Window::new(&self.source, offset, len)
    }

    /// Exactly `len` bytes of file from `address`.
    pub(super) fn bytes_at(&self, address: u64, len: u64) -> Option<Window> {
        self.bytes_from(address)?.part(0, len)
    }

    /// Where the byte of code at `address` stands in the file.
    pub(super) fn executable_offset(&self, address: u64) -> Option<u64> {
        self.loads().filter(|segment| segment.flags & PF_X != 0).find_map(|segment| {
            let inside = address.checked_sub(segment.address)?;
            (inside < segment.file_size).then(|| segment.offset.checked_add(inside))?
        })
    }

    /// Whether `len` bytes at `address` are memory the program may write,
    /// zeroed memory included.
    pub(super) fn is_writable_memory(&self, address: u64, len: u64) -> bool {
        let Some(end) = address.checked_add(len) else {
            return false;
        };
        self.writable().any(|segment| segment.memory().start <= address && end <= segment.memory().end)
    }

    /// The lowest link-time address that is loaded.
    pub(super) fn first_address(&self) -> u64 {
        self.loads().map(|segment| segment.address).min().unwrap_or(0)
    }

    /// See [`super::Image::load_bias`].
    pub(super) fn load_bias(&self, map_start: u64, map_offset: u64) -> Option<u64> {
        if !self.is_pie {
            return Some(0);
        }
        let mut biases = self.loads().filter_map(|segment| {
            if segment.offset & !(PAGE - 1) != map_offset {
                return None;
            }
            let address = segment.address & !(PAGE - 1);
            map_start.checked_sub(address)
        });
        let bias = biases.next()?;
        // Two segments that begin in one page of the file: only a mapping of
        // another segment can tell.
        biases.all(|other| other == bias).then_some(bias)
    }
}

fn check_identity(header: &[u8; HEADER]) -> Result<(), ImageError> {
    if !header.starts_with(b"\x7fELF") {
        return Err(ImageError::NotElf);
    }
    let class = header.get(4).copied();
    let order = header.get(5).copied();
    let machine = u16_at(header, 18).unwrap_or(0);
    let name = match (order, machine, class) {
        (Some(1), EM_X86_64, Some(2)) => return Ok(()),
        (Some(1), EM_X86_64, _) => "x32".to_owned(),
        (Some(1), 3, _) => "386".to_owned(),
        (Some(1), 8, _) => "mips".to_owned(),
        (Some(1), 21, _) => "ppc64le".to_owned(),
        (Some(1), 40, _) => "arm".to_owned(),
        (Some(1), 183, _) => "arm64".to_owned(),
        (Some(1), 243, _) => "riscv64".to_owned(),
        (Some(1), 258, _) => "loong64".to_owned(),
        (Some(1), other, _) => format!("ELF machine {other}"),
        _ => "a big-endian machine".to_owned(),
    };
    Err(ImageError::UnsupportedMachine { machine: name })
}

/// The bytes of a table of `count` records of `size` bytes at `offset`.
fn table(file: &Window, offset: u64, count: u16, size: u16) -> Option<Vec<u8>> {
    file.vec(offset, u64::from(count) * u64::from(size))
}

fn segments(file: &Window, header: &[u8; HEADER]) -> Option<Vec<Segment>> {
    let offset = u64_at(header, 32)?;
    let size = u16_at(header, 54)?;
    let count = u16_at(header, 56)?;
    if size != PROGRAM_HEADER || count > MAX_SEGMENTS {
        return None;
    }
    table(file, offset, count, size)?
        .chunks_exact(usize::from(PROGRAM_HEADER))
        .map(|record| {
            Some(Segment {
                kind: u32_at(record, 0)?,
                flags: u32_at(record, 4)?,
                offset: u64_at(record, 8)?,
                address: u64_at(record, 16)?,
                file_size: u64_at(record, 32)?,
                memory_size: u64_at(record, 40)?,
            })
        })
        .collect()
}

fn sections(file: &Window, header: &[u8; HEADER]) -> Option<Vec<Section>> {
    let offset = u64_at(header, 40)?;
    let size = u16_at(header, 58)?;
    let count = u16_at(header, 60)?;
    let names = usize::from(u16_at(header, 62)?);
    if size != SECTION_HEADER || count > MAX_SECTIONS {
        return None;
    }
    let bytes = table(file, offset, count, size)?;
    let record = |index: usize| bytes.chunks_exact(usize::from(SECTION_HEADER)).nth(index);
    let (names_at, names_len) = (u64_at(record(names)?, 24)?, u64_at(record(names)?, 32)?);
    if names_len > MAX_SECTION_NAMES {
        return None;
    }
    let names = file.vec(names_at, names_len)?;
    bytes.chunks_exact(usize::from(SECTION_HEADER)).map(|record| section(record, &names)).collect()
}

fn section(record: &[u8], names: &[u8]) -> Option<Section> {
    let name = names.get(usize::try_from(u32_at(record, 0)?).ok()?..)?;
    let name = name.split(|&byte| byte == 0).next()?;
    Some(Section {
        name: String::from_utf8_lossy(name).into_owned(),
        kind: u32_at(record, 4)?,
        address: u64_at(record, 16)?,
        offset: u64_at(record, 24)?,
        size: u64_at(record, 32)?,
        link: u32_at(record, 40)?,
    })
}
