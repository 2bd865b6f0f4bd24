//! What the programs say and are told, by the offsets of `programs/shared.h`.

mod events;
mod figures;
mod settings;

pub use events::{Event, PanicRecord, Text};
pub use figures::{OpenFile, PanicCount, Site, Stage, Usage};
pub use settings::{Offsets, Settings};

/// Most targets at a time; slots are below.
pub const MAX_SLOTS: u32 = 1024;
/// Classes of lengths in [`Site::by_length`]: up to 1, 2, 4, ... records.
pub const BUCKETS: usize = 24;

pub(crate) const TARGET_WORDS: usize = 22;
pub(crate) const USAGE_WORDS: usize = 20;
pub(crate) const SITE_WORDS: usize = 3 + BUCKETS;
pub(crate) const PANIC_KEY_WORDS: usize = 6;
pub(crate) const FILE_WORDS: usize = 10;

/// What a breakpoint is for: part of its cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// In the agent itself.
    SelfTest,
    /// `runtime.deferreturn`.
    Return,
    /// `runtime.gopanic`.
    Raise,
    /// `runtime.recovery`.
    Recovery,
    /// `runtime.fatalpanic`.
    FatalPanic,
    /// `runtime.Goexit`.
    Goexit,
    /// `runtime.throw` and `runtime.fatal`.
    Throw,
    /// `os.newFile`.
    Open,
    /// `os.(*file).close`.
    Close,
}

impl Role {
    pub(crate) fn cookie(self, slot: u32) -> u64 {
        u64::from(slot) << 16 | self as u64
    }
}

/// The upper half of a word: the second of two numbers of 32 bits.
pub(crate) fn high(word: u64) -> u32 {
    u32::try_from(word >> 32).unwrap_or(0)
}

/// The lower half of a word.
pub(crate) fn low(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0)
}
