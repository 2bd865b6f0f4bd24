//! The binary as users run it: arguments, files, ports, signals, exit codes.
#![cfg(test)]

mod admin;
mod arguments;
mod broken;
mod demo;
mod life;
mod probe;
mod reload;
mod reload_command;
mod snapshot;
mod support;
mod validate;
mod watch;
