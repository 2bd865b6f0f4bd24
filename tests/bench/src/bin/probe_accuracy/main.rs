//! Compares what deferd reports about registrations with what the program `rates` counts itself, over a matrix of rates, shapes and
//! Go versions, and prints a table.
//!
//! It ends with 1 if nothing was reported, if fewer than 95 in 100 stated intervals hold the truth, or if a promise was broken.
#![expect(clippy::print_stdout, reason = "the table is the purpose")]

mod case;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use deferd_bench::{Failure, machine};

use case::{Case, Plan};

/// Compares reported rates of registrations with the truth.
#[derive(Debug, Parser)]
struct Options {
    /// The deferd to measure; built from this workspace if nothing is said
    #[arg(long)]
    deferd: Option<PathBuf>,
    /// How long each run is compared
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Before that: probes find their pace
    #[arg(long, default_value_t = 3)]
    settle: u32,
    /// A few runs of a few seconds, to see that all parts work
    #[arg(long)]
    quick: bool,
    /// Registrations a second; 0 is as many as can be
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 0])]
    rates: Vec<u64>,
    /// Registrations per call
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100])]
    per_call: Vec<u32>,
    /// Goroutines that share the rate
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8])]
    goroutines: Vec<u32>,
    /// steady, bursty, or endless
    #[arg(long, value_delimiter = ',', default_values = ["steady", "bursty"])]
    shapes: Vec<String>,
    /// noalloc, closure, or stack
    #[arg(long, value_delimiter = ',', default_values = ["noalloc"])]
    kinds: Vec<String>,
    /// Minors of Go, such as 21,27; the oldest, one in the middle and the newest if nothing is said
    #[arg(long, value_delimiter = ',')]
    versions: Vec<u8>,
}

fn main() -> ExitCode {
    match Options::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            println!("\nprobe_accuracy: {failure}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// Whether all was well.
    fn run(mut self) -> Result<bool, Failure> {
        if self.quick {
            self.rates = vec![1_000, 1_000_000, 0];
            (self.per_call, self.goroutines) = (vec![10], vec![1]);
            (self.seconds, self.settle) = (self.seconds.min(5), self.settle.min(2));
        }
        let deferd = self.deferd.clone().unwrap_or_else(|| deferd_integration::deferd::binary().to_path_buf());
        if !deferd.is_file() {
            return Err(format!("no deferd at {}", deferd.display()).into());
        }
        let plan = Plan { deferd, seconds: self.seconds, settle: self.settle };
        let cases = self.cases();
        println!("{}; {} runs of {} s each\n", machine::describe(), cases.len(), self.seconds);
        println!("{}", table::HEAD);
        let mut sum = table::Sum::default();
        for case in cases {
            let verdict = case.run(&plan)?;
            println!("{}", table::row(&case, &verdict));
            sum.add(&verdict);
        }
        println!("\n{sum}");
        Ok(sum.is_good())
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for toolchain in case::toolchains(&self.versions, self.quick) {
            for (kind, shape) in self.kinds.iter().flat_map(|kind| self.shapes.iter().map(move |shape| (kind, shape))) {
                for (&rate, &per_call) in
                    self.rates.iter().flat_map(|rate| self.per_call.iter().map(move |number| (rate, number)))
                {
                    for &goroutines in &self.goroutines {
                        let (kind, shape) = (kind.clone(), shape.clone());
                        cases.push(Case { toolchain, kind, shape, rate, per_call, goroutines });
                    }
                }
            }
        }
        cases.retain(|case| case.is_possible(self.seconds + self.settle));
        cases
    }
}
