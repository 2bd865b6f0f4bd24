//! What the program `matrix` says of itself, held against what deferd says of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::process::Running;
use crate::snapshot::{Site, Snapshot, base_name};
use crate::wait;

/// The program's account: complete for its package main.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Announcement {
    /// `runtime.Version()`.
    pub go_version: String,
    /// `runtime.NumGoroutine()`.
    pub goroutines: u64,
    /// What is pending where.
    pub sites: Vec<Expected>,
}

/// One `defer` statement, as its own program counts it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Expected {
    function: String,
    file: String,
    line: u32,
    /// Empty if it cannot be known from outside, as for an interface.
    #[serde(default)]
    callee: String,
    kind: String,
    pending: u64,
    goroutines: u64,
    max_chain: u64,
}

/// The program, running.
#[derive(Debug)]
pub struct Matrix {
    running: Running,
    /// What it said.
    pub announcement: Announcement,
}

impl Matrix {
    /// Starts it and reads its account.
    ///
    /// # Panics
    /// If there is none.
    pub fn start(file: &Path) -> Self {
        Self::start_by(Command::new(file))
    }

    /// The same by this command.
    ///
    /// # Panics
    /// If there is none.
    pub fn start_by(command: Command) -> Self {
        let running = Running::start(command);
        let (line, _) = wait::until("matrix announces its sites", || running.stdout().lines().next().map(str::to_owned));
        let announcement = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { running, announcement }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }
}

/// Everything about a site that must be right, as one comparable line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Facts {
    function: String,
    place: String,
    kind: String,
    pending: u64,
    goroutines: u64,
    max_chain: u64,
}

/// Every difference between what is and what was reported, in words; empty if there is none.
pub fn differences(truth: &Announcement, seen: &Snapshot) -> Vec<String> {
    let mut wrong = Vec::new();
    if seen.process.go_version.split(' ').next() != truth.go_version.split(' ').next() {
        wrong.push(format!("Go version {:?}, not {:?}", seen.process.go_version, truth.go_version));
    }
    if seen.goroutines.total != truth.goroutines {
        wrong.push(format!("{} goroutines, not {}", seen.goroutines.total, truth.goroutines));
    }
    if seen.unverified.goroutines != 0 {
        wrong.push(format!("{} goroutines unverified", seen.unverified.goroutines));
    }
    let mut found: BTreeMap<Facts, &Site> = BTreeMap::new();
    for site in seen.sites.iter().filter(|site| site.function.starts_with("main.")) {
        if found.insert(facts_seen(site), site).is_some() {
            wrong.push(format!("reported twice: {site:?}"));
        }
    }
    for expected in &truth.sites {
        match found.remove(&facts_expected(expected)) {
            None => wrong.push(format!("not reported: {expected:?}")),
            Some(site) if !expected.callee.is_empty() && site.callee != expected.callee => {
                wrong.push(format!("{} calls {:?}, not {:?}", site.place(), site.callee, expected.callee));
            }
            Some(_) => {}
        }
    }
    wrong.extend(found.values().map(|site| format!("reported, but not so: {site:?}")));
    wrong
}

fn facts_seen(site: &Site) -> Facts {
    Facts {
        function: site.function.clone(),
        place: site.place(),
        kind: site.kind.clone(),
        pending: site.pending,
        goroutines: site.goroutines,
        max_chain: site.max_chain,
    }
}

fn facts_expected(site: &Expected) -> Facts {
    Facts {
        function: site.function.clone(),
        place: format!("{}:{}", base_name(&site.file), site.line),
        kind: site.kind.clone(),
        pending: site.pending,
        goroutines: site.goroutines,
        max_chain: site.max_chain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Goroutines, Process, Unverified};

    fn truth() -> Announcement {
        let text = r#"{"go_version": "go1.26.6", "goroutines": 5, "sites": [
            {"function": "main.a", "file": "/src/m/heap.go", "line": 14, "callee": "main.b", "kind": "heap",
             "pending": 150, "goroutines": 3, "max_chain": 50},
            {"function": "main.r", "file": "/src/m/range.go", "line": 14, "loop_line": 12, "callee": "main.b",
             "kind": "rangefunc", "pending": 30, "goroutines": 2, "max_chain": 15}]}"#;
        serde_json::from_str(text).unwrap()
    }

    fn site(function: &str, file: &str, kind: &str, numbers: [u64; 3]) -> Site {
        let [pending, goroutines, max_chain] = numbers;
        Site {
            function: function.into(),
            file: file.into(),
            line: 14,
            callee: "main.b".into(),
            kind: kind.into(),
            pending,
            memory_bytes: 1,
            goroutines,
            max_chain,
        }
    }

    fn seen() -> Snapshot {
        Snapshot {
            process: Process { pid: 1, executable: "/m".into(), go_version: "go1.26.6".into(), executable_deleted: false },
            goroutines: Goroutines { total: 5 },
            sites: vec![
                site("main.a", "m/heap.go", "heap", [150, 3, 50]),
                site("main.r", "m/range.go", "rangefunc", [30, 2, 15]),
                site("runtime.main", "proc.go", "open_coded", [1, 1, 1]),
            ],
            unverified: Unverified { goroutines: 0 },
        }
    }

    #[test]
    fn what_is_right_has_no_differences() {
        assert_eq!(differences(&truth(), &seen()), Vec::<String>::new());
    }

    #[test]
    fn every_fact_that_is_wrong_is_a_difference() {
        let damages: [fn(&mut Snapshot); 11] = [
            |seen| seen.sites[0].line += 1,
            |seen| seen.sites[0].pending -= 1,
            |seen| seen.sites[0].goroutines += 1,
            |seen| seen.sites[0].max_chain += 1,
            |seen| seen.sites[0].function.push('x'),
            |seen| seen.sites[0].callee.push('x'),
            |seen| seen.sites[0].kind = "stack".into(),
            |seen| drop(seen.sites.remove(1)),
            |seen| seen.sites[2].function = "main.unheard_of".into(),
            |seen| seen.goroutines.total += 1,
            |seen| seen.unverified.goroutines += 1,
        ];
        for (index, damage) in damages.into_iter().enumerate() {
            let mut seen = seen();
            damage(&mut seen);
            assert_ne!(differences(&truth(), &seen), Vec::<String>::new(), "damage {index} went unseen");
        }
    }

    #[test]
    fn a_site_reported_in_two_parts_is_a_difference() {
        let mut seen = seen();
        seen.sites.push(seen.sites[0].clone());
        assert_eq!(differences(&truth(), &seen).len(), 1);
    }
}
