//! The walker one would write first: a system call per goroutine, per record and per closure, nothing verified.
//! Only there to be measured against.

use std::time::Duration;

use super::code::Code;
use super::goroutine::{Goroutine, u64_at};
use super::program::Program;
use super::sweep::AllGoroutines;
use super::{WalkError, thread_cpu};
use crate::layout::{GLayout, RecordLayout};
use crate::memory::{Extent, Memory, Pages};

/// CPU time of a naive look at every goroutine and record.
pub fn naive_cost<C: Code, M: Memory>(program: &Program<C>, memory: &M) -> Result<Duration, WalkError> {
    let begin = thread_cpu();
    let mut pages = Pages::new(memory);
    let all = AllGoroutines::read(program, &mut pages)?;
    let layout = program.layout();
    let mut first = 0;
    while first < all.length {
        for address in all.addresses(first, &mut pages)? {
            let mut bytes = [0; GLayout::READ];
            pages.read_fresh(&[Extent { address, length: bytes.len() }], &mut bytes)?;
            let mut next = Goroutine::decode(address, &bytes, &layout).defer_head;
            while next != 0 {
                let mut record = [0; RecordLayout::READ];
                pages.read_fresh(&[Extent { address: next, length: record.len() }], &mut record)?;
                let closure = Extent { address: u64_at(&record, RecordLayout::FN), length: 8 };
                pages.read_fresh(&[closure], &mut [0; 8])?;
                next = u64_at(&record, layout.record.link);
            }
        }
        first = first.saturating_add(super::sweep::BATCH as u64);
    }
    Ok(thread_cpu().saturating_sub(begin))
}
