//! The keys of `godefer`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use deferd_component::{Issues, Validate};
use deferd_config::{Duration, Percent};

/// The shortest interval that can be asked for: below it the watcher would mostly watch itself.
const SHORTEST_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

/// Placing and removing breakpoints takes ten milliseconds, so that shorter windows would mostly be that; in longer ones a busy
/// process pays more than its budget of a second.
const SHORTEST_WINDOW: std::time::Duration = std::time::Duration::from_millis(5);
const LONGEST_WINDOW: std::time::Duration = std::time::Duration::from_millis(100);

/// The keys of the receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which processes are watched.
    pub targets: Targets,
    /// How a process is looked at.
    pub snapshot: Snapshots,
    /// Breakpoints in the processes: panics, rates, files, samples.
    pub probes: Probes,
    /// How often it is looked for new processes.
    pub discovery_interval: Duration,
    /// Younger processes are left alone: most of them end before they have anything to show.
    pub min_age: Duration,
    /// What all looking together may cost, in percent of one core. A promise: intervals grow where it would be broken.
    pub max_agent_cpu: Percent,
    /// Sites reported one by one per process, the most pending first; the rest is summed under the function name `other`.
    pub max_sites: usize,
}

/// Which processes are watched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// A process is watched if it fits any of these; with none, every Go process is.
    pub include: Vec<Selector>,
    /// But not if it fits any of these.
    pub exclude: Vec<Selector>,
}

/// A description of processes; everything given must fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Selector {
    /// Name of the executable (`shop`), or its whole path (`/usr/bin/shop`).
    pub executable: Option<String>,
    /// Regular expression that is found in the command line, arguments separated by one space.
    pub command_line: Option<String>,
    /// Process id.
    pub pid: Option<u32>,
    /// Beginning of the container id, at least 12 characters.
    pub container: Option<String>,
}

/// How a process is looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Snapshots {
    /// Time between two looks at one process.
    pub interval: Duration,
    /// Goroutines looked at per process; past it the figures are lower bounds.
    pub max_goroutines: u64,
    /// Records looked at per look; chains past it are reported as unverified.
    pub max_records: u64,
    /// Parked goroutines whose frames are searched for open-coded defers, at about 4 us each; 0 switches the search off.
    pub max_open_coded_goroutines: u64,
}

/// Breakpoints in the processes, as far as the kernel and our rights allow them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Probes {
    /// Whether there are any.
    pub enabled: bool,
    /// What all probes of a process together may cost it, in percent of the CPU that it uses; never less than 1 ms a second. A
    /// promise: probes are in place for part of the time where it would be broken.
    pub max_target_overhead: Percent,
    /// Panics, recoveries, `runtime.Goexit` and fatal errors.
    pub panics: Panics,
    /// Registrations per second and per call, by site.
    pub rates: Rates,
    /// Which places opened the files that are open, while their number grows.
    pub files: Files,
    /// Samples of what the processes execute.
    pub timer: Timer,
}

/// Registrations of deferred calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rates {
    /// Whether they are estimated.
    pub enabled: bool,
    /// Length of a window, where returns are too many to count them all the time; 5ms to 100ms.
    pub window: Duration,
}

/// Open files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// Whether those who open and close files are watched while their number grows.
    pub enabled: bool,
}

/// Samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timer {
    /// Whether samples are taken.
    pub enabled: bool,
    /// Samples a second of each CPU, 1 to 999. Not a divisor of what programs do a hundred times a second.
    pub frequency: u32,
}

/// Panics and how they end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Panics {
    /// Whether they are counted and recorded.
    pub enabled: bool,
    /// Whether all are counted whatever it costs. Otherwise the probes are in place for as much of the time as the budget pays
    /// for: all of it up to about a thousand panics a second of a busy core, less above.
    pub exact: bool,
    /// Log records per place and second; the rest is only counted.
    pub records_per_second: u32,
    /// Whether records carry the panic's text, which may hold what is private.
    pub message: bool,
}

