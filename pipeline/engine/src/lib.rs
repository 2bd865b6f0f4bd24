//! The pipeline engine.
//!
//! Push, synchronous in the middle, asynchronous at both ends: a receiver's task carries a batch through the processors behind
//! one [`arc_swap::ArcSwap`] snapshot, lets go of the snapshot, then reserves room in every exporter's queue and commits.
//! Queues, exporter instances and component states live outside the snapshot, so a reload swaps one pointer and nothing else
//! notices.

mod core;
mod deliver;
mod engine;
mod exporter;
mod graph;
mod metrics;
mod plan;
mod pressure;
mod queue;
mod spec;
mod tick;

pub use engine::{Engine, ReloadError, ReloadReport, StopReport};
pub use plan::{Changes, Names, Plan};
pub use spec::{Part, PipelineParts, Spec, SpecError};
