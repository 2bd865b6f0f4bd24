//! What makes a process that process and no other.

use std::fmt;

/// Names one execution of one program: it is not shared by a later process with the same pid, nor by the same
/// process after `exec`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// The boot of the machine, `/proc/sys/kernel/random/boot_id`; empty where that cannot be read.
    pub boot_id: String,
    /// Process id in the namespace of the watcher.
    pub pid: u32,
    /// Clock ticks from boot to the start of the process.
    pub start_ticks: u64,
    /// Device of the executable.
    pub executable_device: u64,
    /// Inode of the executable.
    pub executable_inode: u64,
    /// Build id of the program; empty when it has none.
    pub build_id: String,
}

impl fmt::Display for ProcessKey {
    /// All fields, separated by slashes: what a stable instance id is derived from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { boot_id, pid, start_ticks, executable_device, executable_inode, build_id } = self;
        write!(f, "{boot_id}/{pid}/{start_ticks}/{executable_device:x}:{executable_inode}/{build_id}")
    }
}
