//! The keys of `godefer`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use deferd_component::{Issues, Validate};
use deferd_config::{Duration, Percent};

/// The shortest interval that can be asked for: below it the watcher would mostly watch itself.
const SHORTEST_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

/// The keys of the receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which processes are watched.
    pub targets: Targets,
    /// How a process is looked at.
    pub snapshot: Snapshots,
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

impl Default for Config {
    fn default() -> Self {
        Self {
            targets: Targets::default(),
            snapshot: Snapshots::default(),
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
