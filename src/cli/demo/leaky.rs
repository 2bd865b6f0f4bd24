//! The leaky Go service: built from sources that are part of this binary, run as a child that cannot outlive it.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use super::fetch::{FetchError, get, post};
use super::go::Go;

/// The program, as it is in `tests/go/leaky`.
const SOURCES: [(&str, &str); 4] = [
    ("go.mod", include_str!("../../../tests/go/leaky/go.mod")),
    ("main.go", include_str!("../../../tests/go/leaky/main.go")),
    ("shipper.go", include_str!("../../../tests/go/leaky/shipper.go")),
    ("control.go", include_str!("../../../tests/go/leaky/control.go")),
];

/// The program as it runs. It ends when this is dropped, or when this process ends in any way: its standard input is ours.
#[derive(Debug)]
pub(super) struct Leaky {
    child: Child,
    address: SocketAddr,
}

/// What the program says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Counters {
    /// Deferred calls pending for certain.
    pub(super) pending: u64,
    /// What it may be while one more is being deferred.
    pub(super) pending_at_most: u64,
}

/// Why the program does not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeakyError {
    #[error("cannot write the program's sources to {folder}: {source}")]
    Write {
        /// Where to.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    #[error("cannot build the program: {reason}")]
    Build {
        /// What the compiler said.
        reason: String,
    },
    #[error("cannot start the program: {0}")]
    Start(#[source] io::Error),
    #[error("the program does not say where it listens, but {said:?}")]
    Silent {
        /// What it said.
        said: String,
    },
    #[error("the program does not answer: {0}")]
    Fetch(#[from] FetchError),
    #[error("the program answers what is no account of its counters: {0}")]
    Answer(#[from] serde_json::Error),
}

/// Builds the program in `folder` and returns its path.
pub(super) fn build(go: &Go, folder: &Path) -> Result<PathBuf, LeakyError> {
    for (name, text) in SOURCES {
        let written = fs::write(folder.join(name), text);
        written.map_err(|source| LeakyError::Write { folder: folder.to_path_buf(), source })?;
    }
    let mut build = go.command();
    build.args(["build", "-o", "leaky", "."]).current_dir(folder);
    match build.output() {
        Ok(output) if output.status.success() => Ok(folder.join("leaky")),
        Ok(output) => Err(LeakyError::Build { reason: String::from_utf8_lossy(&output.stderr).trim().to_owned() }),
        Err(error) => Err(LeakyError::Build { reason: format!("{}: {error}", go.command.display()) }),
    }
}

impl Leaky {
    /// Starts the program and waits for its first line. Its files go to `folder`.
    pub(super) fn start(program: &Path, folder: &Path) -> Result<Self, LeakyError> {
        let mut command = Command::new(program);
        command.arg("-exit-with-stdin").env("TMPDIR", folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C at the terminal is for us: the program ends when we have shown what there is to show.
        command.process_group(0);
        let child = command.spawn().map_err(LeakyError::Start)?;
        let mut leaky = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut said = String::new();
        if let Some(stdout) = leaky.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut said).map_err(LeakyError::Start)?;
        }
        leaky.address = address(&said).ok_or(LeakyError::Silent { said })?;
        Ok(leaky)
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it counts now.
    pub(super) async fn counters(&self) -> Result<Counters, LeakyError> {
        Ok(serde_json::from_str(&get(self.address, "/counters").await?)?)
    }

    /// Lets the leaking function return, which runs what it deferred, and returns what is left.
    pub(super) async fn stop(&self) -> Result<Counters, LeakyError> {
        Ok(serde_json::from_str(&post(self.address, "/stop").await?)?)
    }

    /// Makes it pause, so that its count stands still and is exact, and returns that count.
    pub(super) async fn pause(&self) -> Result<Counters, LeakyError> {
        Ok(serde_json::from_str(&post(self.address, "/pause").await?)?)
    }
}

impl Drop for Leaky {
    fn drop(&mut self) {
        // Its files are in a folder of ours, so nothing is left behind. An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in `leaky: pid 12 listens on http://127.0.0.1:4711`.
fn address(said: &str) -> Option<SocketAddr> {
    said.trim().rsplit_once("http://")?.1.parse().ok()
}
