//! godefer with probes, and a file with all that it tells.

use std::fs;
use std::path::PathBuf;

use deferd_fixtures::missing;

use crate::config::Watch;
use crate::deferd::Service;
use crate::recording::Recording;

/// `CAP_SYS_PTRACE`, `CAP_PERFMON` and `CAP_BPF` of `<linux/capability.h>`.
const RIGHTS: [u32; 3] = [19, 38, 39];
/// The first Linux in which breakpoints need no more rights than these.
const LINUX: (u32, u32) = (6, 6);

/// Some processes under watch.
#[derive(Debug)]
pub struct Probing {
    watch: Watch,
    folder: tempfile::TempDir,
}

impl Probing {
    /// Watches these processes, and reports each second. `None`, said loudly, where there can be no probes.
    ///
    /// # Panics
    /// In CI, if there can be none.
    pub fn of(pids: &[u32]) -> Option<Self> {
        if let Some(need) = missing() {
            missing::skip("probes in live processes", &need);
            return None;
        }
        let watch = Watch { interval: "1s".into(), ..Watch::pids(pids) };
        Some(Self { watch, folder: tempfile::tempdir().expect("a folder") })
    }

    /// The text; `probes` is a YAML flow map.
    pub fn yaml(&self, probes: &str) -> String {
        self.text(probes, "", "")
    }

    fn text(&self, probes: &str, processors: &str, used: &str) -> String {
        format!(
            "{}    probes: {probes}
{processors}exporters:
  file:
    path: {}
service:
{}  pipelines:
    metrics:
      receivers: [godefer]
{used}      exporters: [file]
    logs:
      receivers: [godefer]
      exporters: [file]
",
            self.watch.receivers(),
            self.file().display(),
            self.watch.telemetry()
        )
    }

    /// The service with these probes.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn start(&self, probes: &str) -> Service {
        Service::start(&self.yaml(probes), self.watch.ports)
    }

    /// The same, with a threshold that is told this, in YAML flow.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn start_with_rules(&self, probes: &str, threshold: &str) -> Service {
        let processors = format!("processors:\n  threshold: {{{threshold}}}\n");
        Service::start(&self.text(probes, &processors, "      processors: [threshold]\n"), self.watch.ports)
    }

    /// What was told so far.
    ///
    /// # Panics
    /// If it is not what the exporter promises.
    pub fn recording(&self) -> Recording {
        Recording::read(&self.file())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("recording.jsonl")
    }
}

/// What probes need and is not here. By what the machine says of itself, so that a deferd that cannot place any is found out.
fn missing() -> Option<String> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let status = read("/proc/self/status");
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
    let effective = u64::from_str_radix(effective.trim(), 16).unwrap_or_default();
    if RIGHTS.iter().any(|right| effective >> right & 1 == 0) {
        return Some("needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE".into());
    }
    let release = read("/proc/sys/kernel/osrelease");
    let mut numbers = release.split(|character: char| !character.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (version < LINUX).then(|| format!("needs Linux {}.{}, this is {}", LINUX.0, LINUX.1, release.trim()))
}
