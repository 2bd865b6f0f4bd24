//! One look at one goroutine's defer chain, as a machine that stops whenever it needs a page.
//!
//! Stopping lets many chains share one system call: [`super::collect`] advances a batch of them as far as the pages
//! go, reads what they all miss, and continues.

use super::budget::Budget;
use super::code::{Code, DeferCall};
use super::goroutine::Goroutine;
use super::program::{Program, SiteKey};
use super::record::Record;
use super::tally::Tally;
use crate::layout::RecordLayout;
use crate::memory::{Memory, Pages};
use crate::snapshot::Doubt;

/// Bytes of the smallest closure that captures anything: code pointer and one word.
const SMALLEST_CLOSURE: u64 = 16;

/// What `deferconvert` leaves in the head of a list it has taken (`badDefer` in `panic.go`).
const TAKEN: u64 = 1;

/// What a look at a chain needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// These bytes, address and length.
    Need(u64, usize),
    /// Nothing: the end was reached, or a doubt.
    Finished,
}

/// An earlier look that this one is to confirm.
#[derive(Debug, Clone, Copy)]
struct Earlier {
    head: u64,
    /// Walk on to the end and compare, or be content that the old head is still linked.
    whole: bool,
    /// What this look had added up when it came to the old head.
    digest_at_head: Option<u64>,
}

/// A list being walked inside another: a range-over-func loop.
#[derive(Debug, Clone, Copy)]
struct RangeList {
    pc: u64,
    then: u64,
}

/// One look at one chain.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    goroutine: Goroutine,
    next: u64,
    range_list: Option<RangeList>,
    last_sp: u64,
    pending: u64,
    records: u64,
    digest: u64,
    doubt: Option<Doubt>,
    earlier: Option<Earlier>,
    /// Brent's cycle search: a record passed earlier, moved up at every power of two.
    milestone: u64,
    tally: Tally,
    last_call: Option<(u64, DeferCall)>,
    last_closure: Option<(u64, u64)>,
}

impl Chain {
    /// A look at the chain of `goroutine`.
    pub(super) fn first_look(goroutine: Goroutine) -> Self {
        Self {
            next: goroutine.defer_head,
            goroutine,
            range_list: None,
            last_sp: 0,
            pending: 0,
            records: 0,
            digest: 0,
            doubt: None,
            earlier: None,
            milestone: 0,
            tally: Tally::default(),
            last_call: None,
            last_closure: None,
        }
    }

    /// A second look, to confirm `first`. With `whole` every record is compared, else only that the chain still
    /// leads to where `first` began.
    pub(super) fn second_look(goroutine: Goroutine, first: &Self, whole: bool) -> Self {
        let earlier = Earlier { head: first.goroutine.defer_head, whole, digest_at_head: None };
        Self { earlier: Some(earlier), ..Self::first_look(goroutine) }
    }

    /// The goroutine as it was when this look began.
    pub(super) fn goroutine(&self) -> &Goroutine {
        &self.goroutine
    }

    /// Pending calls counted.
    pub(super) fn pending(&self) -> u64 {
        self.pending
    }

    /// Records looked at.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Why the look ended early, if it did.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    /// The counts by site.
    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Whether this second look found all of `first` as it was: unchanged, or grown at the head alone.
    pub(super) fn confirms(&self, first: &Self) -> bool {
        let Some(Earlier { whole, digest_at_head: Some(before), .. }) = self.earlier else {
            return false;
        };
        self.doubt.is_none() && (!whole || self.digest.wrapping_sub(before) == first.digest)
    }

    /// Walks on as far as the pages in `pages` go. `budget` is counted down by each record.
    pub(super) fn advance<C: Code, M: Memory>(
        &mut self,
        pages: &mut Pages<'_, M>,
        program: &mut Program<C>,
        budget: &mut Budget,
    ) -> Progress {
        loop {
            if self.is_at_end() {
                return Progress::Finished;
            }
            match self.step(pages, program) {
                Ok(None) => {}
                Ok(Some((address, length))) => return Progress::Need(address, length),
                Err(doubt) => {
                    self.doubt = Some(doubt);
                    return Progress::Finished;
                }
            }
            if !budget.take_record() {
                self.doubt = Some(Doubt::Limit);
            }
        }
    }

    fn is_at_end(&mut self) -> bool {
        if self.doubt.is_some() {
            return true;
        }
        if self.next == 0
            && let Some(list) = self.range_list.take()
        {
            self.next = list.then;
        }
        if let Some(earlier) = &mut self.earlier
            && earlier.head == self.next
            && earlier.digest_at_head.is_none()
        {
            earlier.digest_at_head = Some(self.digest);
            if !earlier.whole {
                return true;
            }
        }
        self.next == 0
    }

