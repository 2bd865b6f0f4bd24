//! Where the runtime keeps what the walker reads, per Go minor version.
//!
//! The offsets are a table, not DWARF: production programs are stripped, and patch releases do not move these
//! fields (compared: first and last patch of 1.23 to 1.27, with `-race`, with `-N -l`, and for arm64). The table
//! was taken from the DWARF of go1.21.13, 1.22.10, 1.23.9, 1.24.11, 1.25.5, 1.26.6 and 1.27.3. It is still only
//! a claim about a foreign program: [`crate::walk`] checks it against the live process before anything is reported.

mod probe;
mod wait_reason;

pub use probe::{PanicLayout, ProbeLayout};
pub use wait_reason::wait_reason;

/// Oldest Go 1.x minor in the table.
pub const OLDEST_MINOR: u32 = 21;
/// Newest Go 1.x minor in the table.
pub const NEWEST_MINOR: u32 = 27;

/// Offsets, in bytes, of one Go minor version on a 64-bit machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The `x` of Go 1.x.
    pub minor: u32,
    /// `runtime.g`.
    pub g: GLayout,
    /// `runtime._defer`.
    pub record: RecordLayout,
    /// `runtime.memstats` (`mstats`).
    pub memstats: MemstatsLayout,
    /// Offset of `goidgen` in `runtime.sched`: 0 in every version.
    pub sched_goidgen: u64,
}

/// `runtime.g`, a goroutine. Fields that never moved are constants of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GLayout {
    /// `sched.bp`, the saved frame pointer.
    pub sched_bp: usize,
    /// `atomicstatus`.
    pub status: usize,
    /// `goid`.
    pub goid: usize,
    /// `waitreason`.
    pub wait_reason: usize,
    /// `startpc`.
    pub start_pc: usize,
}

impl GLayout {
    /// `stack.lo`.
    pub const STACK_LO: usize = 0x0;
    /// `stack.hi`.
    pub const STACK_HI: usize = 0x8;
    /// `_defer`, head of the defer chain.
    pub const DEFER: usize = 0x28;
    /// `sched.sp`.
    pub const SCHED_SP: usize = 0x38;
    /// `sched.pc`.
    pub const SCHED_PC: usize = 0x40;
    /// Bytes from the start of a `g` that hold every field read: past the `startpc` of every version.
    pub const READ: usize = 0x138;
}

/// `runtime._defer`, a pending deferred call. `sp`, `pc` and `fn` never moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordLayout {
    /// Bytes the allocator uses for one record on the heap: its size class, not its `sizeof`.
    pub size_class: u64,
    /// `heap`: allocated by the runtime, not part of a frame.
    pub heap: usize,
    /// `started` (Go 1.21 only): the deferred call is running, during a panic.
    pub started: Option<usize>,
    /// `openDefer` (Go 1.21 only): stands for a frame with open-coded defers, during a panic.
    pub open_defer: Option<usize>,
    /// `rangefunc` (since Go 1.22): `head` points to a list of its own.
    pub range_func: Option<usize>,
    /// `link`, the next record.
    pub link: usize,
    /// `head` (since Go 1.22), pointer to the head of a range-over-func list.
    pub head: usize,
}

impl RecordLayout {
    /// `sp`, of the deferring frame.
    pub const SP: usize = 0x8;
    /// `pc`, return address of the registering call.
    pub const PC: usize = 0x10;
    /// `fn`, the closure.
    pub const FN: usize = 0x18;
    /// Bytes from the start of a record that hold every field read (both record layouts).
    pub const READ: usize = 0x30;
}

/// `runtime.memstats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemstatsLayout {
    /// `last_gc_unix`, nanoseconds; `pause_total_ns` follows it directly.
    pub last_gc_unix: u64,
    /// `numgc`, a 32-bit count.
    pub num_gc: u64,
}

/// `runtime.gcController`; the same in every version of the table.
#[derive(Debug, Clone, Copy)]
pub struct GcController;

impl GcController {
    /// `gcPercentHeapGoal`, bytes.
    pub const HEAP_GOAL: u64 = 0x48;
    /// `heapLive`, bytes.
    pub const HEAP_LIVE: u64 = 0x68;
    /// `totalAlloc`, bytes; `totalFree` follows it directly.
    pub const TOTAL_ALLOC: u64 = 0x128;
}

