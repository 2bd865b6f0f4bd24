//! Least privilege: a helper keeps the rights to look at other processes, and the service gives all of its own up.
//!
//! A process of its own because capabilities that a process can raise again are not given up. It is this binary with the hidden
//! subcommand `target-helper`: single-threaded, with two capabilities, answering a few fixed requests over a socket pair
//! ([`deferd_goproc::helper`]) until the service is gone.
//!
//! Another process holds the breakpoints of probes, which is not about rights: it has none (`keeper`).
//!
//! Without capabilities, and without those that the helper needs, nothing of this happens and the service goes on with what it has.

mod keeper;
mod rights;
mod spawn;

use std::os::fd::AsFd as _;

use crate::exit::Exit;
use crate::terminal::complain;

pub(crate) use keeper::{run_keeper, start_keeper};
pub(crate) use spawn::{Helper, separate};

/// The life of the helper: its standard input is the socket.
pub(crate) fn run() -> Exit {
    // Else it would be called what was executed, `exe`.
    let _ = rustix::thread::set_name(c"deferd-helper");
    // A service manager ends all processes of a service at once, and the service still looks while it drains.
    deferd_receivers::godefer::keeper::outlive_signals();
    if let Err(error) = rights::keep_what_looking_needs() {
        complain(format_args!("target-helper: {error}"));
        return Exit::Failed;
    }
    match deferd_goproc::helper::serve(std::io::stdin().as_fd()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(format_args!("target-helper: {error}; it is started by the service and by nobody else"));
            Exit::Failed
        }
    }
}
