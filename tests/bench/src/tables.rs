//! Tables of whether probes do harm.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use deferd_bench::Failure;
use deferd_bench::harm::{self, Cycles, RIGHTS, TARGETS, Verdict, World};
use deferd_fixtures::{GoVersion, Mode, binary, newest, toolchains};

use crate::machine;

/// The forms of binary that are harmed if nothing is said.
const MODES: [&str; 5] = ["plain", "stripped", "pie", "static-pie", "cgo"];

/// How often, and in what.
#[derive(Args)]
pub(crate) struct AttachCycles {
    /// In each program
    #[arg(long, default_value_t = 20)]
    cycles: u32,
    /// Go versions of the programs; all that are here if none is named
    #[arg(long = "version", value_delimiter = ',')]
    versions: Vec<GoVersion>,
    /// Forms of the programs
    #[arg(long = "mode", value_delimiter = ',', default_values = MODES)]
    modes: Vec<String>,
    /// Place and remove without the process that does it for the service
    #[arg(long)]
    alone: bool,
}

/// How often, and in what.
#[derive(Args)]
pub(crate) struct Kills {
    /// Of agents whose breakpoints stand, and of those that place and remove
    #[arg(long = "kills", default_value_t = 20)]
    agents: u32,
    /// Go version of the program; the newest that is here if none is named
    #[arg(long = "version")]
    version: Option<GoVersion>,
    /// Form of the program
    #[arg(long = "mode", default_value = "plain")]
    mode: String,
    /// Of agents without a process that holds their breakpoints
    #[arg(long)]
    alone: bool,
}

/// One row for each form of binary of each version.
pub(crate) fn attach_cycles(options: &AttachCycles) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut probes = harm::load()??;
    let _keeper = if options.alone { None } else { Some(harm::keep(&mut probes)?) };
    println!("{}\n", machine::describe());
    println!(
        "| Go | form | cycles | places | hits | crashes, wrong | longest standstill | place, ms (p50 / p99 / max) | remove, ms | \
         probes' share of CPU | work per CPU-second |\n|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let mut complaints = Vec::new();
    let mut slot = 0;
    let versions = if options.versions.is_empty() {
        toolchains().iter().map(|toolchain| toolchain.version).collect()
    } else {
        options.versions.clone()
    };
    for version in versions {
        for mode in &options.modes {
            let outcome = harm::attach_and_detach(&mut probes, slot, &program(version, mode)?, options.cycles)?;
            println!("| {version} | {mode} | {}", row(&outcome));
            complaints.extend(outcome.complaints.iter().map(|complaint| format!("{version} {mode}: {complaint}")));
            slot += 1;
        }
    }
    end(&complaints, begin.elapsed())
}

fn row(outcome: &Cycles) -> String {
    format!(
        "{} | {} | {} | {} | {:.1} s | {} | {} | {:.2} % | {} |",
        outcome.cycles,
        outcome.places,
        outcome.hits(),
        outcome.complaints.len(),
        outcome.standstill.as_secs_f64(),
        outcome.attach,
        outcome.detach,
        outcome.overhead() * 100.0,
        outcome.speed.map_or_else(|| "?".to_owned(), |speed| format!("{:+.0} %", (speed - 1.0) * 100.0)),
    )
}

/// Two rows.
pub(crate) fn kills(options: &Kills) -> Result<(), Failure> {
    let begin = Instant::now();
    let probes = harm::load()??;
    let churn = program(options.version.unwrap_or_else(|| newest().version), &options.mode)?;
    let holder = std::env::current_exe()?;
    println!("{}\n", machine::describe());
    println!("| agent killed | kills | gone, ms (p50 / p99 / max) | left behind | of these removed by the next agent |");
    println!("|---|---|---|---|---|");
    let mut complaints = Vec::new();
    for (restless, when) in [(false, "while breakpoints stand"), (true, "while placing and removing")] {
        let agent = harm::Agent { restless, alone: options.alone };
        let outcome = harm::kill_holders(&probes, &holder, &churn, options.agents, agent)?;
        let harm::Kills { kills, gone, left, healed, .. } = &outcome;
        println!("| {when} | {kills} | {gone} | {left} | {healed} |");
        if *left > 0 || gone.longest() > harm::LIMIT {
            complaints.push(format!("{when}: not all were gone within {:?}", harm::LIMIT));
        }
        complaints.extend(outcome.complaints);
    }
    end(&complaints, begin.elapsed())
}

/// One row for each set of rights, and below the table what was said.
pub(crate) fn capabilities() -> Result<(), Failure> {
    let world = World::new(&std::env::current_exe()?)??;
    println!("| rights |{}\n|---|{}", TARGETS.map(|(name, ..)| format!(" {name} |")).concat(), "---|".repeat(TARGETS.len()));
    let mut messages = Vec::new();
    for rights in RIGHTS {
        let verdicts = world.judge(rights);
        let cells: Vec<String> = verdicts.iter().map(|verdict| cell(verdict, &mut messages)).collect();
        println!("| {} | {} |", rights.name, cells.join(" | "));
    }
    println!();
    for (number, message) in (1..).zip(messages) {
        println!("{number}. {message}");
    }
    Ok(())
}

/// What was said is a number, by its place among all that is said.
fn cell(verdict: &Verdict, messages: &mut Vec<String>) -> String {
    let works = |works: bool| if works { "yes" } else { "no" };
    let mut number = |message: &Option<String>| {
        let message = message.as_ref()?;
        let at = messages.iter().position(|other| other == message).unwrap_or(messages.len());
        if at == messages.len() {
            messages.push(message.clone());
        }
        Some(format!(" ({})", at + 1))
    };
    let (said, unplaced) = (number(&verdict.said).unwrap_or_default(), number(&verdict.unplaced).unwrap_or_default());
    let (snapshots, probes) = (works(verdict.snapshots), works(verdict.probes));
    let (health, placed) = (verdict.health.join(", "), works(verdict.unplaced.is_none()));
    format!("snapshots {snapshots}, probes {probes}, health {health}{said}; breakpoints {placed}{unplaced}")
}

/// The file of the program that is harmed.
fn program(version: GoVersion, mode: &str) -> Result<PathBuf, Failure> {
    let toolchain = toolchains().iter().find(|toolchain| toolchain.version == version);
    let toolchain = toolchain.ok_or_else(|| format!("Go {version} is not here: cargo xtask fixtures --versions {version}"))?;
    let mode = Mode::ALL.into_iter().find(|other| other.name() == mode).ok_or_else(|| format!("no form is named {mode:?}"))?;
    Ok(binary("churn", toolchain, mode))
}

fn end(complaints: &[String], took: Duration) -> Result<(), Failure> {
    println!("\nin {:.0} s", took.as_secs_f64());
    if complaints.is_empty() {
        return Ok(());
    }
    Err(complaints.join("\n").into())
}
