//! What one look at a process found. Plain values: nothing here reads anything.

use std::time::{Duration, SystemTime};

use crate::layout::State;

/// One look at a target, taken without stopping it.
///
/// Every number is exact for goroutines that are parked or runnable: a chain is reported only when two looks agreed
/// on it (see [`crate::walk`]). What two looks could not agree on is in [`unverified`](Self::unverified), not
/// guessed into the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When the look began.
    pub taken: SystemTime,
    /// Registering sites with deferred calls pending, the most pending first.
    pub sites: Vec<Site>,
    /// The program's goroutines.
    pub goroutines: Goroutines,
    /// Lengths of the defer chains.
    pub chains: Chains,
    /// Open-coded defers: how far they were looked for.
    pub open_coded: OpenCodedCoverage,
    /// What was seen but not believed.
    pub unverified: Unverified,
    /// The runtime's own figures.
    pub runtime: RuntimeFigures,
    /// What the look cost.
    pub cost: SnapshotCost,
    /// Whether a limit of [`SnapshotOptions`] was reached, so that the numbers are lower bounds.
    pub truncated: bool,
}

/// Where deferred calls are registered and what they will call, with how many are pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What names the site.
    pub name: SiteName,
    /// Deferred calls pending.
    pub pending: u64,
    /// Heap bytes held by the records and their closures: a lower bound.
    ///
    /// A heap record counts its size class (80 bytes on Go 1.21, 48 later) plus 16 for a closure on the heap, the
    /// smallest that captures anything. Larger captures, and whatever the captured values keep alive, are not
    /// counted. Records and open-coded defers in a frame count 0: they cost stack, which is there anyway.
    pub memory_bytes: u64,
    /// Goroutines holding at least one.
    pub goroutines: u64,
    /// The most that one goroutine holds.
    pub max_chain: u64,
    /// Ids of the oldest (lowest) goroutines holding one, ascending, at most [`Site::MAX_SAMPLES`]: what the age of
    /// the site is followed by.
    pub sample_goids: Vec<u64>,
}

impl Site {
    /// The most goroutine ids kept per site.
    pub const MAX_SAMPLES: usize = 8;
}

/// What names a site. Two places in the machine code with equal names (an inlined function) are one site.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteName {
    /// Function holding the `defer` statement, with its package path.
    pub function: String,
    /// Source file as the compiler recorded it.
    pub file: String,
    /// Line of the statement.
    pub line: u32,
    /// The function that will be called, as the statement names it.
    pub callee: String,
    /// How the compiler implemented the statement.
    pub kind: DeferKind,
}

/// How the compiler implemented a `defer` statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeferKind {
    /// In a loop: a record on the heap per execution. The only kind, with `RangeFunc`, that can grow without bound.
    Heap,
    /// A record in the frame.
    Stack,
    /// In the body of a range-over-func loop.
    RangeFunc,
    /// A bit and a slot in the frame, no record.
    OpenCoded,
}

impl DeferKind {
    /// The value of the attribute `go.defer.kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Stack => "stack",
            Self::RangeFunc => "rangefunc",
            Self::OpenCoded => "open_coded",
        }
    }
}

/// Goroutines, without the runtime's own and without dead ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goroutines {
    /// All of them: what `runtime.NumGoroutine` returns.
    pub total: u64,
    /// The runtime's own (collector workers, finalizers, ...), not in `total`.
    pub system: u64,
    /// `total`, split, the largest group first.
    pub groups: Vec<GoroutineGroup>,
}

/// Goroutines in the same situation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoroutineGroup {
    /// What they do.
    pub state: State,
    /// Why they wait, in the runtime's words; empty unless waiting.
    pub wait_reason: &'static str,
    /// How many.
    pub count: u64,
}

/// Lengths of defer chains at an instant: records linked from goroutines, not open-coded defers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chains {
    /// The longest.
    pub max: u64,
    /// How many goroutines have a chain of at least 1, 2, 4, 8, ... up to the largest power not above `max`.
    pub at_least: Vec<AtLeast>,
    /// Goroutines that were executing while looked at: two looks agreed on their chains, but they may already have
    /// changed.
    pub approximate: u64,
}

