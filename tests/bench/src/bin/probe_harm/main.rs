//! Measures what being watched does to a process: loops that only defer, and an HTTP service, each without deferd, watched by it,
//! and with a deferd beside it that watches another process (the control: what that shows is no cost of probes).
//!
//! The states take turns, in another order each round, and a ratio is of two runs of one round: what drifts on a machine drifts for
//! all of them. With `--beside` a fourth state runs another watcher, for instance one that stops at every `deferproc`.
#![expect(clippy::print_stdout, reason = "the table is the purpose")]

mod figures;
mod state;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use deferd_bench::judge::{OVERHEAD, REGISTRATIONS};
use deferd_bench::{Failure, machine};
use deferd_fixtures::newest;

use figures::Table;
use state::{Setup, State};
use workload::Workload;

/// Measures what probes do to the process that is watched.
#[derive(Debug, Parser)]
struct Options {
    /// The deferd to measure; built from this workspace if nothing is said
    #[arg(long)]
    deferd: Option<PathBuf>,
    /// How long each run is measured
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Before that: probes find their pace
    #[arg(long, default_value_t = 2)]
    settle: u32,
    /// How often each state has its turn with each workload
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Three rounds of a few seconds, to see that all parts work
    #[arg(long)]
    quick: bool,
    /// Another watcher to run in deferd's place, as a command; {pid} in it is the process
    #[arg(long)]
    beside: Option<String>,
}

fn main() -> ExitCode {
    match Options::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            println!("\nprobe_harm: {failure}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// Whether there were probes to measure.
    fn run(mut self) -> Result<bool, Failure> {
        if self.quick {
            self.rounds = self.rounds.min(3);
            (self.seconds, self.settle) = (self.seconds.min(3), self.settle.min(2));
        }
        let deferd = self.deferd.clone().unwrap_or_else(|| deferd_integration::deferd::binary().to_path_buf());
        if !deferd.is_file() {
            return Err(format!("no deferd at {}", deferd.display()).into());
        }
        let setup = Setup { deferd, beside: self.beside.clone(), seconds: self.seconds, settle: self.settle };
        println!("{}; Go {}; {} rounds of {} s\n", machine::describe(), newest().version, self.rounds, self.seconds);
        let (mut probed, mut watched) = (0, 0);
        for workload in Workload::ALL {
            let mut table = Table::default();
            for round in 0..self.rounds {
                let mut figures = Vec::new();
                for state in self.states(round) {
                    let (measured, recording) = setup.measure(workload, state)?;
                    figures.push((state, measured));
                    if state == State::Watched {
                        watched += 1;
                        probed +=
                            usize::from([REGISTRATIONS, OVERHEAD].iter().any(|metric| recording.of(metric).next().is_some()));
                    }
                }
                table.add(figures);
            }
            println!("{}\n\n{table}", workload.description());
        }
        if probed < watched {
            println!(
                "{} reported neither {REGISTRATIONS} nor {OVERHEAD} in {} of {watched} runs in which it watched: it has no probes, or could \
                 not place them. What stands above is the cost of snapshots alone.",
                setup.deferd.display(),
                watched - probed
            );
        }
        Ok(probed == watched)
    }

    /// The states in the order of this round.
    fn states(&self, round: usize) -> Vec<State> {
        let mut states = State::ALL.to_vec();
        states.retain(|state| *state != State::Beside || self.beside.is_some());
        let first = round % states.len().max(1);
        states.rotate_left(first);
        states
    }
}
