//! Which processes there are.

use std::path::PathBuf;
use std::time::SystemTime;

use super::info::command_line;
use super::opener::{Opener, chosen};
use super::proc::{self, Stat};

/// A process that may be a Go program: all that can be told without opening its executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Process id.
    pub pid: u32,
    /// Path of its executable; `None` when the caller may not know (another user's process).
    pub executable: Option<PathBuf>,
    /// Its arguments, the first 4 KiB.
    pub command_line: Vec<String>,
    /// Real user id.
    pub uid: Option<u32>,
    /// Clock ticks from boot to its start: with the pid, tells it from a later process of that pid.
    pub start_ticks: u64,
    /// When it started.
    pub started: Option<SystemTime>,
}

/// The processes that are running now, without kernel threads, zombies and the caller itself. Those that end
/// while the list is made are left out. A few small reads of `/proc` each.
pub fn discover() -> impl Iterator<Item = Candidate> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = std::process::id();
    let (boot, opener) = (proc::boot_time(), chosen());
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(move |pid| *pid != own)
        .filter_map(move |pid| candidate(pid, boot, opener.as_ref()))
}

fn candidate(pid: u32, boot: Option<SystemTime>, opener: &dyn Opener) -> Option<Candidate> {
    let stat = Stat::read(pid).ok()?;
    if stat.kernel_thread || stat.is_over() {
        return None;
    }
    let (uid, _) = proc::read_text(pid, "status").map(|text| proc::parse_status(&text)).unwrap_or_default();
    Some(Candidate {
        pid,
        executable: opener.link(pid).ok(),
        command_line: command_line(pid),
        uid,
        start_ticks: stat.start_ticks,
        started: boot.and_then(|boot| stat.started(boot)),
    })
}
