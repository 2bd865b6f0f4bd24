//! Many looks at once: chains advance together and share their reads.

use super::budget::Budget;
use super::chain::{Chain, Progress};
use super::code::Code;
use super::program::Program;
use crate::memory::{Memory, MemoryError, Pages};

/// Walks all of `chains` to their ends, reading what they miss in common system calls.
pub(super) fn collect<C: Code, M: Memory>(
    chains: &mut [Chain],
    pages: &mut Pages<'_, M>,
    program: &mut Program<C>,
    budget: &mut Budget,
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
        budget.check_reads(pages.cost().reads);
    }
    Ok(())
}
