//! Exporters: where data leaves, each behind its own bounded queue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Batch, BuildContext, BuildError, ExporterSettings, Metadata, Stop, Validate};

/// Why an export did not succeed, or not for all items, and whether repeating it can help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The destination may take the same data later.
    #[error("{message}")]
    Retryable {
        /// What went wrong, for the log.
        message: String,
        /// How long the destination asked to be left alone.
        after: Option<Duration>,
    },
    /// The destination has taken the batch without some of its items, which it will never take. Nothing is to be repeated.
    #[error("{message}")]
    Partial {
        /// How many of the batch's items were not taken.
        rejected: usize,
        /// Why, for the log.
        message: String,
    },
    /// The destination will never take this data.
    #[error("{message}")]
    Permanent {
        /// What went wrong, for the log.
        message: String,
    },
}

impl ExportError {
    /// A failure that may pass.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::Retryable { message: message.into(), after: None }
    }

    /// A failure that stays.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Permanent { message: message.into() }
    }
}

/// Delivers batches. The engine queues, limits concurrency, times out and retries; an exporter only delivers.
pub trait Exporter: Send + Sync + 'static {
    /// Delivers one batch, or says why not. May be cancelled at any await point (timeout, drain deadline).
    fn export(&self, batch: &Batch) -> impl Future<Output = Result<(), ExportError>> + Send;

    /// Work beside exporting, such as serving a scrape endpoint. Runs until `stop`; the default has none.
    fn run(&self, stop: Stop) -> impl Future<Output = ()> + Send {
        async move { stop.wait().await }
    }
}

/// Makes exporters of one type.
pub trait ExporterFactory: 'static {
    /// The keys a user writes.
    type Config: DeserializeOwned + Default + Clone + JsonSchema + Validate + Send + Sync + 'static;
    /// What survives a configuration change; owned by the engine, one per (signal, id).
    type State: Default + Send + Sync + 'static;
    /// What is built.
    type Exporter: Exporter;

    /// The fixed facts.
    const METADATA: Metadata;

    /// Queue, retry and timeout of an exporter so configured.
    fn settings(config: &Self::Config) -> ExporterSettings;

    /// Makes an exporter over its state and acquires everything that can fail. Never spawns.
    fn build(config: Self::Config, state: Arc<Self::State>, context: &BuildContext) -> Result<Self::Exporter, BuildError>;
}
