//! The binary as users run it: arguments, files, ports, signals, exit codes.
#![cfg(test)]

mod arguments;
mod demo;
mod life;
mod reload;
mod snapshot;
mod support;
mod validate;