impl Layout {
    /// The layout of Go 1.`minor`, or `None` for a version nobody has looked at.
    pub fn of(minor: u32) -> Option<Self> {
        let g = match minor {
            21 | 22 => GLayout { sched_bp: 0x68, status: 0x90, goid: 0x98, wait_reason: 0xb0, start_pc: 0x128 },
            23 | 24 => GLayout { sched_bp: 0x68, status: 0x98, goid: 0xa0, wait_reason: 0xb8, start_pc: 0x130 },
            25 => GLayout { sched_bp: 0x60, status: 0x90, goid: 0x98, wait_reason: 0xb0, start_pc: 0x128 },
            26 | 27 => GLayout { sched_bp: 0x60, status: 0x90, goid: 0x98, wait_reason: 0xb0, start_pc: 0x130 },
            _ => return None,
        };
        let record = if minor == 21 { RECORD_1_21 } else { RECORD_1_22 };
        let memstats = if minor <= 24 {
            MemstatsLayout { last_gc_unix: 0xe08, num_gc: 0x1e18 }
        } else {
            MemstatsLayout { last_gc_unix: 0xdf0, num_gc: 0x1e00 }
        };
        Some(Self { minor, g, record, memstats, sched_goidgen: 0 })
    }
}

/// `sizeof` 72, size class 80.
const RECORD_1_21: RecordLayout = RecordLayout {
    size_class: 80,
    heap: 0x1,
    started: Some(0x0),
    open_defer: Some(0x2),
    range_func: None,
    link: 0x28,
    head: 0x28,
};

/// `sizeof` 48, which is a size class.
const RECORD_1_22: RecordLayout =
    RecordLayout { size_class: 48, heap: 0x0, started: None, open_defer: None, range_func: Some(0x1), link: 0x20, head: 0x28 };

/// What a goroutine does, from `g.atomicstatus` (`runtime2.go`; the same numbers in every version).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Just allocated.
    Idle,
    /// On a run queue.
    Runnable,
    /// Executing.
    Running,
    /// In a system call.
    Syscall,
    /// Parked by the runtime.
    Waiting,
    /// Not in use: finished, on a free list, or reserved for a thread that C may create.
    Dead,
    /// Its stack is being moved.
    CopyStack,
    /// Stopped itself at a preemption request.
    Preempted,
    /// Found unreachable by the collector (Go 1.26 and later); blocked for ever.
    Leaked,
}

impl State {
    /// `_Gscan`, set beside the status while the collector scans the stack.
    pub const SCAN: u32 = 0x1000;

    /// The state behind `atomicstatus` with [`SCAN`](Self::SCAN) masked off; `None` for a number that no version
    /// uses.
    pub fn from_status(status: u32) -> Option<Self> {
        match status & !Self::SCAN {
            0 => Some(Self::Idle),
            1 => Some(Self::Runnable),
            2 => Some(Self::Running),
            3 => Some(Self::Syscall),
            4 => Some(Self::Waiting),
            // 11 is _Gdeadextra, since 1.26: an extra M's goroutine outside a callback, plain _Gdead before.
            6 | 11 => Some(Self::Dead),
            8 => Some(Self::CopyStack),
            9 => Some(Self::Preempted),
            10 => Some(Self::Leaked),
            _ => None,
        }
    }

    /// The name in lower case, as the runtime prints it in a stack dump.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Runnable => "runnable",
            Self::Running => "running",
            Self::Syscall => "syscall",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
            Self::CopyStack => "copystack",
            Self::Preempted => "preempted",
            Self::Leaked => "leaked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minor_between_the_bounds_has_a_layout_and_no_other() {
        for minor in 0..40 {
            assert_eq!(Layout::of(minor).is_some(), (OLDEST_MINOR..=NEWEST_MINOR).contains(&minor), "1.{minor}");
        }
    }

    #[test]
    fn every_field_lies_inside_the_bytes_read() {
        for layout in (OLDEST_MINOR..=NEWEST_MINOR).filter_map(Layout::of) {
            let GLayout { sched_bp, status, goid, wait_reason, start_pc } = layout.g;
            assert!([sched_bp, status, goid, wait_reason, start_pc].iter().all(|field| field + 8 <= GLayout::READ));
            assert!(layout.record.link + 8 <= RecordLayout::READ && layout.record.head + 8 <= RecordLayout::READ);
        }
    }

    #[test]
    fn a_status_is_read_through_the_scan_bit() {
        assert_eq!(State::from_status(0x1004), Some(State::Waiting));
        assert_eq!(State::from_status(5), None);
        assert_eq!(State::from_status(0x2004), None);
    }
}
