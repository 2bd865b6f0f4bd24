//! Processors and connectors: synchronous, shared, between receivers and exporters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Batch, BuildContext, BuildError, Metadata, Out, Refused, Signal, Validate};

/// Changes, splits, holds, routes or drops batches.
///
/// Called from many tasks at once, on the sender's own task: no I/O, no waiting, no spawning. What must outlive a
/// configuration change lives in the factory's `State`; what a lookup needs is in a cache that somebody else refreshes.
pub trait Processor: Send + Sync + 'static {
    /// Handles one batch. What is neither emitted nor dropped through `out` counts as held in the state.
    ///
    /// An error hands the batch back ([`Batch::refuse`]): its sender keeps it and may send it again.
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>>;

    /// How often [`Self::tick`] is wanted; `None` for never. The engine rounds up to its own resolution of 10 ms.
    fn tick_interval(&self) -> Option<Duration> {
        None
    }

    /// Emits what was held long enough. Results go through the rest of the chain as those of [`Self::process`] do.
    fn tick(&self, _now: Instant, _out: &mut Out) {}
}

/// Makes processors of one type.
pub trait ProcessorFactory: 'static {
    /// The keys a user writes.
    type Config: DeserializeOwned + Default + Clone + JsonSchema + Validate + Send + Sync + 'static;
    /// What survives a configuration change. Holds no configuration; owned by the engine, one per (pipeline, id).
    type State: Default + Send + Sync + 'static;
    /// What is built.
    type Processor: Processor;

    /// The fixed facts.
    const METADATA: Metadata;

    /// Makes a processor over its state. Never spawns, so that a plan that fails later leaves nothing running.
    fn build(config: Self::Config, state: Arc<Self::State>, context: &BuildContext) -> Result<Self::Processor, BuildError>;

    /// Emits everything still held. Called when the processor's key disappears from the configuration, and at shutdown, each time
    /// perhaps repeatedly, until nothing comes out.
    fn drain(_state: &Self::State, _why: Farewell, _out: &mut Out) {}
}

/// Why a processor's state is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The configuration does not know the processor any more; the service goes on without it.
    Removed,
    /// The service ends. What it said last may be true for whoever comes after it.
    Shutdown,
}

/// An exporter of one pipeline that is the receiver of others.
pub trait Connector: Send + Sync + 'static {
    /// Takes one batch of the signal it was built from and emits batches of the signal it was built for.
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>>;
}

/// Makes connectors of one type.
pub trait ConnectorFactory: 'static {
    /// The keys a user writes.
    type Config: DeserializeOwned + Default + Clone + JsonSchema + Validate + Send + Sync + 'static;
    /// What survives a configuration change; owned by the engine, one per (from, to, id).
    type State: Default + Send + Sync + 'static;
    /// What is built.
    type Connector: Connector;

    /// The fixed facts; `signals` lists what it can take.
    const METADATA: Metadata;

    /// Whether it can turn `from` into `to`.
    fn connects(from: Signal, to: Signal) -> bool;

    /// Makes a connector over its state. Never spawns.
    fn build(config: Self::Config, state: Arc<Self::State>, context: &BuildContext) -> Result<Self::Connector, BuildError>;
}
