//! Running the binary, with deadlines on everything and nothing left behind.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);
/// Pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// A configuration that runs anywhere: it watches no process. Port 0 is a free one.
pub(crate) const QUIET: &str = "\
receivers:
  godefer:
    targets: { include: [{ executable: no-such-program }] }
    snapshot: { interval: 5s }
exporters:
  debug:
service:
  telemetry: { metrics: { address: \"127.0.0.1:0\" } }
  pipelines:
    metrics: { receivers: [godefer], exporters: [debug] }
";

/// The binary, with arguments.
pub(crate) fn deferd(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deferd"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a short run printed and ended with.
pub(crate) fn output(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = deferd(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A configuration file of its own folder.
pub(crate) struct ConfigFile {
    folder: TempDir,
}

impl ConfigFile {
    pub(crate) fn new(text: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        file.write(text);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.beside("config.yaml")
    }

    /// Another file of the folder.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write_beside(&self, name: &str, text: &str) {
        std::fs::write(self.beside(name), text).unwrap();
    }

    pub(crate) fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }
}

/// A running service. Killed when dropped.
pub(crate) struct Service {
    child: Child,
    lines: Receiver<String>,
    seen: String,
    /// Where its own metrics are, once it is ready.
    pub(crate) metrics: SocketAddr,
}

impl Service {
    /// Starts the service and waits until it is ready.
    pub(crate) fn start(config: &ConfigFile) -> Self {
        let mut child =
            deferd(&["--config", config.path().to_str().unwrap()]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        let mut service = Self { child, lines, seen: String::new(), metrics: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let line = service.line("Serving own metrics on http://");
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
        service.metrics = address.parse().unwrap();
        service.line("Everything is ready. Begin running and processing data.");
        service
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Where it is administered.
    pub(crate) fn admin(&self) -> SocketAddr {
        let line = self.seen.lines().rfind(|line| line.contains("Serving administration on http://")).unwrap();
        line.rsplit("http://").next().unwrap().trim().parse().unwrap()
    }

    /// Asks the admin address.
    pub(crate) fn ask(&self, line: &str, token: &str, body: &str) -> (u16, serde_json::Value) {
        ask(self.admin(), line, token, body)
    }

    /// All of its log, once it has ended.
    pub(crate) fn whole_log(&mut self) -> &str {
        self.ended();
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        &self.seen
    }

    /// Waits for a line of the log that has `text` in it.
    pub(crate) fn line(&mut self, text: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line with {text:?} in the log:\n{}", self.seen)
                }
            }
        }
    }

    /// Its own metrics now.
    pub(crate) fn scrape(&self) -> String {
        exchange(self.metrics, "GET /metrics HTTP/1.0\r\n\r\n")
    }

    /// Waits until its own metrics have this line.
    pub(crate) fn metric(&self, line: &str) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = self.scrape();
            if text.lines().any(|found| found == line) {
                return;
            }
            assert!(Instant::now() < deadline, "no line {line:?} in:\n{text}");
            pause();
        }
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running; its log:\n{}", self.seen);
            pause();
        }
    }
}

/// Asks an admin address and returns the status with the body.
pub(crate) fn ask(admin: SocketAddr, line: &str, token: &str, body: &str) -> (u16, serde_json::Value) {
    let authorization = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let length = body.len();
    let answer = exchange(admin, &format!("{line} HTTP/1.0\r\n{authorization}Content-Length: {length}\r\n\r\n{body}"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

/// What a server answers until it closes the connection.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[expect(clippy::disallowed_methods, reason = "between two looks at a condition that has a deadline")]
fn pause() {
    std::thread::sleep(PAUSE);
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
