//! Prints tables of what deferd costs, and of whether its probes do harm; see the README.
#![expect(clippy::print_stdout, reason = "the tables are the purpose")]

mod many;
mod service;
mod tables;
mod walker;

use clap::{Parser, Subcommand};
use deferd_bench::{Failure, machine};

/// What deferd costs; and whether its probes do harm.
#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    what: Option<What>,
}

/// What to measure instead of the costs.
#[derive(Subcommand)]
enum What {
    /// Place and remove all probes again and again in programs that work hard and check themselves
    AttachCycles(tables::AttachCycles),
    /// Kill agents whose breakpoints stand, or are being placed and removed
    Kills(tables::Kills),
    /// What works with which rights, and what is said where it does not
    Capabilities,
    /// What an agent beside many processes costs, and whether the promise holds for each of them
    Many(many::Many),
    /// Count the defers of a process with one breakpoint for each, to be compared with (`probe_harm --beside`)
    Naive {
        /// Of the program
        pid: u32,
    },
    /// An agent to be killed
    #[command(hide = true)]
    Hold {
        /// Of the program
        pid: u32,
        #[command(flatten)]
        agent: deferd_bench::harm::Agent,
    },
}

fn main() -> Result<(), Failure> {
    match Line::parse().what {
        None => costs(),
        Some(What::AttachCycles(options)) => tables::attach_cycles(&options),
        Some(What::Kills(options)) => tables::kills(&options),
        Some(What::Capabilities) => tables::capabilities(),
        Some(What::Many(options)) => many::many(&options),
        Some(What::Naive { pid }) => {
            println!("{} defers", deferd_bench::harm::count_naively(pid)?);
            Ok(())
        }
        // As text: it is read by who started it.
        Some(What::Hold { pid, agent }) => {
            deferd_bench::harm::hold(pid, agent, &mut std::io::stdout()).map_err(|error| error.to_string().into())
        }
    }
}

fn costs() -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err("figures of an unoptimised build mean nothing: cargo run --release -p deferd-bench".into());
    }
    println!("{}\n", machine::describe());
    println!("| what | figure |\n|---|---|");
    for (what, figure) in service::measure()? {
        println!("| {what} | {figure} |");
    }
    println!("\nWalker, CPU of one look:\n\n```\n{}\n```", walker::measure()?);
    Ok(())
}
