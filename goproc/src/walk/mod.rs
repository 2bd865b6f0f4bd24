//! Walking goroutines and defer chains in the memory of a running program.
//!
//! One look goes through the runtime's list of goroutines in batches of 1024. Of each batch it reads the goroutines,
//! counts them by what they do, then walks the chains of those that have one, twice (`verify.rs` says why and what is
//! believed). Batches bound both memory and the time between the two looks; a program with ten goroutines costs
//! about ten system calls.
//!
//! All of it runs over the traits [`Code`] and [`Memory`], so that every way in which a
//! foreign memory can lie is a test without a process.

mod budget;
mod chain;
mod check;
mod code;
mod collect;
mod figures;
mod goroutine;
mod ledger;
mod naive;
mod open_coded;
mod program;
mod record;
mod sweep;
mod tally;
mod verify;

#[cfg(test)]
mod tests;

use std::time::{Instant, SystemTime};

pub use check::check;
pub use code::{Code, DeferCall, Location, OpenCoded};
pub use goroutine::Goroutine;
#[doc(hidden)]
pub use naive::naive_cost;
pub use program::{AllgPair, Globals, Program, SiteKey};

use crate::layout::State;
use crate::memory::{Memory, MemoryError, Pages};
use crate::snapshot::{Doubt, Snapshot, SnapshotCost, SnapshotOptions};
use budget::Budget;
use ledger::Ledger;
use sweep::{AllGoroutines, BATCH, read_goroutines};
use verify::Walk;

/// Why there is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// No memory can be read.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The program has not got as far as making its first goroutines.
    #[error("the Go runtime is not initialised yet: try again in a moment")]
    NotReady,
    /// What was read is not what a Go program of this version has there.
    #[error("self-check failed: {0}")]
    Check(String),
}

/// Looks once at the program whose code is `program` and whose memory is `memory`.
pub fn take<C: Code, M: Memory>(program: &mut Program<C>, memory: &M, options: &SnapshotOptions) -> Result<Snapshot, WalkError> {
    let (taken, begin, cpu) = (SystemTime::now(), Instant::now(), thread_cpu());
    program.forget_excess_sites();
    let mut pages = Pages::new(memory);
    let figures = figures::read_figures(program, &mut pages)?;
    let all = AllGoroutines::read(program, &mut pages)?;
    let length = all.length.min(options.max_goroutines);

    let mut walk = Walk { program, pages: &mut pages, budget: Budget::new(options), ledger: Ledger::default() };
    let mut first = 0;
    while first < length {
        first = first.saturating_add(walk.batch(all, first, length, options)?);
    }
    let Walk { program, pages, ledger, .. } = walk;
    let read = pages.cost();
    let implausible = ledger.doubts(Doubt::Goroutine);
    if implausible > length / 2 {
        return Err(WalkError::Check(format!("{implausible} of {length} goroutines are none")));
    }

    Ok(Snapshot {
        taken,
        sites: ledger.sites(program),
        goroutines: ledger.goroutines(),
        chains: ledger.chains(),
        open_coded: ledger.open_coded,
        unverified: ledger.unverified(),
        runtime: figures,
        cost: SnapshotCost { cpu: thread_cpu().saturating_sub(cpu), wall: begin.elapsed(), reads: read.reads, bytes: read.bytes },
        truncated: all.length > length || ledger.doubts(Doubt::Limit) > 0,
    })
}

impl<C: Code, M: Memory> Walk<'_, '_, C, M> {
    /// Looks at the goroutines from entry `first` on; returns how many entries that were.
    fn batch(&mut self, all: AllGoroutines, first: u64, length: u64, options: &SnapshotOptions) -> Result<u64, WalkError> {
        let wanted = length.saturating_sub(first).min(BATCH as u64);
        let mut addresses = all.addresses(first, self.pages)?;
        addresses.truncate(usize::try_from(wanted).unwrap_or(BATCH));
        let unread = wanted.saturating_sub(addresses.len() as u64);
        (0..unread).for_each(|_| self.ledger.add_doubt(Doubt::Goroutine, 0));

        let mut chained = Vec::new();
        let mut user = Vec::new();
        self.pages.set_read_ahead(true);
        for goroutine in read_goroutines(&addresses, self.program, self.pages)? {
            let Some(goroutine) = goroutine.filter(Goroutine::is_plausible) else {
                self.ledger.add_doubt(Doubt::Goroutine, 0);
                continue;
            };
            if goroutine.state == Some(State::Dead) {
                continue;
            }
            self.ledger.add_goroutine(&goroutine, self.program);
            if goroutine.defer_head != 0 {
                chained.push(goroutine);
            }
            if options.max_open_coded_goroutines > 0 && !self.program.is_system_goroutine(goroutine.start_pc) {
                user.push(goroutine);
            }
        }
        self.verify(&chained)?;
        self.search_frames(&user, options.max_open_coded_goroutines)?;
        Ok(wanted)
    }
}

/// CPU time of the calling thread so far, for accounts of what looking costs.
pub fn thread_cpu() -> std::time::Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::try_from(now).unwrap_or_default()
}
