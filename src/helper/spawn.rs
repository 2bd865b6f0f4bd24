//! Starting the helper, and giving up the service's own rights.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use deferd_goproc::helper::{Client, sockets};
use deferd_goproc::target::{Opener as _, open_through};
use rustix::thread::CapabilitySet;

use super::rights;

/// The hidden subcommand.
const SUBCOMMAND: &str = "target-helper";

/// Who has which rights from now on.
#[derive(Debug)]
pub(crate) enum Helper {
    /// The helper has two, this process none. It ends with this value.
    Separate(Running),
    /// As it was: there is nothing to give up, or it was asked to keep it.
    Unchanged,
    /// This process keeps what it has, because the helper would lack what it needs.
    TooFew,
    /// This process keeps what it has, because there is no helper, for this reason.
    Failed(io::Error),
}

/// The running helper.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the helper and gives up all capabilities of this process. `before_drop` is called in between, with all rights, in any
/// case: for what can only be acquired with them. To be called before the first thread is started. An error means that it is not
/// known which rights are left, so that there is no reason to go on.
pub(crate) fn separate(keep: bool, before_drop: impl FnOnce()) -> io::Result<Helper> {
    let permitted = rights::permitted()?;
    let helper = match rights::needed_of(permitted) {
        _ if keep || permitted.is_empty() => Helper::Unchanged,
        None => Helper::TooFew,
        Some(needed) => match start(needed) {
            Ok((running, client)) => {
                before_drop();
                rights::give_up_all_but(CapabilitySet::empty())?;
                open_through(Arc::new(client));
                return Ok(Helper::Separate(running));
            }
            Err(error) => Helper::Failed(error),
        },
    };
    before_drop();
    Ok(helper)
}

fn start(needed: CapabilitySet) -> io::Result<(Running, Client)> {
    let (ours, theirs) = sockets()?;
    rights::hand_down(needed)?;
    // This very program, also when its file was replaced since.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("deferd").arg(SUBCOMMAND).stdin(Stdio::from(theirs)).stdout(Stdio::null());
    // A group of its own: Ctrl-C is for the service, which still looks while it drains.
    let running = Running(command.process_group(0).spawn()?);
    // With it goes our copy of the helper's end: when the helper is gone, we are to notice.
    drop(command);
    let client = Client::new(ours, Client::PATIENCE);
    // The first answer says that it is up and has its rights.
    client.open(std::process::id())?;
    Ok((running, client))
}
