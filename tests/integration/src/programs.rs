//! The Go programs as running processes that say the truth about themselves.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use deferd_fixtures::{Mode, binary, missing, newest};
use serde::Deserialize;

use crate::process::{self, Running};
use crate::{http, wait};

/// The leaky log shipper.
#[derive(Debug)]
pub struct Leaky {
    running: Running,
    address: SocketAddr,
}

/// Its own account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Counters {
    /// Deferred calls pending, at least.
    pub pending: u64,
    /// The same, at most.
    pub pending_at_most: u64,
    /// `runtime.NumGoroutine`.
    pub goroutines: u64,
    /// `main.go:LINE`, empty before the first turn.
    pub site: String,
    /// The line in `site`.
    pub line: u32,
    /// The function at `site`.
    pub function: String,
}

impl Leaky {
    /// Starts it with so many leaked calls per second, and waits for the first.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(rate: u32) -> Self {
        Self::start_as(rate, &[])
    }

    /// [`Leaky::start`] with environment variables.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_as(rate: u32, environment: &[(&str, &str)]) -> Self {
        let file = binary("leaky", newest(), Mode::Plain);
        Self::start_file(&file, rate, environment)
    }

    /// [`Leaky::start_as`] from a copy of the program.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_file(file: &Path, rate: u32, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(file);
        command.envs(environment.iter().copied());
        Self::start_by(command, rate)
    }

    /// [`Leaky::start`] by a command that runs it, such as one that gives rights up first.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_by(mut command: Command, rate: u32) -> Self {
        command.args(["-exit-with-stdin", "-rate", &rate.to_string()]);
        let running = Running::start(command);
        let (address, _) = wait::until("leaky says where it listens", || {
            let said = running.stdout();
            let address = said.split_once("http://")?.1.split_once('\n')?.0;
            address.parse().ok()
        });
        let leaky = Self { running, address };
        wait::until("leaky has leaked", || (!leaky.counters().site.is_empty()).then_some(()));
        leaky
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The account now.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn counters(&self) -> Counters {
        Self::decode(&http::get(self.address, "/counters").expect("leaky answers"))
    }

    /// `pause`, `resume` or `stop`; the account afterwards.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn tell(&self, what: &str) -> Counters {
        Self::decode(&http::post(self.address, &format!("/{what}")).expect("leaky answers"))
    }

    fn decode(answer: &http::Answer) -> Counters {
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
    }

    /// Kills it and waits until it is gone.
    pub fn kill(self) {
        self.running.kill();
    }
}

/// The program that does nothing wrong.
#[derive(Debug)]
pub struct Healthy(Running);

impl Healthy {
    /// Starts it and waits until it has said that it is up.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start() -> Self {
        let file = binary("healthy", newest(), Mode::Plain);
        let running = Running::start(Command::new(file));
        wait::until("healthy is up", || running.stdout().contains('\n').then_some(()));
        Self(running)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Makes it finish what it is doing and hold still.
    ///
    /// # Panics
    /// If it does not.
    pub fn park(&mut self) {
        writeln!(self.0.stdin(), "park").expect("healthy listens");
        wait::until("healthy is parked", || self.0.stdout().contains("\"parked\":true").then_some(()));
    }

    /// Makes the process run another program under the same id.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn exec(&mut self, program: &Path, arguments: &[&str]) {
        writeln!(self.0.stdin(), "exec {} {}", program.display(), arguments.join(" ")).expect("healthy listens");
        wait::until("the process runs the other program", || {
            let now = executable(self.0.pid())?;
            (now == program.canonicalize().ok()?).then_some(())
        });
    }
}

/// A folder of the test's own that every user may read.
///
/// # Panics
/// If it cannot be made.
pub fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

/// Writes an executable file. It is a copy made by another process: a thread of this one that starts a program at the same moment
/// would hold a file written here open until its exec, and a file open for writing cannot be run.
///
/// # Panics
/// If it cannot be written.
pub fn write_program(folder: &Path, name: &str, image: &[u8]) -> PathBuf {
    let (written, file) = (folder.join(format!("{name}.new")), folder.join(name));
    fs::write(&written, image).expect("the program");
    let mut install = Command::new("install");
    install.arg("-m").arg("755").arg(&written).arg(&file);
    let ended = process::run(install);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    file
}

/// A command that runs a program as a user with no rights, from a copy that this user may read; `None`, said loudly, where that
/// cannot be done.
///
/// # Panics
/// If it cannot be copied, and in CI if it cannot be done.
pub fn as_nobody(folder: &Path, program: &Path) -> Option<Command> {
    if !rustix::process::geteuid().is_root() || !process::is_installed("setpriv") {
        missing::skip("running as another user", "needs root and setpriv (util-linux)");
        return None;
    }
    let name = program.file_name().expect("a program").to_string_lossy();
    let copy = write_program(folder, &name, &fs::read(program).expect("a program"));
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
    Some(command)
}

/// The file that a process runs.
pub fn executable(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Any other program, running.
///
/// # Panics
/// If it does not start within [`wait::PATIENCE`].
pub fn start(file: &Path, arguments: &[&str]) -> Running {
    let mut command = Command::new(file);
    command.args(arguments);
    let running = Running::start(command);
    let file = file.canonicalize().expect("the program");
    // Before its exec the child is a copy of this test.
    wait::until("the program runs", || (executable(running.pid())? == file).then_some(()));
    running
}
