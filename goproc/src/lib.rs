//! A live Go process seen from outside.
//!
//! [`image`] is what the executable file alone says: the Go version, the
//! functions with their files and lines, and where the runtime keeps its
//! global variables. It knows nothing of a process.

pub mod image;
