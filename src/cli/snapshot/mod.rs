//! `deferd snapshot PID`: one look at a Go process, for people or for programs.

mod json;
mod table;

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
            Self::Attach(AttachError::Gone { .. }) | Self::Snapshot(SnapshotError::Over { .. }) => Exit::Gone,
            Self::Attach(AttachError::Denied { .. } | AttachError::System { .. })
            | Self::Snapshot(SnapshotError::Walk { reason: WalkError::Memory(_), .. }) => Exit::Refused,
            // Not up yet, or not what a Go program has in its memory.
            Self::Attach(_) | Self::Snapshot(SnapshotError::Walk { .. }) => Exit::Unsupported,
        }
    }
}

fn look(pid: u32) -> Result<(ProcessInfo, Snapshot), Refusal> {
    let mut target = Target::attach(pid)?;
    let snapshot = target.snapshot(&SnapshotOptions::default())?;
    Ok((target.process().clone(), snapshot))
}
