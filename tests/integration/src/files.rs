//! The Go program `files`: keeps descriptors open, and says which statement opens them.

use serde::Deserialize;

use crate::teller::{self, Announced};

/// The program, running; its arguments are for instance `["-leak", "missing"]`.
pub type Files = Announced<Announcement>;

/// What it says first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Announcement {
    /// `missing`, `deferred`, `net` or `warm`.
    pub name: String,
    /// Of the descriptors: `regular` or `socket`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is wrong, `missing` or `deferred`; empty where a watcher has no file to name.
    #[serde(default, rename = "close")]
    pub fault: String,
    /// Where they are opened.
    pub function: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Where the close is deferred, if it is.
    #[serde(default)]
    pub defer_line: u32,
}

/// What it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Held {
    /// When.
    pub unix_nano: u64,
    /// Descriptors, without those that any process has.
    pub open: u64,
}

impl Files {
    /// What it has told since the last call; one each second.
    pub fn held(&mut self) -> Vec<Held> {
        self.teller.rest().iter().map(|line| teller::decode(line)).collect()
    }

    /// Kills it and waits until it is gone.
    pub fn kill(self) {
        self.teller.kill();
    }
}