    /// Looks at one record; `Some` when a page is missing, and then nothing has changed.
    fn step<C: Code, M: Memory>(
        &mut self,
        pages: &mut Pages<'_, M>,
        program: &mut Program<C>,
    ) -> Result<Option<(u64, usize)>, Doubt> {
        let address = self.next;
        if !pages.holds(address, RecordLayout::READ) {
            return Ok(Some((address, RecordLayout::READ)));
        }
        let bytes = pages.peek(address).ok_or(Doubt::Unreadable)?;
        let layout = program.layout();
        let record = Record::decode(&bytes, &layout);
        let call = self.judge(address, &record, program)?;

        let mut next = record.link;
        let mut inner = None;
        if record.range_func {
            if !pages.holds(record.head, 8) {
                return Ok(Some((record.head, 8)));
            }
            let head = pages.peek(record.head).map(u64::from_le_bytes).ok_or(Doubt::Unreadable)?;
            if head == TAKEN {
                return Err(Doubt::Moving);
            }
            inner = Some(RangeList { pc: record.pc, then: record.link });
            next = head;
        } else if let Some(call) = call {
            // Closures are only compared by address at the second look.
            if self.earlier.is_none() {
                let Some(code) = self.closure(record.function, pages, program)? else {
                    return Ok(Some((record.function, 8)));
                };
                self.count(call, &record, code, program)?;
            }
            self.pending = self.pending.saturating_add(1);
        }

        self.records = self.records.saturating_add(1);
        self.digest = self.digest.wrapping_add(record.digest(address));
        if self.range_list.is_none() {
            self.last_sp = record.sp;
        }
        if inner.is_some() {
            self.range_list = inner;
        }
        self.next = next;
        self.watch_for_cycle(address)
    }

    /// What registered the record; `None` when it is not a pending call itself.
    fn judge<C: Code>(&mut self, address: u64, record: &Record, program: &mut Program<C>) -> Result<Option<DeferCall>, Doubt> {
        if self.range_list.is_some() {
            record.check_in_range_list()?;
            return Ok(Some(DeferCall::RangeFunc));
        }
        record.check(address, &self.goroutine, self.last_sp)?;
        if record.not_pending {
            // Go 1.21 during a panic: pc may be that of a frame's deferreturn call.
            return if program.in_text(record.pc) { Ok(None) } else { Err(Doubt::RegisteringPc) };
        }
        let call = match self.last_call {
            Some((pc, call)) if pc == record.pc => call,
            _ => program.defer_call_before(record.pc).ok_or(Doubt::RegisteringPc)?,
        };
        self.last_call = Some((record.pc, call));
        let fits = match call {
            DeferCall::Heap => record.heap && !record.range_func,
            DeferCall::Stack => !record.heap && !record.range_func,
            DeferCall::RangeFunc => record.heap,
        };
        if fits { Ok(Some(call)) } else { Err(Doubt::RegisteringPc) }
    }

    /// Entry of the closure's code; `None` when its page is missing.
    fn closure<C: Code, M: Memory>(
        &mut self,
        function: u64,
        pages: &mut Pages<'_, M>,
        program: &mut Program<C>,
    ) -> Result<Option<u64>, Doubt> {
        if let Some((known, code)) = self.last_closure
            && known == function
        {
            return Ok(Some(code));
        }
        if !pages.holds(function, 8) {
            return Ok(None);
        }
        let code = pages.peek(function).map(u64::from_le_bytes).ok_or(Doubt::Unreadable)?;
        let checked = self.last_closure.is_some_and(|(_, known)| known == code);
        if !checked && !program.is_function_entry(code) {
            return Err(Doubt::Closure);
        }
        self.last_closure = Some((function, code));
        Ok(Some(code))
    }

    fn count<C: Code>(&mut self, call: DeferCall, record: &Record, code: u64, program: &Program<C>) -> Result<(), Doubt> {
        let pc = self.range_list.map_or(record.pc, |list| list.pc);
        let mut bytes = 0;
        if record.heap {
            bytes = program.layout().record.size_class;
            if !program.is_static(record.function) && !self.goroutine.on_stack(record.function) {
                bytes += SMALLEST_CLOSURE;
            }
        }
        if self.tally.add(SiteKey { pc, code, kind: call.kind() }, bytes) { Ok(()) } else { Err(Doubt::Limit) }
    }

    fn watch_for_cycle(&mut self, address: u64) -> Result<Option<(u64, usize)>, Doubt> {
        if self.next == self.milestone && self.next != 0 {
            return Err(Doubt::Cycle);
        }
        if self.records.is_power_of_two() {
            self.milestone = address;
        }
        Ok(None)
    }
}
