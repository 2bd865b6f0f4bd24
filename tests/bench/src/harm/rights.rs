//! What deferd can do, and what it says, with which rights.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use deferd_fixtures::{Mode, binary, newest};
use deferd_integration::config::Watch;
use deferd_integration::deferd::{self, Service};
use deferd_integration::exposition::Exposition;
use deferd_integration::process::{Running, is_installed};
use deferd_integration::programs::{open_folder, write_program};
use deferd_integration::wait;

use super::Churn;
use super::holder::PLACED;
use crate::Failure;

/// The user of the service.
const AGENT: u32 = 65534;
/// Any other user.
const OTHER: u32 = 65533;
/// How long a figure that does not come is waited for. Loading the programs takes two seconds of a processor, first figures follow at
/// the next look; beside other work that was more than eight.
const PATIENCE: Duration = Duration::from_secs(20);

/// Rights of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// In the table.
    pub name: &'static str,
    /// As `setpriv` names them; `None`: all those of root.
    pub capabilities: Option<&'static [&'static str]>,
}

/// What is compared: the rows of the table.
pub const RIGHTS: [Rights; 6] = [
    Rights { name: "none", capabilities: Some(&[]) },
    Rights { name: "SYS_PTRACE", capabilities: Some(&["sys_ptrace"]) },
    Rights { name: "BPF, PERFMON", capabilities: Some(&["bpf", "perfmon"]) },
    Rights { name: "BPF, PERFMON, SYS_PTRACE", capabilities: Some(&["bpf", "perfmon", "sys_ptrace"]) },
    Rights {
        name: "BPF, PERFMON, SYS_PTRACE, DAC_READ_SEARCH",
        capabilities: Some(&["bpf", "perfmon", "sys_ptrace", "dac_read_search"]),
    },
    Rights { name: "root", capabilities: None },
];

/// Whom it watches: the columns. A name, a user, and the mode of the executable.
pub const TARGETS: [(&str, u32, u32); 3] =
    [("same user", AGENT, 0o755), ("another user", OTHER, 0o755), ("another user, executable of mode 0700", OTHER, 0o700)];

/// What came of one service and one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Figures of snapshots are shown.
    pub snapshots: bool,
    /// Figures of probes are shown.
    pub probes: bool,
    /// The reasons that `deferd_health` has for the receiver, `ok` among them.
    pub health: Vec<String>,
    /// The first message that names a right or probes.
    pub said: Option<String>,
    /// Why [`super::hold`] could not place breakpoints there with the same rights, if it could not.
    pub unplaced: Option<String>,
}

/// The service's binary, and the targets, which run.
#[derive(Debug)]
pub struct World {
    deferd: PathBuf,
    holder: PathBuf,
    targets: Vec<Churn>,
    _folder: tempfile::TempDir,
}

impl World {
    /// Starts the targets. `holder hold PID` runs [`super::hold`]. The inner error is what the machine lacks.
    ///
    /// # Panics
    /// If one of them does not come up.
    pub fn new(holder: &Path) -> Result<Result<Self, &'static str>, Failure> {
        if !rustix::process::geteuid().is_root() || !is_installed("setpriv") {
            return Ok(Err("needs root and setpriv (util-linux)"));
        }
        let folder = open_folder();
        let program = std::fs::read(binary("churn", newest(), Mode::Plain))?;
        let mut targets = Vec::new();
        for (number, (_, user, mode)) in TARGETS.into_iter().enumerate() {
            let file = write_program(folder.path(), &format!("churn{number}"), &program);
            std::os::unix::fs::chown(&file, Some(user), Some(user))?;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode))?;
            let mut command = as_user(user);
            // It panics and defers all the time, and leaves the machine to others.
            command.arg(&file).args(["-pause", "20ms"]);
            targets.push(Churn::start_by(command));
        }
        let deferd = write_program(folder.path(), "deferd", &std::fs::read(deferd::binary())?);
        let holder = write_program(folder.path(), "holder", &std::fs::read(holder)?);
        Ok(Ok(Self { deferd, holder, targets, _folder: folder }))
    }

    /// Runs the service with these rights on each target alone, in the order of [`TARGETS`].
    ///
    /// # Panics
    /// If it does not come up, or does not end.
    pub fn judge(&self, rights: Rights) -> Vec<Verdict> {
        let judge = |target: &Churn| Verdict {
            unplaced: place(&self.holder, rights, target.pid()).err(),
            ..judge(&self.deferd, rights, target.pid())
        };
        self.targets.iter().map(judge).collect()
    }
}

