//! `deferd snapshot PID`: one look at a Go process, for people or for programs.

pub(super) mod json;
pub(super) mod table;

#[cfg(test)]
mod tests;

use deferd_goproc::snapshot::{Snapshot, SnapshotOptions};
use deferd_goproc::target::{AttachError, ProcessInfo, SnapshotError, Target};
use deferd_goproc::walk::WalkError;

use super::arguments::SnapshotArguments;
use crate::exit::Exit;
use crate::terminal;

/// Shows what the process defers, or says in one line why that cannot be told.
pub(crate) fn run(arguments: &SnapshotArguments) -> Exit {
    match look(arguments.pid) {
        Ok((process, snapshot)) => {
            let shown = if arguments.json { json::text(&process, &snapshot) } else { table::text(&process, &snapshot) };
            terminal::show_result(&shown)
        }
        Err(refusal) => {
            terminal::complain(&refusal);
            refusal.exit()
        }
    }
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Attach(#[from] AttachError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl Refusal {
    /// The documented exit code of a reason.
    fn exit(&self) -> Exit {
        match self {
            Self::Attach(error) => not_attached(error),
            Self::Snapshot(SnapshotError::Over { .. }) => Exit::Gone,
            Self::Snapshot(SnapshotError::Walk { reason: WalkError::Memory(_), .. }) => Exit::Refused,
            Self::Snapshot(SnapshotError::Walk { .. }) => Exit::Unsupported,
        }
    }
}

/// The documented exit code where a process cannot be attached to.
pub(super) fn not_attached(error: &AttachError) -> Exit {
    match error {
        AttachError::Gone { .. } => Exit::Gone,
        AttachError::Denied { .. } | AttachError::Unreadable { .. } | AttachError::System { .. } => Exit::Refused,
        // Not up yet, or not what a Go program has in its memory.
        _ => Exit::Unsupported,
    }
}

fn look(pid: u32) -> Result<(ProcessInfo, Snapshot), Refusal> {
    let mut target = Target::attach(pid)?;
    let snapshot = target.snapshot(&SnapshotOptions::default())?;
    Ok((target.process().clone(), snapshot))
}
