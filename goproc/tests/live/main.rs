//! Real Go programs, running, looked at from outside and asked what the truth is.

#[path = "../support/mod.rs"]
mod support;

mod exact;
mod identity;
mod moving;
mod program;
