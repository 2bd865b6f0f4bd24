//! Who opens what takes rights: this process itself, or a helper that kept them.
//!
//! Rights belong to a process as a whole, and so does the choice: it is made once, before anything is attached.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, OnceLock};

use super::files::{self, FileTypes};
use super::proc;

/// Opens and reads of other processes what only some may.
pub trait Opener: fmt::Debug + Send + Sync {
    /// The path of its executable.
    fn link(&self, pid: u32) -> io::Result<PathBuf>;

    /// Its executable, and what else attaching needs.
    fn open(&self, pid: u32) -> io::Result<Opened>;

    /// The types of its first `limit` open files.
    fn file_types(&self, pid: u32, limit: u64) -> io::Result<FileTypes>;
}

/// What attaching needs of a process.
#[derive(Debug)]
pub struct Opened {
    /// Its executable.
    pub executable: File,
    /// The path of that.
    pub link: PathBuf,
    /// Where this process itself may not read them: its memory, and its `/proc/PID/stat` with addresses in it.
    pub held: Option<Held>,
}

/// What stands for the right to read a process.
#[derive(Debug)]
pub struct Held {
    /// `/proc/PID/mem`, opened before the executable: as long as it can be read, the executable is that of this memory.
    pub memory: File,
    /// The text of `/proc/PID/stat`.
    pub stat: String,
}

/// Opens with the rights of this process.
#[derive(Debug)]
pub struct OwnRights;

impl Opener for OwnRights {
    fn link(&self, pid: u32) -> io::Result<PathBuf> {
        std::fs::read_link(proc::path(pid, "exe"))
    }

    fn open(&self, pid: u32) -> io::Result<Opened> {
        let executable = File::open(proc::path(pid, "exe"))?;
        Ok(Opened { executable, link: self.link(pid).unwrap_or_default(), held: None })
    }

    fn file_types(&self, pid: u32, limit: u64) -> io::Result<FileTypes> {
        files::types(pid, limit)
    }
}

static CHOSEN: OnceLock<Arc<dyn Opener>> = OnceLock::new();

/// From now on, everything is opened through `opener`. Returns whether it was the first to be chosen; a second changes nothing.
pub fn open_through(opener: Arc<dyn Opener>) -> bool {
    CHOSEN.set(opener).is_ok()
}

/// Whether [`open_through`] was called: then rights do not depend on what this process itself may do.
pub fn opens_through_another() -> bool {
    CHOSEN.get().is_some()
}

/// Whoever opens.
pub(super) fn chosen() -> Arc<dyn Opener> {
    static OWN: LazyLock<Arc<dyn Opener>> = LazyLock::new(|| Arc::new(OwnRights));
    Arc::clone(CHOSEN.get().unwrap_or(&OWN))
}
