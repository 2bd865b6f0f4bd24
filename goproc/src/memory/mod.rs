//! Memory of another process, read without stopping it.
//!
//! Everything above this module reads through [`Pages`], a cache of whole 4 KiB pages over a [`Memory`].
//! Whole pages are the choice because of what is read: the runtime allocates goroutine descriptors (about 450
//! bytes) and defer records (48 or 72 bytes) side by side in spans, so that one page answers 8 or 85 requests,
//! and a system call per record costs about thirty times as much. The price is that a page is a picture taken a
//! little earlier than the record is looked at; [`crate::walk`] says how that is made safe.

mod held;
mod pages;
mod process;

#[cfg(test)]
pub(crate) mod fake;

pub use held::{AnyMemory, HeldMemory};
pub use pages::{Cost, PAGE, Pages};
pub use process::ProcessMemory;

/// A contiguous piece of the target's address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// First address.
    pub address: u64,
    /// Length in bytes.
    pub length: usize,
}

/// Why no memory of the target can be read at all.
///
/// A single unmapped page is not an error of this kind: it shortens the count [`Memory::read`] returns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// The process has ended, or has no address space any more.
    #[error("process {pid} has ended")]
    Gone {
        /// The process asked for.
        pid: u32,
    },
    /// The kernel refuses this caller the target's memory.
    #[error(
        "reading the memory of process {pid} needs CAP_SYS_PTRACE (or the same user with kernel.yama.ptrace_scope=0): run as root, \
         or `setcap cap_sys_ptrace+ep` on this binary, or add SYS_PTRACE to the container's securityContext.capabilities; \
         a program whose file its own user alone may read takes CAP_DAC_READ_SEARCH beside it"
    )]
    Denied {
        /// The process asked for.
        pid: u32,
    },
    /// Any other refusal by the kernel.
    #[error("reading the memory of process {pid}: {errno}")]
    System {
        /// The process asked for.
        pid: u32,
        /// What the kernel answered.
        errno: String,
    },
}

/// Bytes that can be read by address.
///
/// A trait so that the walker runs on made-up memory in tests: torn, cyclic and unmapped on purpose.
pub trait Memory {
    /// The most extents one [`read`](Memory::read) accepts (`UIO_MAXIOV` of the kernel is 1024).
    const MAX_EXTENTS: usize = 1024;

    /// Copies `extents`, one after another, into `out`, and returns how many bytes were copied before the first
    /// one that cannot be read (not mapped, or protected). `out` must be as long as all extents together.
    fn read(&self, extents: &[Extent], out: &mut [u8]) -> Result<usize, MemoryError>;
}
