//! A process that keeps the rights to look at others, so that the one that looks needs none.
//!
//! It opens and hands over; it interprets nothing. [`serve`] is all that it runs, single-threaded, over a socket of the kind
//! `SOCK_SEQPACKET`, until the other end is closed. [`Client`] is that other end. Requests are a few numbers, so that nothing
//! of them can be misread; whoever holds the socket can have the executable and the memory, for reading, of any process.

mod client;
mod serve;
mod wire;

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

pub use client::Client;
pub use serve::serve;

/// The two ends: for [`Client::new`] and [`serve`]. Closed on exec, both.
pub fn sockets() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}
