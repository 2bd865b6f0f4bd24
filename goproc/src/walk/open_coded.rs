//! Open-coded defers of parked goroutines, from their frames.
//!
//! An open-coded defer leaves no record: the frame has a byte with a bit per pending call, and a slot per closure.
//! Both are found from the frame pointer, and the frames from one another: `[frame pointer]` is the caller's frame
//! pointer, the word above it the return address. Only waiting goroutines are searched: their saved registers are
//! those of their stack.

use super::WalkError;
use super::code::{Code, OpenCoded};
use super::goroutine::Goroutine;
use super::program::{Program, SiteKey};
use super::sweep::read_goroutines;
use super::verify::Walk;
use crate::layout::State;
use crate::memory::{Memory, MemoryError, Pages};
use crate::snapshot::DeferKind;

/// Frames searched per goroutine. Deeper stacks are recursion; their goroutines count as not searched.
const MAX_FRAMES: usize = 512;

/// Bytes of stack read with the batch; what lies further out is read when it is reached.
const SHARED: u64 = 2048;

impl<C: Code, M: Memory> Walk<'_, '_, C, M> {
    /// Searches the parked ones of `goroutines` and books what two searches agree on.
    pub(super) fn search_frames(&mut self, goroutines: &[Goroutine], limit: u64) -> Result<(), WalkError> {
        let open = limit.saturating_sub(self.ledger.open_coded.searched);
        let open = usize::try_from(open).unwrap_or(usize::MAX);
        let parked: Vec<Goroutine> = goroutines.iter().filter(|g| is_parked(g)).copied().take(open).collect();
        let first = self.search(&parked)?;

        let addresses: Vec<u64> = parked.iter().map(|goroutine| goroutine.address).collect();
        let again: Vec<Goroutine> =
            read_goroutines(&addresses, self.program, self.pages)?.into_iter().map(Option::unwrap_or_default).collect();
        let second = self.search(&again)?;

        let mut searched = 0_u64;
        for (((before, after), found), confirmed) in parked.iter().zip(&again).zip(first).zip(second) {
            if before.is_same(after) && is_parked(after) && found.is_some() && found == confirmed {
                searched = searched.saturating_add(1);
                let counts = found.unwrap_or_default().into_iter().map(|key| (key, 1, 0));
                self.ledger.add_sites(before.id, counts, self.program);
            }
        }
        let coverage = &mut self.ledger.open_coded;
        coverage.searched = coverage.searched.saturating_add(searched);
        coverage.skipped = coverage.skipped.saturating_add((goroutines.len() as u64).saturating_sub(searched));
        Ok(())
    }

    /// One search of each; `None` where the frames make no sense.
    fn search(&mut self, goroutines: &[Goroutine]) -> Result<Vec<Option<Vec<SiteKey>>>, MemoryError> {
        self.pages.set_read_ahead(false);
        let shared = |goroutine: &Goroutine| {
            let length = goroutine.stack_hi.saturating_sub(goroutine.sp).min(SHARED);
            (goroutine.sp, usize::try_from(length).unwrap_or_default())
        };
        self.pages.prefetch(goroutines.iter().filter(|g| g.on_stack(g.sp)).map(shared))?;
        let mut found = Vec::with_capacity(goroutines.len());
        for goroutine in goroutines {
            self.budget.check_reads(self.pages.cost().reads);
            found.push(if self.budget.is_spent() { None } else { frames(goroutine, self.pages, self.program)? });
        }
        Ok(found)
    }
}

fn is_parked(goroutine: &Goroutine) -> bool {
    matches!(goroutine.state, Some(State::Waiting | State::Leaked)) && !goroutine.scanned
}

/// The pending open-coded defers of one parked goroutine; `None` when a frame is not one.
fn frames<C: Code, M: Memory>(
    goroutine: &Goroutine,
    pages: &mut Pages<'_, M>,
    program: &mut Program<C>,
) -> Result<Option<Vec<SiteKey>>, MemoryError> {
    let mut found = Vec::new();
    let (mut pc, mut frame) = (goroutine.pc, goroutine.bp);
    let mut below = goroutine.sp;
    for _ in 0..MAX_FRAMES {
        // The outermost frame's saved frame pointer is 0: the start of the goroutine.
        if frame == 0 {
            return Ok(Some(found));
        }
        if frame < below || !goroutine.on_stack(frame) || !program.in_text(pc) {
            return Ok(None);
        }
        if let Some(defers) = program.open_coded(pc) {
            match pending(pc, frame, &defers, pages, program)? {
                Some(keys) => found.extend(keys),
                None => return Ok(None),
            }
        }
        let Some(saved) = pages.word(frame)? else {
            return Ok(None);
        };
        let Some(return_pc) = pages.word(frame.wrapping_add(8))? else {
            return Ok(None);
        };
        // A return address may be the first byte of the next function, after a call that does not return.
        pc = return_pc.wrapping_sub(1);
        below = frame.wrapping_add(8);
        frame = saved;
    }
    // Part of a stack would be a wrong count, not a smaller one.
    Ok(None)
}

/// The pending defers of one frame; `None` when a pending slot holds no closure.
fn pending<C: Code, M: Memory>(
    pc: u64,
    frame: u64,
    defers: &OpenCoded,
    pages: &mut Pages<'_, M>,
    program: &mut Program<C>,
) -> Result<Option<Vec<SiteKey>>, MemoryError> {
    let Some([bits]) = pages.bytes(frame.wrapping_sub(defers.bits))? else {
        return Ok(None);
    };
    let mut keys = Vec::new();
    let slots = defers.slots.iter().zip(defers.statements).enumerate();
    for (_, (slot, statement)) in slots.filter(|(index, _)| bits >> index & 1 == 1) {
        let Some(slot) = slot else { return Ok(None) };
        let Some(function) = pages.word(frame.wrapping_sub(*slot))? else {
            return Ok(None);
        };
        let code = pages.word(function)?.unwrap_or_default();
        if !program.is_function_entry(code) {
            return Ok(None);
        }
        keys.push(SiteKey { pc: statement.unwrap_or(pc), code, kind: DeferKind::OpenCoded });
    }
    Ok(Some(keys))
}
