//! A decoded configuration in the form the engine works with.

mod check;
mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use deferd_component::{AnyConfig, ComponentId, ConnectorEntry, ExporterEntry, PipelineId, ProcessorEntry, ReceiverEntry};
use deferd_config::Node;

/// A configured component: its type, its decoded configuration, and the raw one, by which a change is noticed.
#[derive(Debug, Clone)]
pub struct Part<E> {
    /// What builds it.
    pub entry: E,
    /// Its decoded configuration.
    pub config: AnyConfig,
    /// What was configured. Compared instead of the decoded form, which knows no equality and which live components may hold.
    pub raw: Node,
}

/// The components of one pipeline, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineParts {
    /// Receivers, or connectors whose output it takes.
    pub receivers: Vec<ComponentId>,
    /// Processors, in the order in which data passes them.
    pub processors: Vec<ComponentId>,
    /// Exporters, or connectors that take its output.
    pub exporters: Vec<ComponentId>,
}

/// A whole configuration. Components that no pipeline names are in it but never built.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Receivers by id.
    pub receivers: BTreeMap<ComponentId, Part<ReceiverEntry>>,
    /// Processors by id.
    pub processors: BTreeMap<ComponentId, Part<ProcessorEntry>>,
    /// Connectors by id.
    pub connectors: BTreeMap<ComponentId, Part<ConnectorEntry>>,
    /// Exporters by id.
    pub exporters: BTreeMap<ComponentId, Part<ExporterEntry>>,
    /// Pipelines by id.
    pub pipelines: BTreeMap<PipelineId, PipelineParts>,
    /// How long draining may take: at shutdown, and for what a reload removed.
    pub drain_timeout: Duration,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            receivers: BTreeMap::new(),
            processors: BTreeMap::new(),
            connectors: BTreeMap::new(),
            exporters: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            drain_timeout: Duration::from_secs(20),
        }
    }
}

/// A configuration whose parts are each valid but do not fit together. `path` is the configuration key at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to build pipelines: {message}")]
pub struct SpecError {
    /// The key at fault, as in `connectors::forward`.
    pub path: String,
    /// What does not fit.
    pub message: String,
}

#[cfg(test)]
mod tests;
