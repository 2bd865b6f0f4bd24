//! Many looks at once: chains advance together and share their reads.

use super::chain::{Chain, Progress};
use super::code::Code;
use super::program::Program;
use crate::memory::{Memory, MemoryError, Pages};

/// Walks all of `chains` to their ends, reading what they miss in common system calls.
pub(super) fn collect<C: Code, M: Memory>(
    chains: &mut [Chain],
    pages: &mut Pages<'_, M>,
    program: &mut Program<C>,
    budget: &mut u64,
) -> Result<(), MemoryError> {
    let mut active: Vec<&mut Chain> = chains.iter_mut().collect();
    let mut needs = Vec::new();
    while !active.is_empty() {
        needs.clear();
        active.retain_mut(|chain| match chain.advance(pages, program, budget) {
            Progress::Need(address, length) => {
                needs.push((address, length));
                true
            }
            Progress::Finished => false,
        });
        pages.prefetch(needs.iter().copied())?;
    }
    Ok(())
}

/// Walks one chain reading nothing but its own records and closures, each by a call of its own: what a walker
/// without pages does. Only there to be measured against.
#[doc(hidden)]
pub fn naive_walk<M: Memory>(memory: &M, head: u64, link: usize) -> Result<u64, MemoryError> {
    use crate::layout::RecordLayout;
    use crate::memory::Extent;

    let mut next = head;
    let mut records = 0_u64;
    while next != 0 {
        let mut record = [0; RecordLayout::READ];
        memory.read(&[Extent { address: next, length: RecordLayout::READ }], &mut record)?;
        let mut code = [0; 8];
        let function = super::goroutine::u64_at(&record, RecordLayout::FN);
        memory.read(&[Extent { address: function, length: 8 }], &mut code)?;
        records = records.saturating_add(1);
        next = super::goroutine::u64_at(&record, link);
    }
    Ok(records)
}
