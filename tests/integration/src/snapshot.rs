//! What `deferd snapshot --json` prints, as far as tests look at it. A key that is promised and missing fails to decode.

use serde::Deserialize;

/// One look at a process.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Snapshot {
    /// Who.
    pub process: Process,
    /// How many goroutines there are.
    pub goroutines: Goroutines,
    /// What is pending where.
    pub sites: Vec<Site>,
    /// What could not be read truthfully.
    pub unverified: Unverified,
}

/// The process looked at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Path of the executable.
    pub executable: String,
    /// Such as `go1.26.6`.
    pub go_version: String,
    /// Whether the file is no longer where it was.
    #[serde(default)]
    pub executable_deleted: bool,
}

/// Goroutines without the runtime's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Goroutines {
    /// What `runtime.NumGoroutine` returns.
    pub total: u64,
}

/// One `defer` statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Site {
    /// The function that holds the statement.
    pub function: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// What will be called.
    pub callee: String,
    /// `heap`, `stack`, `rangefunc` or `open_coded`.
    pub kind: String,
    /// Calls registered and not yet run.
    pub pending: u64,
    /// Heap held by them, at least.
    pub memory_bytes: u64,
    /// Goroutines that hold one.
    pub goroutines: u64,
    /// The most that one goroutine holds.
    pub max_chain: u64,
}

/// What was seen and not believed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Unverified {
    /// Goroutines left out of the figures.
    pub goroutines: u64,
}

impl Site {
    /// The file without its folders, and the line.
    pub fn place(&self) -> String {
        format!("{}:{}", base_name(&self.file), self.line)
    }
}

impl Snapshot {
    /// Pending calls of the sites in a file (without folders) at a line, of any callee.
    pub fn pending_at(&self, place: &str) -> u64 {
        self.sites.iter().filter(|site| site.place() == place).map(|site| site.pending).sum()
    }
}

/// What follows the last slash.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
