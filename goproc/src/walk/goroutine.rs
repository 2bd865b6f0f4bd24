//! One `runtime.g`, decoded.

use crate::layout::{GLayout, Layout, State};

/// What is read of a goroutine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Goroutine {
    /// Address of its `g`.
    pub address: u64,
    /// Lowest address of its stack.
    pub stack_lo: u64,
    /// First address past its stack.
    pub stack_hi: u64,
    /// First record of its defer chain; 0 for none.
    pub defer_head: u64,
    /// Saved stack pointer; stale while it runs.
    pub sp: u64,
    /// Saved pc; stale while it runs.
    pub pc: u64,
    /// Saved frame pointer; stale while it runs.
    pub bp: u64,
    /// What it does; `None` when the status is none that a Go version uses.
    pub state: Option<State>,
    /// Whether the collector is scanning its stack at this moment.
    pub scanned: bool,
    /// Its number.
    pub id: u64,
    /// Number of its wait reason; only of meaning while waiting.
    pub wait_reason: u8,
    /// The function it started with.
    pub start_pc: u64,
}

impl Goroutine {
    /// Decodes the first [`GLayout::READ`] bytes of the `g` at `address`.
    pub fn decode(address: u64, bytes: &[u8; GLayout::READ], layout: &Layout) -> Self {
        let status = u32_at(bytes, layout.g.status);
        Self {
            address,
            stack_lo: u64_at(bytes, GLayout::STACK_LO),
            stack_hi: u64_at(bytes, GLayout::STACK_HI),
            defer_head: u64_at(bytes, GLayout::DEFER),
            sp: u64_at(bytes, GLayout::SCHED_SP),
            pc: u64_at(bytes, GLayout::SCHED_PC),
            bp: u64_at(bytes, layout.g.sched_bp),
            state: State::from_status(status),
            scanned: status & State::SCAN != 0,
            id: u64_at(bytes, layout.g.goid),
            wait_reason: bytes.get(layout.g.wait_reason).copied().unwrap_or_default(),
            start_pc: u64_at(bytes, layout.g.start_pc),
        }
    }

    /// Whether status and stack can be those of a goroutine in use.
    pub fn is_plausible(&self) -> bool {
        self.state.is_some() && (self.state == Some(State::Dead) || self.stack_lo < self.stack_hi)
    }

    /// Whether its stack is being scanned or moved right now, so that its records may be half adjusted.
    pub fn is_in_motion(&self) -> bool {
        self.scanned || self.state == Some(State::CopyStack)
    }

    /// Whether `address` is in its stack.
    pub fn on_stack(&self, address: u64) -> bool {
        (self.stack_lo..self.stack_hi).contains(&address)
    }

    /// Whether `later` is the same goroutine, on the same stack.
    pub fn is_same(&self, later: &Self) -> bool {
        self.id == later.id && self.stack_lo == later.stack_lo && self.stack_hi == later.stack_hi
    }
}

/// The little-endian word at `offset`; 0 past the end, which every caller rejects.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let word = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    word.copied().map(u64::from_le_bytes).unwrap_or_default()
}

/// The little-endian half word at `offset`; 0 past the end.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let word = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    word.copied().map(u32::from_le_bytes).unwrap_or_default()
}
