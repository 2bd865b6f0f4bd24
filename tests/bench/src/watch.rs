//! deferd beside a program, with all that it sees written to a file.

use std::path::{Path, PathBuf};
use std::process::Command;

use deferd_integration::config::Ports;
use deferd_integration::deferd::Service;
use deferd_integration::recording::Recording;

use crate::Failure;

/// The running service and what it records.
#[derive(Debug)]
pub struct Watcher {
    service: Service,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Watcher {
    /// Starts this deferd, with its default budgets, to watch one process and to report each second.
    pub fn start(deferd: &Path, pid: u32) -> Result<Self, Failure> {
        Self::of(deferd, &[pid], "1s")
    }

    /// The same for several processes, with this time between two looks at each.
    pub fn of(deferd: &Path, pids: &[u32], interval: &str) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("recording.jsonl");
        let ports = Ports::free();
        let text = configuration(pids, interval, &file, ports);
        Ok(Self { service: Service::start_by(Command::new(deferd), &text, ports), file, _folder: folder })
    }

    /// The process id of deferd.
    pub fn pid(&self) -> u32 {
        self.service.pid()
    }

    /// The lines of its log that complain.
    pub fn complaints(&self) -> String {
        let log = self.service.log();
        let bad = |line: &&str| line.contains("\twarn\t") || line.contains("\terror\t");
        let lines: Vec<&str> = log.lines().filter(bad).collect();
        if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
    }

    /// Stops it, so that nothing is still on its way, and reads what it saw.
    pub fn stop(self) -> Recording {
        self.service.stop();
        Recording::read(&self.file)
    }
}

/// Probes are on by default, so nothing is said about them: a deferd that has none can be measured too.
fn configuration(pids: &[u32], interval: &str, file: &Path, ports: Ports) -> String {
    let include = pids.iter().map(|pid| format!("{{pid: {pid}}}")).collect::<Vec<_>>().join(", ");
    format!(
        "receivers:
  godefer:
    targets:
      include: [{include}]
    snapshot:
      interval: {interval}
    discovery_interval: 200ms
    min_age: 0s
exporters:
  file:
    path: {}
service:
  telemetry:
    metrics:
      address: 127.0.0.1:{}
  pipelines:
    metrics:
      receivers: [godefer]
      exporters: [file]
",
        file.display(),
        ports.own_metrics
    )
}
