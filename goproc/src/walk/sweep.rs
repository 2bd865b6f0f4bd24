//! Finding every goroutine: the runtime's list of all of them, read in batches.

use super::WalkError;
use super::code::Code;
use super::goroutine::{Goroutine, u64_at};
use super::program::{AllgPair, Program};
use crate::layout::GLayout;
use crate::memory::{Extent, Memory, MemoryError, Pages};

/// Goroutines looked at together: as many as one system call takes extents.
pub(super) const BATCH: usize = 1024;

/// Most goroutines a list may claim to have. At 2 KiB of stack each, 2^28 are half a terabyte.
const MAX_PLAUSIBLE: u64 = 1 << 28;

/// The runtime's list of all goroutines ever made, dead ones included; it only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AllGoroutines {
    array: u64,
    /// Entries in the list.
    pub(super) length: u64,
}

impl AllGoroutines {
    /// Reads where the list is now.
    pub(super) fn read<C: Code, M: Memory>(program: &Program<C>, pages: &mut Pages<'_, M>) -> Result<Self, WalkError> {
        let globals = program.globals();
        let mut words = [0; 16];
        let extents = if let Some(AllgPair { length, pointer }) = globals.allg {
            // Length before pointer, as runtime.atomicAllG does: the array is published first, so that the array
            // seen is at least as long as the length seen.
            [Extent { address: program.at(length), length: 8 }, Extent { address: program.at(pointer), length: 8 }]
        } else if let Some(slice) = globals.allgs {
            let slice = program.at(slice);
            [Extent { address: slice.wrapping_add(8), length: 8 }, Extent { address: slice, length: 8 }]
        } else {
            return Err(WalkError::Check("the program's list of goroutines (runtime.allgs) was not found".to_owned()));
        };
        if pages.read_fresh(&extents, &mut words)? < words.len() {
            return Err(WalkError::Check("the variables behind runtime.allgs cannot be read".to_owned()));
        }
        let all = Self { length: u64_at(&words, 0), array: u64_at(&words, 8) };
        if all.length == 0 || all.array == 0 {
            return Err(WalkError::NotReady);
        }
        if all.length > MAX_PLAUSIBLE {
            return Err(WalkError::Check(format!("runtime.allglen is {}, not a number of goroutines", all.length)));
        }
        Ok(all)
    }

    /// Addresses of the goroutines from entry `first` on, at most [`BATCH`]; fewer where the list cannot be read.
    pub(super) fn addresses<M: Memory>(self, first: u64, pages: &mut Pages<'_, M>) -> Result<Vec<u64>, MemoryError> {
        let count = usize::try_from(self.length.saturating_sub(first)).unwrap_or(BATCH).min(BATCH);
        let mut bytes = vec![0; count * 8];
        let address = self.array.wrapping_add(first.wrapping_mul(8));
        let read = pages.read_fresh(&[Extent { address, length: bytes.len() }], &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes.as_chunks::<8>().0.iter().copied().map(u64::from_le_bytes).collect())
    }
}

/// Reads the goroutines at `addresses`, in order; `None` for one that cannot be read.
pub(super) fn read_goroutines<C: Code, M: Memory>(
    addresses: &[u64],
    program: &Program<C>,
    pages: &mut Pages<'_, M>,
) -> Result<Vec<Option<Goroutine>>, MemoryError> {
    pages.clear();
    pages.prefetch(addresses.iter().map(|address| (*address, GLayout::READ)))?;
    let layout = program.layout();
    let decode = |address: &u64| Some(Goroutine::decode(*address, &pages.peek(*address)?, &layout));
    Ok(addresses.iter().map(decode).collect())
}
