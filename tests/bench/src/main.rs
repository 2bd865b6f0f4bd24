//! Prints the table of what deferd costs; see the README.
#![expect(clippy::print_stdout, reason = "the table is the purpose")]

mod service;
mod walker;

use deferd_bench::{Failure, machine};

fn main() -> Result<(), Failure> {
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
