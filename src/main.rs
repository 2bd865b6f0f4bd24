//! The deferd binary: this distribution's components, and nothing else.
//!
//! Another distribution is a `main` like this one with another list.

use std::process::ExitCode;

fn main() -> ExitCode {
    deferd::run(deferd::components)
}
