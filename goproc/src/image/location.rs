//! Source positions, inlining undone.

use super::bytes::i32_at;
use super::functions::{FunctionTable, Record, printed};
use super::pcvalue;

/// `abi.PCDATA_InlTreeIndex`.
const INLINE_INDEX: usize = 2;
/// `abi.FUNCDATA_InlTree`.
const INLINE_TREE: usize = 3;
/// A `runtime.inlinedCall`: func id (padded to 4), name, parent pc, start line.
const INLINED_CALL: u64 = 16;
/// Most frames that one instruction is said to have. Go's inliner goes some
/// tens deep at most; a cycle in damaged data would go on for ever.
const MAX_FRAMES: usize = 128;

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The function that the line is in, even if it was inlined elsewhere, as
    /// a traceback prints it: type arguments are written `[...]`.
    pub function: String,
    /// The file as the compiler recorded it: absolute, or beginning with a
    /// module path when built with `-trimpath`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// One of the calls that were inlined into a function.
pub(super) struct Inlined {
    pub(super) name: String,
    /// Offset into the function of the place it was called from.
    pub(super) parent: u32,
}

impl FunctionTable {
    /// The frames at `pc`, innermost first; empty when `pc` is in no function
    /// or what is said of it is damaged.
    pub(super) fn frames(&self, pc: u64, most: usize) -> Vec<Location> {
        let mut frames = Vec::new();
        let Some(record) = self.record(pc) else {
            return frames;
        };
        let mut offset = record.offset_of(pc);
        while let Some(at) = offset
            && frames.len() < most.min(MAX_FRAMES)
        {
            let inlined = self.inlined_at(&record, at);
            let parent = inlined.as_ref().map(|call| call.parent);
            let function = match inlined {
                Some(call) => Some(call.name),
                None => self.printed_name(&record),
            };
            let Some(frame) = self.position(&record, at, function) else {
                break;
            };
            frames.push(frame);
            offset = parent;
        }
        frames
    }

    fn position(&self, record: &Record, offset: u32, function: Option<String>) -> Option<Location> {
        let line = self.pc_value(record.line_table(), offset)?;
        let file = self.pc_value(record.file_table(), offset)?;
        Some(Location {
            function: function?,
            file: self.file(record.unit()?, u32::try_from(file).ok()?)?,
            line: u32::try_from(line).ok()?,
        })
    }

    fn file(&self, unit: u32, number: u32) -> Option<String> {
        let index = u64::from(unit.checked_add(number)?);
        let offset = u32::from_le_bytes(self.data.units.array(index.checked_mul(4)?)?);
        (offset != u32::MAX).then(|| self.data.files.text(u64::from(offset)))?
    }

    /// The inlined call that the instruction at `offset` is part of.
    pub(super) fn inlined_at(&self, record: &Record, offset: u32) -> Option<Inlined> {
        let index = self.pc_value(record.pc_table(INLINE_INDEX), offset)?;
        self.inlined(record, u32::try_from(index).ok()?)
    }

    fn inlined(&self, record: &Record, index: u32) -> Option<Inlined> {
        let tree = u64::from(record.function_data(INLINE_TREE)?);
        let at = tree.checked_add(u64::from(index).checked_mul(INLINED_CALL)?)?;
        let call = self.data.function_data.as_ref()?.array::<16>(at)?;
        Some(Inlined { name: printed(self.name_at(i32_at(&call, 4)?)?), parent: u32::try_from(i32_at(&call, 8)?).ok()? })
    }

    /// The outermost call that was inlined into the function, the first in the
    /// order of its code.
    pub(super) fn first_inlined(&self, record: &Record) -> Option<Inlined> {
        let table = record.pc_table(INLINE_INDEX)?;
        let len = record.offset_of(record.end)?;
        let offset = pcvalue::first_not_negative(&self.data.pc_tables, table, len)?;
        let mut call = self.inlined_at(record, offset)?;
        for _ in 0..MAX_FRAMES {
            match self.inlined_at(record, call.parent) {
                Some(outer) => call = outer,
                None => break,
            }
        }
        Some(call)
    }
}