fn as_user(user: u32) -> Command {
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()]);
    command
}

/// The service with these rights, as a unit's `AmbientCapabilities=` and `CapabilityBoundingSet=` give them.
fn with(rights: Rights, deferd: &Path) -> Command {
    let Some(capabilities) = rights.capabilities else { return Command::new(deferd) };
    let mut command = as_user(AGENT);
    let set: String = capabilities.iter().fold("-all".to_owned(), |set, capability| format!("{set},+{capability}"));
    command.args(["inh-caps", "ambient-caps", "bounding-set"].map(|which| format!("--{which}={set}")));
    command.arg("--no-new-privs").arg(deferd);
    command
}

fn judge(deferd: &Path, rights: Rights, pid: u32) -> Verdict {
    let watch = Watch::pids(&[pid]);
    let service = Service::start_by(with(rights, deferd), &watch.yaml(), watch.ports);
    let begin = Instant::now();
    let verdict = loop {
        let verdict = look(&service, pid);
        let all = verdict.snapshots && verdict.probes;
        if all || begin.elapsed() > PATIENCE {
            break verdict;
        }
        wait::pause(Duration::from_millis(200));
    };
    service.stop();
    verdict
}

/// Places breakpoints without the service; else what was said.
fn place(holder: &Path, rights: Rights, pid: u32) -> Result<(), String> {
    let mut command = with(rights, holder);
    command.arg("hold").arg(pid.to_string()).arg("--alone");
    let mut agent = Running::start(command);
    let (placed, _) = wait::until("breakpoints are placed, or not", || {
        if agent.stdout().contains(PLACED) {
            return Some(true);
        }
        (!agent.is_running()).then_some(false)
    });
    if placed {
        return Ok(());
    }
    Err(agent.end().stderr.trim().replace(&format!("process {pid}"), "process PID"))
}

fn look(service: &Service, pid: u32) -> Verdict {
    let (shown, own) = (service.scrape(), service.own_metrics());
    let health = own.all("deferd_health", &[("component", "receivers::godefer")]);
    let log = service.log();
    Verdict {
        snapshots: shown.names().contains("go_goroutine_count"),
        probes: [&shown, &own].into_iter().any(has_probes),
        health: health.iter().map(|sample| sample.label("reason").to_owned()).collect(),
        unplaced: None,
        said: log.lines().find(|line| line.contains("CAP_") || line.contains("robes")).map(|line| message(line, pid)),
    }
}

/// Figures that only probes can give, each under the name that the exporter gives it.
fn has_probes(shown: &Exposition) -> bool {
    shown.names().iter().any(|name| {
        ["go_panic_count", "go_defer_registrations", "deferd_probe_coverage"].iter().any(|figure| name.starts_with(figure))
    })
}

/// A line of the log without its first columns, which are time, level and module; the same for every process.
fn message(line: &str, pid: u32) -> String {
    let message = line.split('\t').nth(3).unwrap_or(line);
    message.replace(&format!("process {pid}"), "process PID")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_snapshots_are_not_taken_for_those_of_probes() {
        let shown = |text: &str| has_probes(&Exposition::parse(text));
        assert!(!shown("go_defer_pending{a=\"b\"} 1\ngo_goroutine_count 2\n"));
        assert!(shown("go_panic_count_total{go_panic_stage=\"raised\"} 1\n"));
    }

    #[test]
    fn one_message_about_two_processes_is_the_same() {
        let line = |pid: u32| format!("2026-01-01T00:00:00Z\twarn\tdeferd_receivers::godefer\tprocess {pid}: no\tmore");
        assert_eq!(message(&line(7), 7), "process PID: no");
        assert_eq!(message(&line(7), 7), message(&line(8), 8));
    }
}
