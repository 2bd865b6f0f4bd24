//! The Go program `files`: keeps descriptors open, and says which statement opens them.

use std::path::Path;

use serde::Deserialize;

use crate::teller::{self, Teller};

/// The program, running.
#[derive(Debug)]
pub struct Files {
    teller: Teller,
    said: Announcement,
}

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
    /// Starts the program, which opens nothing yet; `arguments` are for instance `["-leak", "missing"]`.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn ready(file: &Path, arguments: &[&str]) -> Self {
        let mut teller = Teller::start(file, arguments);
        let said = teller.told();
        Self { teller, said }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.teller.pid()
    }

    /// What it is going to do.
    pub fn said(&self) -> &Announcement {
        &self.said
    }

    /// Lets it begin.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn begin(&mut self) {
        self.teller.go();
    }

    /// What it has told since the last call; one each second.
    pub fn held(&mut self) -> Vec<Held> {
        self.teller.rest().iter().map(|line| teller::decode(line)).collect()
    }

    /// Kills it and waits until it is gone.
    pub fn kill(self) {
        self.teller.kill();
    }
}
