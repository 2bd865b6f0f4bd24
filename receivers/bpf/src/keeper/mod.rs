//! A process that holds the breakpoints, so that they go whatever becomes of the agent.
//!
//! The kernel removes what a killed process had placed, but not if it was placing or removing when it was killed: it fetches pages
//! of the target on behalf of that process, which is refused to one that was sent SIGKILL. A byte of a breakpoint that nobody listens
//! to is left then. So [`serve`] does all placing and removing, in a process that nobody has a reason to kill, over a socket of the
//! kind `SOCK_SEQPACKET`; [`Client`] is the agent's end. When that end is closed, in whatever way, all breakpoints are removed.
//!
//! The keeper needs no right: it is given the loaded programs and, with each request, the open executable. It knows neither Go nor
//! the maps; whoever holds the socket can have these programs, and no others, run at places of files that it can open.

mod client;
mod process;
mod serve;
mod wire;

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

pub use crate::sys::outlive_signals;
pub use client::{Client, Removal};
pub use process::{Running, start};
pub use serve::serve;

pub(crate) use wire::{MAX_PLACES, Order};

/// The two ends: for [`Client::new`] and [`serve`]. Closed on exec, both.
pub fn sockets() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}
