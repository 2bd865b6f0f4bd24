//! Telling whether a file still holds what was read.

use std::hash::Hasher as _;
use std::path::{Path, PathBuf};

use crate::source::read_file;

/// A file as it was when a configuration was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// The path as it is written.
    pub path: PathBuf,
    /// A hash of what was read; nothing if the file could not be read, or is none (a pipe can be read only once).
    pub digest: Option<u64>,
}

impl FileState {
    /// Looks at a file now.
    pub fn now(path: &Path) -> Self {
        let bytes = path.to_str().filter(|_| path.is_file()).and_then(|path| read_file(path).ok());
        Self { path: path.to_owned(), digest: bytes.map(|bytes| of(&bytes)) }
    }

    /// What was read from a path.
    pub(crate) fn read(path: &str, bytes: Option<&[u8]>) -> Self {
        let path = PathBuf::from(path);
        let digest = bytes.filter(|_| path.is_file()).map(of);
        Self { path, digest }
    }
}

/// Not against an adversary: whoever can write the file needs no collision to change what it says.
fn of(bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
