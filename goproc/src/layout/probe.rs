//! Offsets for those who look at a goroutine while it runs: in a panic, or returning from a function.

use super::{GLayout, Layout, RecordLayout};

/// Offsets in bytes; the same source and the same claim as [`Layout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeLayout {
    /// `g.goid`.
    pub goid: usize,
    /// `g.sigcode0` (Go 1.21 only): the stack pointer that a recovery goes back to; `g.sigcode1`, its pc, follows.
    pub recovery: Option<usize>,
    /// `_defer`.
    pub record: RecordLayout,
    /// `_panic`.
    pub panic: PanicLayout,
    /// `m.curg`.
    pub current: usize,
}

/// `runtime._panic`, a panic that goes on. It lives in the frame of `gopanic`, and `g._panic` points to the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanicLayout {
    /// `arg`, the value: two words.
    pub arg: usize,
    /// `sp` (since Go 1.22), of the frame whose deferred call runs.
    pub sp: Option<usize>,
    /// `retpc` (since Go 1.22), where that frame goes on after a recovery.
    pub retpc: Option<usize>,
    /// `recovered`.
    pub recovered: usize,
}

impl ProbeLayout {
    /// The offsets of Go 1.`minor`; `None` for a version that [`Layout::of`] does not know either.
    pub fn of(minor: u32) -> Option<Self> {
        let layout = Layout::of(minor)?;
        let GLayout { goid, .. } = layout.g;
        let panic = match minor {
            21 => PanicLayout { arg: 0x8, sp: None, retpc: None, recovered: 0x30 },
            22..=25 => PANIC_1_22,
            26 => PanicLayout { sp: Some(0x28), ..PANIC_1_26 },
            _ => PANIC_1_26,
        };
        Some(Self {
            goid,
            recovery: (minor == 21).then_some(0xf8),
            record: layout.record,
            panic,
            current: if minor <= 24 { 0xc0 } else { 0xb8 },
        })
    }
}

const PANIC_1_22: PanicLayout = PanicLayout { arg: 0x8, sp: Some(0x30), retpc: Some(0x48), recovered: 0x60 };

/// The argument pointer went, and with it eight bytes before all else.
const PANIC_1_26: PanicLayout = PanicLayout { arg: 0x0, sp: Some(0x30), retpc: Some(0x40), recovered: 0x58 };

#[cfg(test)]
mod tests {
    use super::super::{NEWEST_MINOR, OLDEST_MINOR};
    use super::*;

    #[test]
    fn a_recovery_can_be_followed_in_every_version() {
        for minor in OLDEST_MINOR..=NEWEST_MINOR {
            let layout = ProbeLayout::of(minor).unwrap();
            let by_panic = layout.panic.sp.is_some() && layout.panic.retpc.is_some();
            assert_ne!(by_panic, layout.recovery.is_some(), "1.{minor}");
        }
        assert!(ProbeLayout::of(NEWEST_MINOR + 1).is_none());
    }
}
