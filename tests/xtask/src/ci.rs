//! `cargo xtask ci`: every check in the order of what is cheap to find first.

use crate::terminal::{complain, say};
use crate::{bpf, check, fixtures};
use deferd_fixtures::command;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Why CI is red.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{step}: {source}")]
    Command { step: &'static str, source: command::Error },
    #[error("bpf: {0}")]
    Bpf(#[from] bpf::Error),
    #[error("check: {0}")]
    Check(#[from] check::Error),
    #[error("fixtures: {0}")]
    Fixtures(#[from] deferd_fixtures::Error),
}

/// Runs the steps, stops at the first that fails, and says what each took.
pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let mut took = Vec::new();
    let mut step = |name: &'static str, run: &dyn Fn() -> Result<(), Error>| {
        say(&format!("\n=== {name}"));
        let start = Instant::now();
        let result = run();
        took.push((name, start.elapsed()));
        result
    };
    let result = step("fmt", &|| cargo(root, "fmt", &["fmt", "--all", "--check"]))
        .and_then(|()| step("check", &|| Ok(check::run(root)?)))
        .and_then(|()| step("bpf", &|| Ok(bpf::run(root, &bpf::Options::checking())?)))
        .and_then(|()| step("clippy", &|| cargo(root, "clippy", &CLIPPY)))
        .and_then(|()| step("fixtures", &|| Ok(fixtures::run(&fixtures::Selection::usual())?)))
        .and_then(|()| step("test", &|| cargo(root, "test", &["test", "--workspace", "--locked"])))
        .and_then(|()| step("deny", &|| deny(root)));
    say(&format!("\n=== {}", if result.is_ok() { "all steps passed" } else { "a step failed" }));
    for (name, time) in &took {
        say(&format!("{name:>10} {}", seconds(*time)));
    }
    result
}

const CLIPPY: [&str; 7] = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];

fn cargo(root: &Path, step: &'static str, arguments: &[&str]) -> Result<(), Error> {
    // Cargo names itself to what it runs, so the pinned toolchain stays the same.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command::run(Command::new(cargo).args(arguments).current_dir(root)).map_err(|source| Error::Command { step, source })
}

/// Checks licences, sources and duplicates. It is the one step that may be left
/// out: cargo-deny takes minutes to build on a machine that lacks it.
fn deny(root: &Path) -> Result<(), Error> {
    if command::output(Command::new("cargo-deny").arg("--version")).is_err() {
        complain("SKIPPED: cargo-deny is not installed; bans, licences and sources of dependencies were NOT checked");
        return Ok(());
    }
    cargo(root, "deny", &["deny", "check", "bans", "licenses", "sources"])
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
