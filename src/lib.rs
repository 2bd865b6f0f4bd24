//! deferd as a library: what a distribution needs to be a `main` of a few lines.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     deferd::run(|registry| {
//!         deferd::components(registry);
//!         // mine::register(registry);
//!     })
//! }
//! ```

mod cli;
mod components;
mod exit;
mod helper;
mod service;
mod terminal;
mod units;

use std::process::ExitCode;

use deferd_component::Registry;

pub use components::components;

/// Runs the command line of a distribution that has the components `register` lists, to the end of the process's life.
///
/// Reads the process's arguments and environment, and is the only caller that does. The code to end with is the caller's to
/// return; `deferd --help` documents the codes.
pub fn run(register: impl FnOnce(&mut Registry)) -> ExitCode {
    let mut registry = Registry::default();
    register(&mut registry);
    cli::run(&registry, std::env::args_os()).into()
}
