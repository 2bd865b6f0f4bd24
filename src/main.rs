//! The deferd binary: this distribution's components, and nothing else.
//!
//! Another distribution is a `main` like this one with another list.

use std::process::ExitCode;

/// Small batches come and go on two threads; glibc's allocator would keep several times the memory in its arenas.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    deferd::run(deferd::components)
}
