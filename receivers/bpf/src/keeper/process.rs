//! Starting the keeper, and seeing it off.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{Shutdown, shutdown};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{Client, sockets};

/// How long it is waited for at the end. Longer than a few removals take; it ends by itself also if nobody waits.
const FAREWELL: Duration = Duration::from_secs(5);

/// The running keeper. It removes everything and ends when this is dropped, which waits for it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// The client's.
    socket: OwnedFd,
}

/// Starts a process that runs [`super::serve`] on its standard input.
pub fn start(mut command: Command) -> io::Result<(Running, Arc<Client>)> {
    let (ours, theirs) = sockets()?;
    let socket = ours.try_clone()?;
    // A group of its own: what ends the agent's group is not for it.
    let child = command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).process_group(0).spawn()?;
    // With it goes our copy of the keeper's end: when the keeper is gone, we are to notice.
    drop(command);
    let client = Client::of(child.id(), ours);
    Ok((Running { child, socket }, Arc::new(client)))
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn wait(&mut self) -> io::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        let ended = pidfd_open(pid, PidfdFlags::empty())?;
        let time = Timespec::try_from(FAREWELL).map_err(|_| io::ErrorKind::InvalidInput)?;
        poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&time))?;
        self.child.try_wait().map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The client may live longer.
        let _ = shutdown(&self.socket, Shutdown::Both);
        // It is not killed if it takes longer: that is what must not happen to it.
        let _ = self.wait();
    }
}
