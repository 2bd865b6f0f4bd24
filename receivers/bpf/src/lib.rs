//! Probes in live processes: the BPF programs of the godefer receiver, and how they are loaded and attached.
//!
//! `aya` loads the object and reads its maps. It does not know links that place many breakpoints at once for one process
//! (`BPF_TRACE_UPROBE_MULTI`) before its version 0.15, which needs a newer compiler than this project's; without them removing a
//! hundred breakpoints takes twelve seconds instead of thirty milliseconds, and placing one needs `CAP_SYS_ADMIN`. So the programs
//! that are attached so are relocated here, with `aya-obj` over the maps of `aya`, and handed to the kernel by `sys`, the only
//! `unsafe` code of the project. When `aya` can be had in a version that does it, `sys` and `object` go and [`Probes`] stays.
//!
//! What this crate does not know is Go: where breakpoints may stand and what addresses mean is for its user.

mod error;
pub mod keeper;
mod link;
mod object;
mod probes;
#[expect(unsafe_code, reason = "the system call itself; see the module")]
mod sys;
mod wire;

pub use aya::maps::MapError;
pub use error::{LoadError, PlaceError};
pub use link::Link;
pub use probes::{Events, Place, Probes};
pub use wire::{BUCKETS, Event, MAX_SLOTS, Offsets, OpenFile, PanicCount, PanicRecord, Role, Settings, Site, Stage, Text, Usage};
