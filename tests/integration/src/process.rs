//! Child processes that end with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::wait;

/// A running child with its output collected. Killed and reaped when dropped, by its id.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Collected,
    stderr: Collected,
}

/// A child that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Running {
    /// Starts the command with pipes for all three streams.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Self {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take();
        let stdout = Collected::from(child.stdout.take().expect("a pipe"));
        let stderr = Collected::from(child.stderr.take().expect("a pipe"));
        Self { child, stdin, stdout, stderr }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The standard input.
    ///
    /// # Panics
    /// If it was closed.
    pub fn stdin(&mut self) -> &mut ChildStdin {
        self.stdin.as_mut().expect("standard input is open")
    }

    /// Closes the standard input, which ends every Go program of ours.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal. The child has not been waited for, so the id is its own.
    ///
    /// # Panics
    /// If the kernel refuses.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, signal).expect("it is ours");
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// If the kernel does not tell.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is ours").is_none()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// After [`wait::PATIENCE`]; it is killed then.
    pub fn end(mut self) -> Ended {
        let (status, _): (ExitStatus, Duration) = wait::until("the process ends", || self.child.try_wait().expect("it is ours"));
        let collect = |stream: &mut Collected| {
            stream.finish();
            stream.text()
        };
        Ended { code: status.code(), stdout: collect(&mut self.stdout), stderr: collect(&mut self.stderr) }
    }

    /// Kills it and waits until it is gone.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started, or does not end within [`wait::PATIENCE`].
pub fn run(command: Command) -> Ended {
    let mut running = Running::start(command);
    drop(running.stdin.take());
    running.end()
}

/// Whether a program of this name is on the path.
pub fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| is_file(&folder.join(program))))
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// The lines of a stream, read by a thread so that the writer never blocks.
#[derive(Debug)]
struct Collected {
    lines: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn from(stream: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&lines);
        let read = move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                shared.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        };
        Self { lines, reader: Some(std::thread::spawn(read)) }
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the end of the stream. A grandchild that keeps it open would hold the test up: none of ours does.
    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}
