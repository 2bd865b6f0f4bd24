//! The function table (pclntab): which function a pc belongs to.
//!
//! Only the index is kept, eight bytes per function; records and names stay in
//! the file. Names of fields are those of `runtime._func`.

use std::ops::Range;

use super::bytes::{i32_at, u32_at};
use super::error::ImageError;
use super::moduledata::ModuleData;
use super::names;
use super::pcvalue;

/// Fixed part of a `runtime._func`.
const RECORD: usize = 44;
/// Fixed part, and more tables than any version has (5 and 8 in Go 1.27).
const RECORD_AND_TABLES: usize = RECORD + 16 * 4;
/// `funcFlag_TOPFRAME` of package internal/abi.
const FLAG_TOP_FRAME: u8 = 1;
/// `funcFlag_ASM`.
const FLAG_ASSEMBLY: u8 = 4;

/// One compiled function. Addresses are link-time addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Function {
    /// The full name as the function table has it: `main.(*T).run.func1`,
    /// `main.keys[go.shape.string]`.
    pub name: String,
    /// Its first instruction.
    pub entry: u64,
    /// Where the next function begins (padding included).
    pub end: u64,
    /// The compiler's `abi.FuncID`, numbered differently by each release.
    pub func_id: u8,
    /// Line of the `func` keyword.
    pub start_line: u32,
    /// Made by the compiler to adapt a call: a deferred call with arguments, a
    /// method value, a promoted method.
    pub is_wrapper: bool,
    /// The outermost function of a stack, such as `runtime.goexit`.
    pub is_top_frame: bool,
    /// Written in assembly; it may not keep a frame pointer.
    pub is_assembly: bool,
    /// The call of `runtime.deferreturn` that a recovered panic resumes at;
    /// `None` when the function has no defers.
    pub deferreturn: Option<u64>,
}

/// The sorted index and the windows that records refer to.
#[derive(Debug)]
pub(super) struct FunctionTable {
    text: u64,
    described: Range<u64>,
    /// (offset of the entry in the text, offset of the record), both growing.
    index: Vec<(u32, u32)>,
    wrapper_id: u8,
    pub(super) data: ModuleData,
}

/// One `_func` with the offsets that follow it.
pub(super) struct Record {
    bytes: [u8; RECORD_AND_TABLES],
    pub(super) entry: u64,
    pub(super) end: u64,
}

impl FunctionTable {
    pub(super) fn read(data: ModuleData, minor: u8) -> Result<Self, ImageError> {
        let damaged = |what| ImageError::FunctionTable { what };
        let bytes = data
            .function_count
            .checked_mul(8)
            .and_then(|len| data.functions.vec(0, len))
            .ok_or(damaged("its index is cut short"))?;
        let index: Vec<(u32, u32)> =
            bytes.chunks_exact(8).filter_map(|pair| Some((u32_at(pair, 0)?, u32_at(pair, 4)?))).collect();
        if !index.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1) {
            return Err(damaged("its index is not sorted"));
        }
        Ok(Self { text: data.text.start, described: data.described.clone(), index, wrapper_id: wrapper_id(minor), data })
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The record of the function that `pc` is in.
    pub(super) fn record(&self, pc: u64) -> Option<Record> {
        if !self.described.contains(&pc) {
            return None;
        }
        let offset = u32::try_from(pc.checked_sub(self.text)?).ok()?;
        let after = self.index.partition_point(|&(entry, _)| entry <= offset);
        self.nth(after.checked_sub(1)?)
    }

    /// The record of the function at `position` in the order of addresses.
    pub(super) fn nth(&self, position: usize) -> Option<Record> {
        let &(entry, record) = self.index.get(position)?;
        let end = match self.index.get(position.checked_add(1)?) {
            Some(&(next, _)) => self.text.checked_add(u64::from(next))?,
            None => self.described.end,
        };
        let mut bytes = [0; RECORD_AND_TABLES];
        let got = self.data.functions.fill(u64::from(record), &mut bytes).len();
        let record = Record { bytes, entry: self.text.checked_add(u64::from(entry))?, end };
        (got >= RECORD && record.tables_end()? <= got).then_some(record)
    }

    /// Whether a function begins exactly at `pc`.
    pub(super) fn is_entry(&self, pc: u64) -> bool {
        let offset = pc.checked_sub(self.text).map(u32::try_from);
        matches!(offset, Some(Ok(offset))
            if self.index.binary_search_by_key(&offset, |&(entry, _)| entry).is_ok())
    }

    pub(super) fn name_at(&self, offset: i32) -> Option<String> {
        self.data.names.text(u64::try_from(offset).ok()?)
    }

    pub(super) fn name(&self, record: &Record) -> Option<String> {
        self.name_at(record.name_offset()?)
    }

    /// The name as Go itself prints it, see [`printed`].
    pub(super) fn printed_name(&self, record: &Record) -> Option<String> {
        self.name(record).map(printed)
    }

    pub(super) fn is_wrapper(&self, record: &Record) -> bool {
        record.byte(0x28) == Some(self.wrapper_id)
    }

    pub(super) fn function(&self, record: &Record) -> Option<Function> {
        let flags = record.byte(0x29)?;
        let deferreturn = record.word(0x0c)?;
        Some(Function {
            name: self.name(record)?,
            entry: record.entry,
            end: record.end,
            func_id: record.byte(0x28)?,
            start_line: u32::try_from(i32_at(&record.bytes, 0x24)?).ok()?,
            is_wrapper: self.is_wrapper(record),
            is_top_frame: flags & FLAG_TOP_FRAME != 0,
            is_assembly: flags & FLAG_ASSEMBLY != 0,
            deferreturn: match deferreturn {
                0 => None,
                offset => record.entry.checked_add(u64::from(offset)),
            },
        })
    }

