//! What deferd is not: one breakpoint at the beginning of `deferproc`, hit by each defer, on an instruction that the kernel does not
//! emulate but executes by itself, step by step.

use std::io::Read as _;

use deferd_bpf::{Place, Role, Settings};
use deferd_goproc::target::Target;

use crate::Failure;

/// What registers a defer.
const REGISTER: [&str; 2] = ["runtime.deferproc", "runtime.deferprocStack"];

/// Counts the defers of process `pid` so until standard input closes, and says how many there were.
pub fn count_naively(pid: u32) -> Result<u64, Failure> {
    let mut probes = super::load()??;
    let target = Target::attach(pid)?;
    let points = target.image().probe_points(&REGISTER).into_iter().flatten();
    let places: Vec<Place> =
        points.map(|point| Place { role: Role::Return, file_offset: point.file_offset - point.offset }).collect();
    if places.is_empty() {
        return Err("the program registers no defers".into());
    }
    let all = Settings { pid, sample_mask: u32::MAX, return_limit: u64::MAX, ..Settings::default() };
    probes.set_target(0, &all)?;
    let link = probes.place(0, pid, format!("/proc/{pid}/exe").as_ref(), &places)?;
    // Nothing is ever written there.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(link);
    Ok(probes.usage(0)?.returns)
}
