//! One `runtime._defer`, decoded and judged.

use super::goroutine::{Goroutine, u64_at};
use crate::layout::{Layout, RecordLayout};
use crate::snapshot::Doubt;

/// What is read of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) heap: bool,
    /// The deferred call is running already, or the record stands for open-coded defers: not pending itself.
    pub(super) not_pending: bool,
    pub(super) range_func: bool,
    pub(super) sp: u64,
    pub(super) pc: u64,
    pub(super) function: u64,
    pub(super) link: u64,
    pub(super) head: u64,
}

impl Record {
    /// Decodes the first [`RecordLayout::READ`] bytes of a record.
    pub(super) fn decode(bytes: &[u8; RecordLayout::READ], layout: &Layout) -> Self {
        let flag = |offset: usize| bytes.get(offset).is_some_and(|byte| *byte != 0);
        let layout = layout.record;
        Self {
            heap: flag(layout.heap),
            not_pending: layout.started.is_some_and(flag) || layout.open_defer.is_some_and(flag),
            range_func: layout.range_func.is_some_and(flag),
            sp: u64_at(bytes, RecordLayout::SP),
            pc: u64_at(bytes, RecordLayout::PC),
            function: u64_at(bytes, RecordLayout::FN),
            link: u64_at(bytes, layout.link),
            head: u64_at(bytes, layout.head),
        }
    }

    /// Whether this can be a record at `address` on the chain of `goroutine`, below records with stack pointer
    /// `younger_sp`. Frames further out have higher addresses, so stack pointers never fall along a chain.
    pub(super) fn check(&self, address: u64, goroutine: &Goroutine, younger_sp: u64) -> Result<(), Doubt> {
        if self.function == 0 && !self.range_func && !self.not_pending {
            return Err(Doubt::NullRecord);
        }
        if !goroutine.on_stack(self.sp) || self.sp < younger_sp {
            return Err(Doubt::StackPointer);
        }
        // A record is in a frame exactly when the runtime says that it did not allocate it.
        if self.heap == goroutine.on_stack(address) {
            return Err(Doubt::StackPointer);
        }
        Ok(())
    }

    /// Whether this can be a record on the private list of a range-over-func loop: those get the stack pointer and
    /// pc of the loop only when the function returns.
    pub(super) fn check_in_range_list(&self) -> Result<(), Doubt> {
        if self.function == 0 || !self.heap || self.range_func {
            return Err(Doubt::NullRecord);
        }
        if self.sp != 0 || self.pc != 0 { Err(Doubt::StackPointer) } else { Ok(()) }
    }

    /// A number that differs when any field or the address does, for comparing two looks at a chain. Added up over
    /// a chain, so that a chain that only grew at its head still contains the sum of what it was.
    pub(super) fn digest(&self, address: u64) -> u64 {
        let mut mixed = address;
        for field in [self.sp, self.pc, self.function, self.link] {
            // Odd constant of splitmix64; rotating keeps equal fields in different places apart.
            mixed = (mixed.rotate_left(23) ^ field).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        }
        mixed ^ (mixed >> 31)
    }
}
