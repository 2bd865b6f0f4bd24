//! Contracts between components and the engine.
//!
//! A component author needs this crate alone: the traits ([`Receiver`], [`Processor`], [`Exporter`]) with their factories,
//! the data that flows ([`Batch`], [`Out`], [`Ack`]), what a component is given when it is built ([`BuildContext`]), and the
//! [`Registry`] it is listed in. Nothing here schedules, queues or reloads: that is the engine's, and components never depend
//! on it.

mod ack;
pub mod alert;
mod batch;
mod build;
mod exporter;
mod held;
mod metadata;
mod out;
mod outcome;
mod processor;
mod queue;
mod receiver;
mod registry;
mod sockets;
mod stop;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trend;

pub use ack::{Ack, AckWaiter};
pub use batch::{Batch, MergeError};
pub use build::{BuildContext, BuildError};
pub use deferd_config::{ComponentId, Document, Issues, Kind, PipelineId, Problem, Signal, Validate};
pub use exporter::{ExportError, Exporter, ExporterFactory};
pub use held::Held;
pub use metadata::{Metadata, Stability};
pub use out::{Emitted, Out};
pub use outcome::{DropReason, Outcome, Refusal, RefusalKind, Refused};
pub use processor::{Connector, ConnectorFactory, Farewell, Processor, ProcessorFactory};
pub use queue::{ExporterSettings, NotYet, QueueSettings, RetrySettings, Sizer};
pub use receiver::{Ingress, IngressSink, Receiver, ReceiverFactory};
pub use registry::{
    AnyConfig, AnyState, ConnectorEntry, DynExporter, DynReceiver, ExporterEntry, ProcessorEntry, ReceiverEntry, Registry,
};
pub use sockets::{Claims, Listener, SocketError, Sockets};
pub use stop::{Stop, Stopper};
