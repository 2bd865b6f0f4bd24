//! The memory of a process through a `/proc/PID/mem` that was opened earlier, perhaps by somebody with more rights.
//!
//! The rights were asked for when it was opened. It belongs to the address space that the process had then: after its end, and
//! after an `exec`, nothing more is read, so what is read is of one program for sure.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::{Extent, Memory, MemoryError, ProcessMemory};

/// Memory read through an open file.
#[derive(Debug, Clone)]
pub struct HeldMemory {
    pid: u32,
    file: Arc<File>,
}

impl HeldMemory {
    /// The memory of process `pid` in `file`, its `/proc/PID/mem` opened for reading.
    pub fn new(pid: u32, file: File) -> Self {
        Self { pid, file: Arc::new(file) }
    }

    /// Whether the address space is still there, asked at an address that was mapped from the beginning.
    pub fn is_there(&self, address: u64) -> bool {
        !matches!(self.read_at(address, &mut [0; 1]), Err(MemoryError::Gone { .. }))
    }

    /// How many bytes could be read; fewer than asked where something is not mapped.
    fn read_at(&self, address: u64, out: &mut [u8]) -> Result<usize, MemoryError> {
        let mut done = 0;
        while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, address.wrapping_add(done as u64)) {
                // The kernel says "end of file" of an address space that is no more.
                Ok(0) => return Err(MemoryError::Gone { pid: self.pid }),
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => match error.raw_os_error() {
                    Some(EIO | EFAULT | EINVAL | EOVERFLOW) => break,
                    _ => return Err(MemoryError::System { pid: self.pid, errno: error.to_string() }),
                },
            }
        }
        Ok(done)
    }
}

/// What the kernel says of an address that is not mapped, or cannot be.
const EIO: i32 = 5;
const EFAULT: i32 = 14;
const EINVAL: i32 = 22;
const EOVERFLOW: i32 = 75;

impl Memory for HeldMemory {
    fn read(&self, extents: &[Extent], out: &mut [u8]) -> Result<usize, MemoryError> {
        let mut done = 0;
        let mut extents = extents.iter().copied().peekable();
        while let Some(mut extent) = extents.next() {
            // Neighbours in memory are neighbours in `out` too: one call for all of them.
            while let Some(next) = extents.next_if(|next| extent.address.checked_add(extent.length as u64) == Some(next.address))
            {
                extent.length += next.length;
            }
            let Some(part) = out.get_mut(done..).and_then(|rest| rest.get_mut(..extent.length)) else { break };
            let read = self.read_at(extent.address, part)?;
            done += read;
            if read < extent.length {
                break;
            }
        }
        Ok(done)
    }
}

/// The memory of a process, by whichever way its rights allow.
#[derive(Debug, Clone)]
pub enum AnyMemory {
    /// Asked for anew with each read.
    Called(ProcessMemory),
    /// Through an open file.
    Held(HeldMemory),
}

impl Memory for AnyMemory {
    fn read(&self, extents: &[Extent], out: &mut [u8]) -> Result<usize, MemoryError> {
        match self {
            Self::Called(memory) => memory.read(extents, out),
            Self::Held(memory) => memory.read(extents, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> HeldMemory {
        HeldMemory::new(std::process::id(), File::open("/proc/self/mem").unwrap())
    }

    fn extent(bytes: &[u8]) -> Extent {
        Extent { address: bytes.as_ptr() as u64, length: bytes.len() }
    }

    #[test]
    fn both_ways_read_the_same() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        // Neighbours, and one before them.
        let parts = [extent(&bytes[100..5000]), extent(&bytes[5000..9000]), extent(&bytes[..50])];
        let mut called = vec![0; 8950];
        let mut held = called.clone();
        assert_eq!(ProcessMemory::new(std::process::id()).read(&parts, &mut called), Ok(8950));
        assert_eq!(own().read(&parts, &mut held), Ok(8950));
        assert!(called == held && called[..8900] == bytes[100..9000] && called[8900..] == bytes[..50]);
    }

    #[test]
    fn what_is_not_mapped_ends_the_read_and_is_no_error() {
        let bytes = [7; 100];
        for address in [0, 1 << 46, u64::MAX - 10] {
            let parts = [extent(&bytes), Extent { address, length: 10 }, extent(&bytes)];
            assert_eq!(own().read(&parts, &mut [0; 210]), Ok(100), "{address:x}");
        }
    }

    #[test]
    fn a_process_that_has_ended_has_no_memory() {
        let mut sleep = std::process::Command::new("/bin/sleep").arg("600").spawn().unwrap();
        let memory = HeldMemory::new(sleep.id(), File::open(format!("/proc/{}/mem", sleep.id())).unwrap());
        sleep.kill().unwrap();
        sleep.wait().unwrap();
        let extent = Extent { address: 0x40_0000, length: 8 };
        assert_eq!(memory.read(&[extent], &mut [0; 8]), Err(MemoryError::Gone { pid: sleep.id() }));
        assert!(!memory.is_there(0x40_0000));
    }
}
