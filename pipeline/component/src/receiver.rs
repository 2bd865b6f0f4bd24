//! Receivers: where data enters.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Batch, BuildContext, BuildError, Metadata, Refusal, Stop, Validate};

/// Brings data in until it is told to stop.
pub trait Receiver: Send + 'static {
    /// Runs until `stop`, then finishes what it has begun and returns. Owns and joins every task it spawns.
    fn run(self, ingress: Ingress, stop: Stop) -> impl Future<Output = ()> + Send;
}

/// Makes receivers of one type.
pub trait ReceiverFactory: 'static {
    /// The keys a user writes.
    type Config: DeserializeOwned + Default + Clone + JsonSchema + Validate + Send + Sync + 'static;
    /// What survives a configuration change; owned by the engine, one per id. When a receiver is rebuilt, the new one runs while
    /// the old one ends, so that a listener is never without somebody who accepts. State that two must not use at once belongs
    /// under a lock that a receiver holds for as long as it runs.
    type State: Default + Send + Sync + 'static;
    /// What is built.
    type Receiver: Receiver;

    /// The fixed facts.
    const METADATA: Metadata;

    /// Makes a receiver over its state and acquires everything that can fail: sockets, certificates, probes. Never spawns.
    fn build(config: Self::Config, state: Arc<Self::State>, context: &BuildContext) -> Result<Self::Receiver, BuildError>;
}

/// The way from a receiver into its pipelines. Follows every reload by itself.
#[derive(Clone)]
pub struct Ingress(Arc<dyn IngressSink>);

/// The engine's end of [`Ingress`].
pub trait IngressSink: Send + Sync + 'static {
    /// See [`Ingress::send`].
    fn send(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + '_>>;
}

impl Ingress {
    /// Wraps the engine's end.
    pub fn new(sink: Arc<dyn IngressSink>) -> Self {
        Self(sink)
    }

    /// Sends a batch through every pipeline that has this receiver for the batch's signal.
    ///
    /// `Ok` means accepted: the data is in bounded, accounted buffers (or, where an exporter has `wait_for_result`, delivered).
    /// An error means that nothing was enqueued anywhere and sending again cannot duplicate. Dropping the future before it is
    /// ready leaves the data either wholly taken or not taken.
    pub async fn send(&self, batch: Batch) -> Result<(), Refusal> {
        self.0.send(batch).await
    }
}

impl fmt::Debug for Ingress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ingress")
    }
}
