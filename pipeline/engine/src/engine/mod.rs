//! The running service: start, reload, stop.
//!
//! Starting is a reload from nothing, so there is one path to get right.

mod assemble;
mod drain;
mod receivers;
mod reload;

use std::collections::BTreeMap;
use std::sync::Arc;

use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{AnyState, BuildError, Claims, Connector, Farewell, Out, PipelineId, Processor, Sockets, Stopper};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::core::Core;
use crate::exporter::{ExporterKey, ExporterSlot};
use crate::graph::{ConnectorKey, ProcessorKey};
use crate::plan::Plan;
use crate::pressure::Pressure;
use crate::spec::{Spec, SpecError};
use crate::tick;

use self::receivers::Receivers;

/// A running pipeline service.
pub struct Engine {
    core: Arc<Core>,
    spec: Spec,
    claims: Arc<Claims>,
    processors: BTreeMap<ProcessorKey, ProcessorInstance>,
    connectors: BTreeMap<ConnectorKey, ConnectorInstance>,
    exporters: BTreeMap<ExporterKey, ExporterSlot>,
    receivers: Receivers,
    pressures: BTreeMap<PipelineId, Arc<Pressure>>,
    ticker: Ticker,
    /// Background work of exporters.
    exporter_tasks: TaskTracker,
    /// Tasks that drain what reloads removed.
    retiring: TaskTracker,
    /// Told when the last retirement has emptied the states it had to.
    last_drain: Option<oneshot::Receiver<()>>,
}

/// A built processor with the state it was built over.
struct ProcessorInstance {
    component: Arc<dyn Processor>,
    held: Drainable,
}

/// A state, and how what it holds is got out of it.
#[derive(Clone)]
struct Drainable {
    state: AnyState,
    drain: fn(&AnyState, Farewell, &mut Out),
}

/// A built connector with the state it was built over.
struct ConnectorInstance {
    component: Arc<dyn Connector>,
    state: AnyState,
}

struct Ticker {
    changed: Arc<Notify>,
    stopper: Stopper,
    task: JoinHandle<()>,
}

/// Why a configuration was not put in place. The one before runs on, untouched.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The parts do not fit together.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Spec(Vec<SpecError>),
    /// A component could not be built.
    #[error("{path}: {source}")]
    Build {
        /// The component, as in `exporters::prometheus`.
        path: String,
        /// Why.
        source: BuildError,
    },
}

/// What a reload did.
#[derive(Debug)]
pub struct ReloadReport {
    /// What was kept, changed, added, removed.
    pub plan: Plan,
}

/// How stopping went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopReport {
    /// Items that were accepted and still not delivered when the drain deadline passed; counted in `deferd_dropped_items`.
    pub undelivered: u64,
}

impl Engine {
    /// Starts a service with this configuration. Needs a Tokio runtime.
    pub fn start(spec: Spec, telemetry: Arc<Telemetry>, health: Arc<Health>, sockets: Arc<Sockets>) -> Result<Self, ReloadError> {
        let core = Core::new(telemetry, health);
        let ticker = Ticker::start(&core);
        let mut engine = Self {
            core,
            spec: Spec::default(),
            claims: Arc::new(Claims::new(sockets)),
            processors: BTreeMap::new(),
            connectors: BTreeMap::new(),
            exporters: BTreeMap::new(),
            receivers: Receivers::default(),
            pressures: BTreeMap::new(),
            ticker,
            exporter_tasks: TaskTracker::new(),
            retiring: TaskTracker::new(),
            last_drain: None,
        };
        match engine.reload(spec) {
            Ok(_) => Ok(engine),
            Err(error) => {
                engine.ticker.stopper.stop();
                Err(error)
            }
        }
    }

    /// The configuration in place.
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }
}

impl Ticker {
    fn start(core: &Arc<Core>) -> Self {
        let (changed, stopper) = (Arc::new(Notify::new()), Stopper::new());
        let task = tokio::spawn(tick::run(Arc::clone(core), Arc::clone(&changed), stopper.listener()));
        Self { changed, stopper, task }
    }
}
