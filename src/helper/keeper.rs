//! The process that holds the breakpoints, so that none is left when the service is killed: this binary with the hidden subcommand
//! `probe-keeper`, without any right. Why and how: [`deferd_receivers::godefer::keeper`].

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;

use deferd_receivers::godefer::keeper::{Client, Running, outlive_signals, serve, start};
use rustix::thread::CapabilitySet;

use super::rights;
use crate::exit::Exit;
use crate::terminal::complain;

/// The hidden subcommand.
const SUBCOMMAND: &str = "probe-keeper";

/// Starts it. To be called while a program that is executed may still have rights: a file to which some were given cannot be
/// executed once they are gone for good.
pub(crate) fn start_keeper() -> io::Result<(Running, Arc<Client>)> {
    // This very program, also when its file was replaced since.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("deferd").arg(SUBCOMMAND);
    start(command)
}

/// The life of the keeper: its standard input is the socket.
pub(crate) fn run_keeper() -> Exit {
    let _ = rustix::thread::set_name(c"deferd-keeper");
    // A service manager ends all processes of a service at once. This one ends when the service has.
    outlive_signals();
    if let Err(error) = rights::give_up_all_but(CapabilitySet::empty()) {
        complain(format_args!("{SUBCOMMAND}: {error}"));
        return Exit::Failed;
    }
    match serve(std::io::stdin().as_fd()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(format_args!("{SUBCOMMAND}: {error}; it is started by the service and by nobody else"));
            Exit::Failed
        }
    }
}
