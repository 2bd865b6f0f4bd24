//! Is this what we think it is? Asked once per process, before anything is reported.

use std::collections::HashSet;

use super::WalkError;
use super::budget::Budget;
use super::code::Code;
use super::goroutine::{Goroutine, u64_at};
use super::ledger::Ledger;
use super::program::Program;
use super::sweep::{AllGoroutines, read_goroutines};
use super::verify::Walk;
use crate::layout::{State, wait_reason};
use crate::memory::{Extent, Memory, Pages};
use crate::snapshot::{Doubt, SnapshotOptions};

/// Attempts: the program runs on, and a goroutine may be caught while it is being made.
const ATTEMPTS: u32 = 3;

/// A runtime that is up has more goroutines than this: main, force-gc helper, sweeper, scavenger, finalizer.
const FIRST_GOROUTINES: u64 = 4;

/// Checks the layout of `program` against `memory`: the first thousand goroutines, their states and numbers, a
/// known one among them, and their defer chains.
pub fn check<C: Code, M: Memory>(program: &mut Program<C>, memory: &M) -> Result<(), WalkError> {
    let mut result = attempt(program, memory);
    for _ in 1..ATTEMPTS {
        if !matches!(result, Err(WalkError::Check(_))) {
            break;
        }
        result = attempt(program, memory);
    }
    result
}

fn attempt<C: Code, M: Memory>(program: &mut Program<C>, memory: &M) -> Result<(), WalkError> {
    let mut pages = Pages::new(memory);
    let all = AllGoroutines::read(program, &mut pages)?;
    let addresses = all.addresses(0, &mut pages)?;
    let read = read_goroutines(&addresses, program, &mut pages)?;
    let newest = newest_id(program, &mut pages)?;
    let mut live = Vec::new();
    for (index, goroutine) in read.into_iter().enumerate() {
        let goroutine = goroutine.ok_or_else(|| failed(format!("goroutine {index} cannot be read")))?;
        look_at(&goroutine, newest, program)?;
        if goroutine.state != Some(State::Dead) {
            live.push(goroutine);
        }
    }
    let mut ids = HashSet::new();
    if let Some(twice) = live.iter().find(|goroutine| !ids.insert(goroutine.id)) {
        return Err(failed(format!("two goroutines have the number {}", twice.id)));
    }
    if !live.iter().any(|goroutine| program.is_system_goroutine(goroutine.start_pc)) {
        // The force-gc helper is made by the runtime's first init and never ends.
        if all.length < FIRST_GOROUTINES {
            return Err(WalkError::NotReady);
        }
        return Err(failed("none of the runtime's own goroutines was found".to_owned()));
    }
    check_chains(&live, program, &mut pages)
}

fn look_at<C: Code>(goroutine: &Goroutine, newest: Option<u64>, program: &mut Program<C>) -> Result<(), WalkError> {
    let Goroutine { id, .. } = *goroutine;
    let Some(state) = goroutine.state.filter(|_| goroutine.is_plausible()) else {
        return Err(failed(format!(
            "goroutine {id}: state {:?}, stack {:#x} to {:#x}",
            goroutine.state, goroutine.stack_lo, goroutine.stack_hi
        )));
    };
    if state == State::Dead {
        return Ok(());
    }
    if newest.is_some_and(|newest| id > newest) {
        return Err(failed(format!("goroutine {id} is numbered above the last one given out")));
    }
    if program.in_text(goroutine.start_pc) && !program.is_function_entry(goroutine.start_pc) {
        return Err(failed(format!("goroutine {id} started at {:#x}, which is no function", goroutine.start_pc)));
    }
    if state == State::Waiting && wait_reason(program.layout().minor, goroutine.wait_reason).is_none() {
        return Err(failed(format!("goroutine {id} waits for reason {}", goroutine.wait_reason)));
    }
    Ok(())
}

/// The last goroutine number handed out, to a processor that gives them on one by one.
fn newest_id<C: Code, M: Memory>(program: &Program<C>, pages: &mut Pages<'_, M>) -> Result<Option<u64>, WalkError> {
    let Some(sched) = program.globals().sched else {
        return Ok(None);
    };
    let address = program.at(sched).wrapping_add(program.layout().sched_goidgen);
    let mut word = [0; 8];
    let read = pages.read_fresh(&[Extent { address, length: 8 }], &mut word)?;
    Ok((read == word.len()).then(|| u64_at(&word, 0)))
}

/// Chains of goroutines that stand still must make sense; those of others may change as they are looked at.
fn check_chains<C: Code, M: Memory>(
    live: &[Goroutine],
    program: &mut Program<C>,
    pages: &mut Pages<'_, M>,
) -> Result<(), WalkError> {
    const SAMPLE: usize = 64;
    let still = live.iter().filter(|g| g.defer_head != 0 && g.state == Some(State::Waiting));
    let still: Vec<Goroutine> = still.copied().take(SAMPLE).collect();
    let options = SnapshotOptions { max_records: 10_000, ..SnapshotOptions::default() };
    let mut walk = Walk { program, pages, budget: Budget::new(&options), ledger: Ledger::default() };
    walk.verify(&still)?;
    let doubts = walk.ledger.unverified();
    let serious = doubts.reasons.iter().find(|(doubt, _)| !matches!(doubt, Doubt::Moving | Doubt::Limit | Doubt::NullRecord));
    match serious {
        Some((doubt, count)) if walk.ledger.chains_believed() == 0 => {
            Err(failed(format!("no defer chain makes sense: {} on {count} goroutines", doubt.name())))
        }
        _ => Ok(()),
    }
}

fn failed(reason: String) -> WalkError {
    WalkError::Check(reason)
}
