//! The explicit list of what a distribution can do.
//!
//! A typed factory is erased here, once: everything behind the function pointers below knows its own configuration and state,
//! nothing in front of them does. Registration is a line of code, not link-time magic, because a forgotten crate would then be a
//! silently empty registry.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use deferd_config::Node;

use crate::{
    Batch, BuildContext, BuildError, ComponentId, Connector, ConnectorFactory, Document, ExportError, Exporter, ExporterFactory,
    ExporterSettings, Farewell, Ingress, Kind, Metadata, Out, Problem, Processor, ProcessorFactory, Receiver, ReceiverFactory,
    Signal, Stop,
};

/// A decoded, validated configuration of a type that only its factory knows.
pub type AnyConfig = Arc<dyn Any + Send + Sync>;
/// A component's state, likewise.
pub type AnyState = Arc<dyn Any + Send + Sync>;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// Shows a body without its secrets.
type Show = fn(&Node) -> serde_json::Value;
type Decode = fn(&Document, Kind, &ComponentId) -> Result<AnyConfig, Vec<Problem>>;
/// Configuration and state must be of the entry that holds the pointer.
type Build<T> = fn(&AnyConfig, &AnyState, &BuildContext) -> Result<T, BuildError>;

/// An [`Exporter`] behind a pointer.
pub trait DynExporter: Send + Sync + 'static {
    /// See [`Exporter::export`].
    fn export<'a>(&'a self, batch: &'a Batch) -> Boxed<'a, Result<(), ExportError>>;
    /// See [`Exporter::run`].
    fn run(&self, stop: Stop) -> Boxed<'_, ()>;
}

impl<E: Exporter> DynExporter for E {
    fn export<'a>(&'a self, batch: &'a Batch) -> Boxed<'a, Result<(), ExportError>> {
        Box::pin(Exporter::export(self, batch))
    }

    fn run(&self, stop: Stop) -> Boxed<'_, ()> {
        Box::pin(Exporter::run(self, stop))
    }
}

/// A [`Receiver`] behind a pointer.
pub trait DynReceiver: Send + 'static {
    /// See [`Receiver::run`].
    fn run(self: Box<Self>, ingress: Ingress, stop: Stop) -> Boxed<'static, ()>;
}

impl<R: Receiver> DynReceiver for R {
    fn run(self: Box<Self>, ingress: Ingress, stop: Stop) -> Boxed<'static, ()> {
        Box::pin(Receiver::run(*self, ingress, stop))
    }
}

/// A receiver type.
#[derive(Debug, Clone)]
pub struct ReceiverEntry {
    /// Its fixed facts.
    pub metadata: Metadata,
    /// Decodes a configuration.
    pub decode: Decode,
    /// Makes an empty state.
    pub new_state: fn() -> AnyState,
    /// Builds an instance.
    pub build: Build<Box<dyn DynReceiver>>,
}

/// A processor type.
#[derive(Debug, Clone)]
pub struct ProcessorEntry {
    /// Its fixed facts.
    pub metadata: Metadata,
    /// Decodes a configuration.
    pub decode: Decode,
    /// Makes an empty state.
    pub new_state: fn() -> AnyState,
    /// Builds an instance.
    pub build: Build<Arc<dyn Processor>>,
    /// Emits what the state still holds.
    pub drain: fn(&AnyState, Farewell, &mut Out),
}

/// A connector type.
#[derive(Debug, Clone)]
pub struct ConnectorEntry {
    /// Its fixed facts.
    pub metadata: Metadata,
    /// Decodes a configuration.
    pub decode: Decode,
    /// Whether it can turn one signal into another.
    pub connects: fn(Signal, Signal) -> bool,
    /// Makes an empty state.
    pub new_state: fn() -> AnyState,
    /// Builds an instance.
    pub build: Build<Arc<dyn Connector>>,
}

/// An exporter type.
#[derive(Debug, Clone)]
pub struct ExporterEntry {
    /// Its fixed facts.
    pub metadata: Metadata,
    /// Decodes a configuration.
    pub decode: Decode,
    /// Makes an empty state.
    pub new_state: fn() -> AnyState,
    /// Queue, retry and timeout of a configuration of this entry.
    pub settings: fn(&AnyConfig) -> Result<ExporterSettings, BuildError>,
    /// Builds an instance.
    pub build: Build<Arc<dyn DynExporter>>,
}

/// Every component type of a distribution, by kind and type.
#[derive(Debug, Default)]
pub struct Registry {
    receivers: BTreeMap<&'static str, ReceiverEntry>,
    processors: BTreeMap<&'static str, ProcessorEntry>,
    connectors: BTreeMap<&'static str, ConnectorEntry>,
    exporters: BTreeMap<&'static str, ExporterEntry>,
    shows: BTreeMap<(Kind, &'static str), Show>,
}

impl Registry {
    /// Lists a receiver type; a type listed before is replaced.
    pub fn receiver<F: ReceiverFactory>(&mut self) -> &mut Self {
        let entry = ReceiverEntry {
            metadata: F::METADATA,
            decode: decode::<F::Config>,
            new_state: new_state::<F::State>,
            build: |config, state, context| {
                Ok(Box::new(F::build(config_of::<F::Config>(config)?, state_of(state)?, context)?) as Box<dyn DynReceiver>)
            },
        };
        self.receivers.insert(F::METADATA.component_type, entry);
        self.shows.insert((Kind::Receiver, F::METADATA.component_type), deferd_config::shown::<F::Config>);
        self
    }

