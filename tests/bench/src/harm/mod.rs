//! Probes in a process that works hard and checks itself, placed and removed without end, by agents that are killed, with too few
//! rights.
//!
//! The target is the Go program `churn`: a breakpoint that moves, stays, or is hit in a state in which it must not be, shows in it as
//! a wrong result, a crash or a standstill. That breakpoints are gone is read from its memory, not taken from the kernel's answer.

mod churn;
mod cycles;
mod holder;
mod keeper;
mod kills;
mod naive;
mod places;
mod rights;
mod spread;

pub use churn::{Account, Churn};
pub use cycles::{Cycles, attach_and_detach};
pub use holder::{Agent, hold};
pub use keeper::keep;
pub use kills::{Kills, LIMIT, kill_holders};
pub use naive::count_naively;
pub use places::{Bytes, Link, Places};
pub use rights::{RIGHTS, Rights, TARGETS, Verdict, World};
pub use spread::Spread;

/// Whether probes can be placed here; else what is missing. Anything else than a missing right or kernel is an error.
pub fn load() -> Result<Result<deferd_bpf::Probes, String>, crate::Failure> {
    use deferd_bpf::LoadError;
    // The programs compare process ids, and those of a nested namespace need a step that only the service takes.
    if !is_outermost_namespace() {
        return Ok(Err("this is not the outermost pid namespace".to_owned()));
    }
    match deferd_bpf::Probes::load() {
        Ok(probes) => Ok(Ok(probes)),
        Err(error @ (LoadError::Denied { .. } | LoadError::NoMultiLinks(_) | LoadError::NoKernelTypes(_))) => {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// `PROC_PID_INIT_INO` of `<linux/proc_ns.h>` is its number on every machine.
fn is_outermost_namespace() -> bool {
    std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == "pid:[4026531836]")
}
