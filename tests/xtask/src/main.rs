//! `cargo xtask`: what a developer and CI run, written in the language of the
//! project so that it needs no further tool.

mod bpf;
mod check;
mod ci;
mod fixtures;
mod terminal;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Developer tasks of deferd.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the BPF programs into the object that is committed; --check compares instead
    Bpf(bpf::Options),
    /// Check the structure of the source tree and print its size
    Check,
    /// Run every check and test as CI does, stopping at the first that fails
    Ci,
    /// Build the Go programs that tests watch, installing Go as needed
    Fixtures(fixtures::Selection),
}

/// Everything that ends a task early.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    #[error("bpf: {0}")]
    Bpf(#[from] bpf::Error),
    #[error(transparent)]
    Check(#[from] check::Error),
    #[error(transparent)]
    Ci(#[from] ci::Error),
    #[error(transparent)]
    Fixtures(#[from] deferd_fixtures::Error),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&format!("xtask: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<(), Error> {
    let root = workspace::root()?;
    match task {
        Task::Bpf(options) => bpf::run(&root, options)?,
        Task::Check => check::run(&root)?,
        Task::Ci => ci::run(&root)?,
        Task::Fixtures(selection) => fixtures::run(selection)?,
    }
    Ok(())
}