    /// Lists a processor type; a type listed before is replaced.
    pub fn processor<F: ProcessorFactory>(&mut self) -> &mut Self {
        let entry = ProcessorEntry {
            metadata: F::METADATA,
            decode: decode::<F::Config>,
            new_state: new_state::<F::State>,
            build: |config, state, context| {
                Ok(Arc::new(F::build(config_of::<F::Config>(config)?, state_of(state)?, context)?) as Arc<dyn Processor>)
            },
            drain: |state, why, out| {
                if let Some(state) = state.downcast_ref::<F::State>() {
                    F::drain(state, why, out);
                }
            },
        };
        self.processors.insert(F::METADATA.component_type, entry);
        self.shows.insert((Kind::Processor, F::METADATA.component_type), deferd_config::shown::<F::Config>);
        self
    }

    /// Lists a connector type; a type listed before is replaced.
    pub fn connector<F: ConnectorFactory>(&mut self) -> &mut Self {
        let entry = ConnectorEntry {
            metadata: F::METADATA,
            decode: decode::<F::Config>,
            connects: F::connects,
            new_state: new_state::<F::State>,
            build: |config, state, context| {
                Ok(Arc::new(F::build(config_of::<F::Config>(config)?, state_of(state)?, context)?) as Arc<dyn Connector>)
            },
        };
        self.connectors.insert(F::METADATA.component_type, entry);
        self.shows.insert((Kind::Connector, F::METADATA.component_type), deferd_config::shown::<F::Config>);
        self
    }

    /// Lists an exporter type; a type listed before is replaced.
    pub fn exporter<F: ExporterFactory>(&mut self) -> &mut Self {
        self.exporter_alias::<F>(F::METADATA.component_type)
    }

    /// Lists an exporter type under another name: the Collector has renamed some, and both names are in use.
    pub fn exporter_alias<F: ExporterFactory>(&mut self, name: &'static str) -> &mut Self {
        let entry = ExporterEntry {
            metadata: Metadata { component_type: name, ..F::METADATA },
            decode: decode::<F::Config>,
            new_state: new_state::<F::State>,
            settings: |config| config.downcast_ref::<F::Config>().map(F::settings).ok_or_else(foreign),
            build: |config, state, context| {
                Ok(Arc::new(F::build(config_of::<F::Config>(config)?, state_of(state)?, context)?) as Arc<dyn DynExporter>)
            },
        };
        self.exporters.insert(name, entry);
        self.shows.insert((Kind::Exporter, name), deferd_config::shown::<F::Config>);
        self
    }

    /// The receiver type of that name.
    pub fn find_receiver(&self, component_type: &str) -> Option<&ReceiverEntry> {
        self.receivers.get(component_type)
    }

    /// The processor type of that name.
    pub fn find_processor(&self, component_type: &str) -> Option<&ProcessorEntry> {
        self.processors.get(component_type)
    }

    /// The connector type of that name.
    pub fn find_connector(&self, component_type: &str) -> Option<&ConnectorEntry> {
        self.connectors.get(component_type)
    }

    /// The exporter type of that name.
    pub fn find_exporter(&self, component_type: &str) -> Option<&ExporterEntry> {
        self.exporters.get(component_type)
    }

    /// The facts of every type of a kind, by name.
    pub fn types(&self, kind: Kind) -> Vec<Metadata> {
        match kind {
            Kind::Receiver => self.receivers.values().map(|entry| entry.metadata).collect(),
            Kind::Processor => self.processors.values().map(|entry| entry.metadata).collect(),
            Kind::Connector => self.connectors.values().map(|entry| entry.metadata).collect(),
            Kind::Exporter => self.exporters.values().map(|entry| entry.metadata).collect(),
            Kind::Extension => Vec::new(),
        }
    }

    /// How a type of a kind decodes its configuration, if the type is known.
    pub fn decoder(&self, kind: Kind, component_type: &str) -> Option<Decode> {
        match kind {
            Kind::Receiver => self.receivers.get(component_type).map(|entry| entry.decode),
            Kind::Processor => self.processors.get(component_type).map(|entry| entry.decode),
            Kind::Connector => self.connectors.get(component_type).map(|entry| entry.decode),
            Kind::Exporter => self.exporters.get(component_type).map(|entry| entry.decode),
            Kind::Extension => None,
        }
    }

    /// How a body of a type of a kind is shown without its secrets, if the type is known.
    pub fn shower(&self, kind: Kind, component_type: &str) -> Option<Show> {
        self.shows.get(&(kind, component_type)).copied()
    }
}

fn decode<C>(document: &Document, kind: Kind, id: &ComponentId) -> Result<AnyConfig, Vec<Problem>>
where
    C: serde::de::DeserializeOwned + Default + schemars::JsonSchema + crate::Validate + Send + Sync + 'static,
{
    Ok(Arc::new(document.decode::<C>(kind, id)?))
}

fn new_state<S: Default + Send + Sync + 'static>() -> AnyState {
    Arc::new(S::default())
}

fn config_of<C: Clone + 'static>(config: &AnyConfig) -> Result<C, BuildError> {
    config.downcast_ref::<C>().cloned().ok_or_else(foreign)
}

fn state_of<S: Send + Sync + 'static>(state: &AnyState) -> Result<Arc<S>, BuildError> {
    Arc::clone(state).downcast::<S>().map_err(|_| foreign())
}

/// Only a defect of the engine (mixing up entries) can cause this; it is an error and not a panic all the same.
fn foreign() -> BuildError {
    BuildError::Unavailable("configuration or state belongs to another component type".to_owned())
}