/// Goroutines with a chain at least so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast {
    /// A power of two.
    pub length: u64,
    /// Goroutines.
    pub goroutines: u64,
}

/// How many parked goroutines were searched for open-coded defers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenCodedCoverage {
    /// Goroutines whose frames were walked.
    pub searched: u64,
    /// Goroutines left out: past the limit, not parked, or with a stack that changed meanwhile.
    pub skipped: u64,
}

/// Chains that were seen but not believed after all retries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unverified {
    /// Goroutines left out of sites and chains.
    pub goroutines: u64,
    /// Records seen on them before the doubt: of no use but as an order of magnitude.
    pub defers: u64,
    /// Goroutines by the last doubt, the most frequent first.
    pub reasons: Vec<(Doubt, u64)>,
}

/// Why a chain, or a goroutine, is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// A record with no function: freed while it was looked at.
    NullRecord,
    /// A stack pointer outside the goroutine's stack, or below that of a younger record.
    StackPointer,
    /// A registering pc that does not follow a call that registers a defer of that kind.
    RegisteringPc,
    /// A closure whose code is not the entry of a function.
    Closure,
    /// An address that cannot be read.
    Unreadable,
    /// A chain that leads back into itself.
    Cycle,
    /// Goroutine or chain changed at every look.
    Moving,
    /// A goroutine whose status is no status or whose stack is no range.
    Goroutine,
    /// The record limit of the snapshot was spent.
    Limit,
}

impl Doubt {
    /// A short name, for use as an attribute value.
    pub fn name(self) -> &'static str {
        match self {
            Self::NullRecord => "null_record",
            Self::StackPointer => "stack_pointer",
            Self::RegisteringPc => "registering_pc",
            Self::Closure => "closure",
            Self::Unreadable => "unreadable",
            Self::Cycle => "cycle",
            Self::Moving => "moving",
            Self::Goroutine => "goroutine",
            Self::Limit => "limit",
        }
    }
}

/// Figures the runtime keeps of itself; `None` where the variable could not be found in the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuntimeFigures {
    /// Collections completed (`MemStats.NumGC`).
    pub gc_cycles: Option<u64>,
    /// Time the world was stopped by them, in total (`MemStats.PauseTotalNs`).
    pub gc_pause_total: Option<Duration>,
    /// When the last one ended; `None` also when there was none.
    pub last_gc: Option<SystemTime>,
    /// Bytes of live and not yet swept objects (`heapLive`).
    pub heap_live: Option<u64>,
    /// Heap size at which the next collection ends, without regard to a memory limit (`gcPercentHeapGoal`).
    pub heap_goal: Option<u64>,
    /// Bytes allocated since the start.
    pub allocated_total: Option<u64>,
    /// Bytes freed since the start.
    pub freed_total: Option<u64>,
}

/// What a look cost the watcher. The target is not stopped and pays nothing but shared caches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SnapshotCost {
    /// CPU time of the calling thread.
    pub cpu: Duration,
    /// Time from begin to end.
    pub wall: Duration,
    /// System calls that read memory.
    pub reads: u64,
    /// Bytes copied.
    pub bytes: u64,
}

/// Limits of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// Goroutine descriptors looked at, dead ones included. Those past it are not seen at all.
    pub max_goroutines: u64,
    /// Records looked at, second looks included. Chains past it are counted in [`Unverified`].
    pub max_records: u64,
    /// System calls that read memory, counted from the begin of the look; checked between batches. A fragmented heap
    /// may have each record on a page of its own, and a call takes one to four microseconds. Chains met past it are
    /// counted in [`Unverified`]; goroutines are still counted.
    pub max_reads: u64,
    /// Parked goroutines whose frames are searched for open-coded defers, in the order of the runtime's list; 0
    /// switches the search off. Costs about 1 us per goroutine, more than its chain, hence a limit of its own.
    pub max_open_coded_goroutines: u64,
}

impl Default for SnapshotOptions {
    /// A million goroutines (0.2 s), ten million records (0.6 s), a million reads (2 s), frames of 10,000 goroutines
    /// (10 ms).
    fn default() -> Self {
        Self { max_goroutines: 1_000_000, max_records: 10_000_000, max_reads: 1_000_000, max_open_coded_goroutines: 10_000 }
    }
}
