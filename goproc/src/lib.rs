//! A live Go process seen from outside.

pub mod layout;
pub mod memory;
pub mod snapshot;
pub mod target;
pub mod walk;
