//! One look at very many goroutines and at a very long chain, next to the simple way: the example `walk_cost` of goproc.

use std::process::Command;

use deferd_fixtures::{Mode, binary, newest, workspace};

use deferd_bench::Failure;

/// The lines of its table that are of interest here.
const CASES: [&str; 3] = ["case", "100,000 goroutines x", "one chain of 1,000,000"];

/// The table.
pub(crate) fn measure() -> Result<String, Failure> {
    let program = binary("walk", newest(), Mode::Plain);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut example = Command::new(cargo);
    example.args(["run", "--quiet", "--release", "--locked", "--package", "deferd-goproc", "--example", "walk_cost", "--"]);
    let table = succeed(example.arg(&program).current_dir(workspace()))?;
    let lines: Vec<&str> = table.lines().filter(|line| CASES.iter().any(|case| line.starts_with(case))).collect();
    Ok(lines.join("\n"))
}

/// Runs a command and returns what it printed.
fn succeed(command: &mut Command) -> Result<String, Failure> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
