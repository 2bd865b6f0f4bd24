//! The binary under test: `DEFERD_BIN`, else what `cargo build --bin deferd` makes of this workspace.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use deferd_fixtures::workspace;
use rustix::process::Signal;

use crate::exposition::Exposition;
use crate::process::{self, Ended, Running};
use crate::snapshot::Snapshot;
use crate::{config, http, programs, wait};

/// The file. Built on first use, in the profile of the tests.
///
/// # Panics
/// If it cannot be built, or `DEFERD_BIN` names no file.
pub fn binary() -> &'static Path {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let file = std::env::var_os("DEFERD_BIN").map_or_else(build, PathBuf::from);
        assert!(file.is_file(), "no deferd at {}", file.display());
        file
    });
    &FILE
}

/// Builds it and asks cargo where it is.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--locked", "--package", "deferd", "--bin", "deferd", "--message-format=json"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.current_dir(workspace()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo build --bin deferd: {}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    };
    messages.lines().filter_map(executable).next_back().expect("cargo names the executable")
}

/// The command `deferd ARGUMENTS`.
pub fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments);
    command
}

/// Runs `deferd ARGUMENTS` to its end.
///
/// # Panics
/// If it panicked, or did not end in time.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    let ended = process::run(command(arguments));
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended
}

/// `deferd snapshot PID --json`, or what it said instead.
///
/// # Panics
/// If it succeeded and its output is not what is promised.
pub fn snapshot(pid: u32) -> Result<Snapshot, Ended> {
    let ended = run(["snapshot", &pid.to_string(), "--json"]);
    if ended.code != Some(0) {
        return Err(ended);
    }
    let snapshot: Snapshot = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout));
    assert_eq!(snapshot.process.pid, pid);
    Ok(snapshot)
}

/// The running service, told by a file in a folder of its own.
#[derive(Debug)]
pub struct Service {
    running: Running,
    file: PathBuf,
    ports: config::Ports,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Starts the service and waits until it says that it is ready.
    ///
    /// # Panics
    /// If it does not get there.
    pub fn start(text: &str, ports: config::Ports) -> Self {
        Self::start_by(Command::new(binary()), text, ports)
    }

    /// [`Service::start`] by a command that runs deferd, such as one that gives rights up first.
    ///
    /// # Panics
    /// If it does not get there.
    pub fn start_by(mut command: Command, text: &str, ports: config::Ports) -> Self {
        let folder = programs::open_folder();
        let file = folder.path().join("deferd.yaml");
        std::fs::write(&file, text).expect("the configuration");
        command.arg("--config").arg(&file);
        let running = Running::start(command);
        let mut service = Self { running, file, ports, _folder: folder };
        wait::until("the service is ready", || {
            assert!(service.running.is_running(), "the service ended: {}", service.running.stderr());
            service.log().contains("Everything is ready").then_some(())
        });
        service
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The process of this name that it has started.
    pub fn child(&self, name: &str) -> Option<u32> {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid())).ok()?;
        let mut children = children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
        children.find(|pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == name))
    }

    /// The configuration file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.running.stderr()
    }

    /// Replaces the configuration file and sends SIGHUP.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn reload(&self, text: &str) {
        std::fs::write(&self.file, text).expect("the configuration");
        self.running.signal(Signal::HUP);
    }

    /// What the Prometheus exporter shows.
    ///
    /// # Panics
    /// If it does not answer with 200 and an exposition.
    pub fn scrape(&self) -> Exposition {
        scrape(self.ports.exporter)
    }

    /// What the service shows about itself.
    ///
    /// # Panics
    /// If it does not answer with 200 and an exposition.
    pub fn own_metrics(&self) -> Exposition {
        scrape(self.ports.own_metrics)
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub fn kill(self) {
        self.running.kill();
    }

    /// Asks it to stop and waits until it has; panics are looked for in all that it said.
    ///
    /// # Panics
    /// If it does not end, or said that something panicked.
    pub fn stop(self) -> Ended {
        self.running.signal(Signal::TERM);
        let ended = self.running.end();
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        ended
    }
}

/// One scrape of a port on loopback.
///
/// # Panics
/// If it does not answer with 200 and an exposition.
pub fn scrape(port: u16) -> Exposition {
    let answer = http::get(([127, 0, 0, 1], port).into(), "/metrics").unwrap_or_else(|error| panic!("port {port}: {error}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    Exposition::parse(&answer.body)
}
