//! The process that holds breakpoints: that of the service.

use std::process::Command;

use deferd_bpf::Probes;
use deferd_bpf::keeper::{Running, start};
use deferd_integration::deferd;

use crate::Failure;

/// Has the keeper of the built service place and remove from now on. It ends with what is returned.
///
/// # Panics
/// If the service cannot be built.
pub fn keep(probes: &mut Probes) -> Result<Running, Failure> {
    let mut command = Command::new(deferd::binary());
    command.arg("probe-keeper");
    let (running, client) = start(command)?;
    probes.place_through(client)?;
    Ok(running)
}