    /// The value of one of the record's pc-value tables at an offset into the
    /// function.
    pub(super) fn pc_value(&self, table: Option<u32>, offset: u32) -> Option<i32> {
        pcvalue::at(&self.data.pc_tables, table?, offset)
    }

    /// Entries of the functions called `wanted`, in their order.
    ///
    /// Compiler-made twins (ABI0 wrappers) are passed over, but not what the
    /// runtime only marks as a wrapper to keep it out of tracebacks, such as
    /// `runtime.deferreturn`: that has no twin.
    pub(super) fn entries(&self, wanted: &[&str]) -> Vec<Option<u64>> {
        let places = names::find(&self.data.names, wanted);
        let mut found = vec![Named::default(); wanted.len()];
        let mut records = self.data.functions.forward();
        for &(entry, record) in &self.index {
            let Some(bytes) = records.bytes(u64::from(record), RECORD) else {
                continue;
            };
            if let Some(name) = u32_at(bytes, 4)
                && let Ok(place) = places.binary_search_by_key(&name, |&(place, _)| place)
                && let Some(&(_, index)) = places.get(place)
                && let Some(named) = found.get_mut(index)
                && let Some(entry) = self.text.checked_add(u64::from(entry))
            {
                let is_wrapper = bytes.get(0x28) == Some(&self.wrapper_id);
                if is_wrapper { named.wrappers.push(entry) } else { named.function = Some(entry) }
            }
        }
        // A name that is asked for twice was found for the first.
        let first = |name: &&str| wanted.iter().position(|other| other == name);
        let named = wanted.iter().map(|name| found.get(first(name)?));
        named.map(|named| named.and_then(Named::entry)).collect()
    }
}

/// What bears one name.
#[derive(Clone, Default)]
struct Named {
    function: Option<u64>,
    wrappers: Vec<u64>,
}

impl Named {
    fn entry(&self) -> Option<u64> {
        match (self.function, self.wrappers.as_slice()) {
            (Some(function), _) => Some(function),
            (None, [only]) => Some(*only),
            _ => None,
        }
    }
}

impl Record {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn word(&self, at: usize) -> Option<u32> {
        u32_at(&self.bytes, at)
    }

    pub(super) fn name_offset(&self) -> Option<i32> {
        i32_at(&self.bytes, 0x04)
    }

    /// Table of the bytes between the stack pointer and the return address.
    pub(super) fn stack_table(&self) -> Option<u32> {
        self.word(0x10)
    }

    pub(super) fn file_table(&self) -> Option<u32> {
        self.word(0x14)
    }

    pub(super) fn line_table(&self) -> Option<u32> {
        self.word(0x18)
    }

    /// First entry of this compilation unit in the table of units.
    pub(super) fn unit(&self) -> Option<u32> {
        self.word(0x20)
    }

    /// Offset of `pc` into the function.
    pub(super) fn offset_of(&self, pc: u64) -> Option<u32> {
        u32::try_from(pc.checked_sub(self.entry)?).ok()
    }

    fn pc_table_count(&self) -> Option<usize> {
        usize::try_from(self.word(0x1c)?).ok()
    }

    fn tables_end(&self) -> Option<usize> {
        let words = self.pc_table_count()?.checked_add(usize::from(self.byte(0x2b)?))?;
        words.checked_mul(4)?.checked_add(RECORD)
    }

    /// pc-value table number `index`, one of the `PCDATA_` constants.
    pub(super) fn pc_table(&self, index: usize) -> Option<u32> {
        (index < self.pc_table_count()?).then(|| self.word(RECORD + 4 * index))?
    }

    /// Offset of function data number `index` (`FUNCDATA_` constants).
    pub(super) fn function_data(&self, index: usize) -> Option<u32> {
        if index >= usize::from(self.byte(0x2b)?) {
            return None;
        }
        let at = self.pc_table_count()?.checked_add(index)?.checked_mul(4)?;
        // All ones: the function has none of this kind.
        self.word(at.checked_add(RECORD)?).filter(|&offset| offset != u32::MAX)
    }
}

/// `abi.FuncIDWrapper`, the last of the list, which grew with `corostart` in
/// 1.22 and when the finalizer goroutine was split in 1.25.
fn wrapper_id(minor: u8) -> u8 {
    match minor {
        ..=21 => 21,
        22..=24 => 22,
        25.. => 23,
    }
}

/// The name as a traceback has it: the type arguments of a generic function,
/// which are only shapes, are left out (`runtime.funcNameForPrint`). So all
/// instances of one function in the source have one name.
pub(super) fn printed(name: String) -> String {
    let open = name.split_once('[').map(|(before, _)| before);
    let close = name.rsplit_once(']').map(|(_, after)| after);
    match (open, close) {
        (Some(before), Some(after)) if before.len() + after.len() < name.len() => {
            format!("{before}[...]{after}")
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::printed;

    #[test]
    fn type_arguments_are_not_printed() {
        let cases = [
            ("main.run", "main.run"),
            ("main.keys[go.shape.string]", "main.keys[...]"),
            ("main.(*T[go.shape.[]uint8]).run.func1", "main.(*T[...]).run.func1"),
            ("odd]main[", "odd]main["),
        ];
        for (name, expected) in cases {
            assert_eq!(printed(name.to_owned()), expected);
        }
    }
}
