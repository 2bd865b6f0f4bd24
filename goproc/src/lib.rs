//! A live Go process seen from outside.
//!
//! [`image`] is what the executable file alone says: the Go version, the
//! functions with their files and lines, and where the runtime keeps its
//! global variables. It knows nothing of a process.
//!
//! [`panic`] says what the value of a panic means, of which a probe copied a
//! few bytes.
//! [`helper`] lets a process without rights look at others all the same.
//!
//! [`target`] is a running process: who it is, and that it still is. It puts
//! [`memory`], [`layout`] and [`walk`] together into a [`snapshot`].

pub mod helper;
pub mod image;
pub mod layout;
pub mod memory;
pub mod panic;
pub mod snapshot;
pub mod target;
pub mod walk;
