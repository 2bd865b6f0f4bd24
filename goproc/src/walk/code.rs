//! What the walker asks of a program's machine code.

use std::ops::Range;

use crate::snapshot::DeferKind;

/// A program's code, by link-time address. The load bias is the walker's business.
pub trait Code {
    /// The Go text: `runtime.text` to `runtime.etext`.
    fn text(&self) -> Range<u64>;

    /// Everything the program file maps: a closure in here is static, not on the heap.
    fn mapped(&self) -> Range<u64>;

    /// What a record with `return_pc` as its pc was registered by: one of the runtime's functions, called just
    /// before it.
    fn defer_call_before(&self, return_pc: u64) -> Option<DeferCall>;

    /// Whether `pc` is the first instruction of a Go function.
    fn is_function_entry(&self, pc: u64) -> bool;

    /// Whether `runtime.NumGoroutine` leaves out a goroutine that started at `start_pc`.
    fn is_system_goroutine(&self, start_pc: u64) -> bool;

    /// Where the function around `pc` keeps its open-coded defers, if it has any.
    fn open_coded(&self, pc: u64) -> Option<OpenCoded>;

    /// Where the `defer` statement is that registered, in the way of `kind` and with `pc` as its pc (see
    /// [`SiteKey::pc`](super::SiteKey::pc)), a closure with code at `closure`.
    fn location(&self, kind: DeferKind, pc: u64, closure: u64) -> Location;

    /// Name of the function that a closure with code at `entry` stands for: not the compiler's wrapper around it.
    fn callee(&self, entry: u64) -> String;
}

/// How a deferred call was registered, by the runtime function called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeferCall {
    /// `deferproc`.
    Heap,
    /// `deferprocStack`.
    Stack,
    /// `deferrangefunc`.
    RangeFunc,
}

impl DeferCall {
    /// The kind of site this makes.
    pub fn kind(self) -> DeferKind {
        match self {
            Self::Heap => DeferKind::Heap,
            Self::Stack => DeferKind::Stack,
            Self::RangeFunc => DeferKind::RangeFunc,
        }
    }
}

/// Where a function keeps its open-coded defers, relative to its frame pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenCoded {
    /// `frame pointer - bits` is the byte with a bit per pending call.
    pub bits: u64,
    /// `frame pointer - slots[i]` is the closure of bit `i`; `None` where the function has no such defer.
    pub slots: [Option<u64>; OpenCoded::MAX],
    /// Address of the instruction that fills `slots[i]`, at the statement; `None` where it is not known.
    pub statements: [Option<u64>; OpenCoded::MAX],
}

impl OpenCoded {
    /// Open-coded defers there can be in a function (`maxOpenDefers` in the compiler's `walk/stmt.go`).
    pub const MAX: usize = 8;
}

/// A place in the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// Function with its package path; the innermost inlined one.
    pub function: String,
    /// File as the compiler recorded it.
    pub file: String,
    /// Line, 0 when unknown.
    pub line: u32,
}
