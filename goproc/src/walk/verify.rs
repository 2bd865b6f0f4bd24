//! Believing a chain: two looks that agree.
//!
//! The target runs on while its memory is read, so one look can be torn: half of it from before a return, half
//! from after. Checks on each record find most of that. For the rest a chain is looked at twice, each time with
//! the goroutine read afresh and no page kept from the other look, and is believed when the second look contains
//! all of the first, record by record. A chain that grows at its head meanwhile passes, with the length of the first
//! look; one that was taken down and put up again does not, even when goroutine and length are as before, because
//! its records are others.
//!
//! First looks are shared by a batch of goroutines, which is cheap but slow enough for a busy goroutine to move on.
//! What fails there is looked at alone, which takes some ten microseconds, and given up after [`RETRIES`] attempts.

use super::budget::Budget;
use super::chain::Chain;
use super::code::Code;
use super::collect::collect;
use super::goroutine::Goroutine;
use super::ledger::Ledger;
use super::program::Program;
use super::sweep::read_goroutines;
use crate::layout::State;
use crate::memory::{Memory, MemoryError, Pages};
use crate::snapshot::Doubt;

/// Attempts on a goroutine alone. Of goroutines that live for a millisecond each, one in 250 fails an attempt.
const RETRIES: u32 = 3;

/// Records from which on the second look only checks that the chain still begins where it did. Such a chain took
/// its program a millisecond to build and would take it as long to replace; comparing all of it doubles the cost.
const DEEP: u64 = 1 << 14;

/// What a walk works on.
pub(super) struct Walk<'w, 'm, C, M> {
    pub(super) program: &'w mut Program<C>,
    pub(super) pages: &'w mut Pages<'m, M>,
    pub(super) budget: Budget,
    pub(super) ledger: Ledger,
}

impl<C: Code, M: Memory> Walk<'_, '_, C, M> {
    /// Looks at the chains of `goroutines`, just read, and books each as believed or doubtful.
    pub(super) fn verify(&mut self, goroutines: &[Goroutine]) -> Result<(), MemoryError> {
        self.pages.set_read_ahead(true);
        for (first, second) in self.look_twice(goroutines)? {
            match judge(&first, &second) {
                Ok(()) => self.believe(first, &second),
                Err(doubt) => self.retry(&first, doubt)?,
            }
        }
        Ok(())
    }

    fn look_twice(&mut self, goroutines: &[Goroutine]) -> Result<Vec<(Chain, Chain)>, MemoryError> {
        let mut firsts: Vec<Chain> = goroutines.iter().copied().map(Chain::first_look).collect();
        collect(&mut firsts, self.pages, self.program, &mut self.budget)?;

        let addresses: Vec<u64> = goroutines.iter().map(|goroutine| goroutine.address).collect();
        let again = read_goroutines(&addresses, self.program, self.pages)?;
        let mut seconds: Vec<Chain> = firsts
            .iter()
            .zip(again)
            .map(|(first, now)| {
                // A goroutine that cannot be read any more is no confirmation: an empty chain.
                let now = now.unwrap_or(Goroutine { defer_head: 0, id: 0, ..*first.goroutine() });
                Chain::second_look(now, first, first.records() < DEEP)
            })
            .collect();
        collect(&mut seconds, self.pages, self.program, &mut self.budget)?;
        Ok(firsts.into_iter().zip(seconds).collect())
    }

    fn believe(&mut self, first: Chain, second: &Chain) {
        let running = [&first, second].iter().any(|look| look.goroutine().state == Some(State::Running));
        self.ledger.add_chain(first, running, self.program);
    }

    fn retry(&mut self, failed: &Chain, doubt: Doubt) -> Result<(), MemoryError> {
        let address = failed.goroutine().address;
        let mut doubt = doubt;
        let mut records = failed.records();
        for _ in 0..RETRIES {
            if doubt == Doubt::Limit {
                break;
            }
            // Reading ahead makes a look longer and so a tear likelier; a deep chain would take for ever without.
            self.pages.set_read_ahead(records >= DEEP);
            let now = read_goroutines(&[address], self.program, self.pages)?.pop().flatten();
            let Some(now) = now.filter(Goroutine::is_plausible) else {
                doubt = Doubt::Goroutine;
                continue;
            };
            if now.defer_head == 0 || now.state == Some(State::Dead) {
                return Ok(());
            }
            let Some((first, second)) = self.look_twice(&[now])?.pop() else {
                break;
            };
            match judge(&first, &second) {
                Ok(()) => {
                    self.believe(first, &second);
                    return Ok(());
                }
                Err(next) => {
                    doubt = next;
                    records = first.records();
                }
            }
        }
        self.ledger.add_doubt(doubt, records);
        Ok(())
    }
}

/// Whether two looks agree, and if not, the best reason there is.
fn judge(first: &Chain, second: &Chain) -> Result<(), Doubt> {
    if let Some(doubt) = first.doubt() {
        return Err(doubt);
    }
    let (before, after) = (first.goroutine(), second.goroutine());
    if !before.is_same(after) || before.is_in_motion() || after.is_in_motion() {
        return Err(Doubt::Moving);
    }
    if second.confirms(first) { Ok(()) } else { Err(second.doubt().unwrap_or(Doubt::Moving)) }
}
