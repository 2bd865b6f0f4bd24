//! `process_vm_readv(2)`: the one system call behind every look at a target.

use std::io::IoSliceMut;

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use super::{Extent, Memory, MemoryError};

/// The memory of a running process. Never writes and never stops it.
#[derive(Debug, Clone)]
pub struct ProcessMemory {
    pid: u32,
    kernel_pid: Pid,
}

impl ProcessMemory {
    /// The memory of process `pid`. Nothing is opened: rights are first tested by the first read.
    pub fn new(pid: u32) -> Self {
        // A pid above i32::MAX does not exist (PID_MAX_LIMIT is 2^22); pid 0 makes every read fail.
        let kernel_pid = Pid::from_raw(i32::try_from(pid).unwrap_or(0));
        Self { pid, kernel_pid }
    }
}

impl Memory for ProcessMemory {
    fn read(&self, extents: &[Extent], out: &mut [u8]) -> Result<usize, MemoryError> {
        let remote: Vec<RemoteIoVec> = extents
            .iter()
            .filter_map(|extent| Some(RemoteIoVec { base: usize::try_from(extent.address).ok()?, len: extent.length }))
            .collect();
        match process_vm_readv(self.kernel_pid, &mut [IoSliceMut::new(out)], &remote) {
            Ok(copied) => Ok(copied),
            // The first extent is not readable: nothing copied, and no reason to give up on the others.
            Err(Errno::EFAULT | Errno::EIO) => Ok(0),
            Err(Errno::ESRCH) => Err(MemoryError::Gone { pid: self.pid }),
            Err(Errno::EPERM | Errno::EACCES) => Err(MemoryError::Denied { pid: self.pid }),
            Err(errno) => Err(MemoryError::System { pid: self.pid, errno: errno.to_string() }),
        }
    }
}
