//! Looks once at a process and prints what it holds: `snapshot PID`.
#![expect(clippy::print_stdout, reason = "an example prints")]

use deferd_goproc::snapshot::SnapshotOptions;
use deferd_goproc::target::Target;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pid = std::env::args().nth(1).ok_or("usage: snapshot PID")?.parse()?;
    let mut target = Target::attach(pid)?;
    println!("{:#?}\n{}", target.process(), target.key());
    println!("{:#?}", target.snapshot(&SnapshotOptions::default())?);
    Ok(())
}