impl Default for Probes {
    fn default() -> Self {
        Self {
            enabled: true,
            max_target_overhead: Percent::new(1),
            panics: Panics::default(),
            rates: Rates::default(),
            files: Files::default(),
            timer: Timer::default(),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self { enabled: true, window: Duration::from_millis(10) }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Default for Timer {
    fn default() -> Self {
        Self { enabled: true, frequency: 99 }
    }
}

impl Default for Panics {
    fn default() -> Self {
        Self { enabled: true, exact: false, records_per_second: 10, message: true }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            targets: Targets::default(),
            snapshot: Snapshots::default(),
            probes: Probes::default(),
            discovery_interval: Duration::from_secs(5),
            min_age: Duration::from_secs(3),
            max_agent_cpu: Percent::new(5),
            max_sites: 100,
        }
    }
}

impl Default for Snapshots {
    fn default() -> Self {
        let limits = deferd_goproc::snapshot::SnapshotOptions::default();
        Self {
            interval: Duration::from_secs(5),
            max_goroutines: limits.max_goroutines,
            max_records: limits.max_records,
            max_open_coded_goroutines: limits.max_open_coded_goroutines,
        }
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        for (key, list) in [("targets::include", &self.targets.include), ("targets::exclude", &self.targets.exclude)] {
            for (index, selector) in list.iter().enumerate() {
                selector.validate_at(&format!("{key}::{index}"), issues);
            }
        }
        let at_least = |issues: &mut Issues, key: &str, value: std::time::Duration| {
            if value < SHORTEST_INTERVAL {
                issues.push(key, "is too short", "100ms or more");
            }
        };
        at_least(issues, "snapshot::interval", self.snapshot.interval.get());
        at_least(issues, "discovery_interval", self.discovery_interval.get());
        if self.max_agent_cpu.get() <= 0.0 {
            issues.push("max_agent_cpu", "must be positive", "for example 5%, of one core");
        }
        self.probes.validate_at(issues);
        let positive = |issues: &mut Issues, key: &str, value: u64| {
            if value == 0 {
                issues.push(key, "must be positive", "1 or more");
            }
        };
        positive(issues, "max_sites", self.max_sites as u64);
        positive(issues, "snapshot::max_goroutines", self.snapshot.max_goroutines);
        positive(issues, "snapshot::max_records", self.snapshot.max_records);
    }
}

impl Probes {
    fn validate_at(&self, issues: &mut Issues) {
        let overhead = self.max_target_overhead.get();
        if overhead <= 0.0 || overhead > 50.0 {
            issues.push(
                "probes::max_target_overhead",
                "is out of bounds",
                "more than 0, at most 50%, of the CPU that the target uses",
            );
        }
        let window = self.rates.window.get();
        if !(SHORTEST_WINDOW..=LONGEST_WINDOW).contains(&window) {
            issues.push("probes::rates::window", "is out of bounds", "5ms to 100ms");
        }
        if !(1..=999).contains(&self.timer.frequency) {
            issues.push("probes::timer::frequency", "is out of bounds", "1 to 999");
        }
    }
}

impl Selector {
    fn validate_at(&self, path: &str, issues: &mut Issues) {
        if *self == Self::default() {
            issues.push(path, "selects nothing", "at least one of executable, command_line, pid, container");
        }
        if let Some(Err(error)) = self.command_line.as_deref().map(regex::Regex::new) {
            let reason = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            issues.push(&format!("{path}::command_line"), format!("is no regular expression: {reason}"), "RE2 syntax");
        }
        if self.executable.as_deref() == Some("") {
            issues.push(&format!("{path}::executable"), "is empty", "the name of an executable, or its whole path");
        }
        if self.pid == Some(0) {
            issues.push(&format!("{path}::pid"), "is no process", "1 or more");
        }
        let hexadecimal = |id: &String| id.len() >= 12 && id.chars().all(|character| character.is_ascii_hexdigit());
        if self.container.as_ref().is_some_and(|id| !hexadecimal(id)) {
            issues.push(&format!("{path}::container"), "is no container id", "at least 12 hexadecimal digits");
        }
    }
}
