//! What a look costs, beside a walker that makes two system calls per record: `walk_cost PROGRAM`.
//!
//! PROGRAM is the built fixture `tests/go/walk`. Prints CPU milliseconds of this process, best of five.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use deferd_goproc::snapshot::{Snapshot, SnapshotOptions};
use deferd_goproc::target::Target;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let program = std::env::args().nth(1).ok_or("usage: walk_cost PROGRAM")?;
    println!("{:<34}{:>9}{:>9}{:>8}{:>9}{:>10}", "case", "cpu ms", "wall ms", "reads", "MB", "naive ms");
    for (name, commands) in [
        ("10 goroutines x 3", &["loop 10 3"][..]),
        ("10,000 goroutines x 1", &["loop 10000 1"]),
        ("100,000 goroutines x 1", &["loop 100000 1"]),
        ("100,000 goroutines x 10", &["loop 100000 10"]),
        ("one chain of 1,000,000", &["loop 1 1000000"]),
        ("one of 1,000,000, static closures", &["static 1 1000000"]),
        ("100,000 goroutines, no defers", &["loop 100000 0"]),
        ("one of 1,000,000, churned pool", &["churn 500", "gc", "loop 1 1000000"]),
        ("growing, beside churn", &["churn 50", "leak", "wait 20000"]),
    ] {
        measure(name, &program, commands)?;
    }
    Ok(())
}

fn measure(name: &str, program: &str, commands: &[&str]) -> Result<(), Failure> {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let result = run(name, &mut child, commands);
    child.kill()?;
    child.wait()?;
    result
}

fn run(name: &str, child: &mut Child, commands: &[&str]) -> Result<(), Failure> {
    let mut stdin = child.stdin.take().ok_or("no pipe")?;
    let mut replies = BufReader::new(child.stdout.take().ok_or("no pipe")?);
    for command in commands {
        writeln!(stdin, "{command}")?;
        replies.read_line(&mut String::new())?;
    }
    let mut target = Target::attach(child.id())?;
    let open_coded = std::env::var_os("OPEN_CODED").map_or(0, |_| u64::MAX);
    let options = SnapshotOptions { max_open_coded_goroutines: open_coded, ..SnapshotOptions::default() };
    let mut best: Option<Snapshot> = None;
    for _ in 0..5 {
        let snapshot = target.snapshot(&options)?;
        if best.as_ref().is_none_or(|best| snapshot.cost.cpu < best.cost.cpu) {
            best = Some(snapshot);
        }
    }
    let best = best.ok_or("no snapshot")?;
    let naive = target.naive_cost()?;
    let pending: u64 = best.sites.iter().map(|site| site.pending).sum();
    println!(
        "{name:<34}{:>9.2}{:>9.2}{:>8}{:>9.1}{:>10.2}   {pending} pending, {} unverified",
        milliseconds(best.cost.cpu),
        milliseconds(best.cost.wall),
        best.cost.reads,
        f64::from(u32::try_from(best.cost.bytes / 1024).unwrap_or(u32::MAX)) / 1024.0,
        milliseconds(naive),
        best.unverified.goroutines,
    );
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
