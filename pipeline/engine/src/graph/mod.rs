//! The snapshot of stages: what data passes through between a receiver and the queues.

mod run;

use std::collections::BTreeMap;
use std::sync::Arc;

use deferd_component::telemetry::Telemetry;
use deferd_component::{ComponentId, Connector, PipelineId, Processor, Signal};

use crate::metrics::{ReceiverCounters, StageCounters};
use crate::pressure::Pressure;
use crate::queue::Sender;

pub(crate) use run::{Delivery, Run, Stalled};

/// The identity of a processor instance: one per pipeline.
pub(crate) type ProcessorKey = (PipelineId, ComponentId);
/// The identity of a connector instance: one per pair of signals.
pub(crate) type ConnectorKey = (Signal, Signal, ComponentId);

/// Everything between receivers and queues under one configuration. Immutable; replaced as a whole.
pub(crate) struct Graph {
    entries: BTreeMap<ComponentId, Entry>,
    pipelines: Vec<Pipeline>,
    telemetry: Arc<Telemetry>,
}

/// Where one receiver's data goes, per signal.
#[derive(Default)]
pub(crate) struct Entry {
    signals: [Option<SignalEntry>; 4],
}

/// Where one receiver's data of one signal goes.
pub(crate) struct SignalEntry {
    pub(crate) pipelines: Vec<usize>,
    pub(crate) counters: ReceiverCounters,
    /// Whether some exporter behind it wants the sender to wait for the result.
    pub(crate) waits: bool,
}

/// One pipeline: its processors in order, then the places where its data leaves.
pub(crate) struct Pipeline {
    pub(crate) id: PipelineId,
    pub(crate) stages: Vec<Stage>,
    pub(crate) queues: Arc<[Sender]>,
    pub(crate) connectors: Vec<Exit>,
    /// Shared by all snapshots that have this pipeline.
    pub(crate) pressure: Arc<Pressure>,
    /// Those of the pipelines that its connectors feed, and so on.
    pub(crate) downstream: Vec<Arc<Pressure>>,
}

/// A processor at its place in a pipeline.
pub(crate) struct Stage {
    pub(crate) path: String,
    pub(crate) id: ComponentId,
    pub(crate) processor: Arc<dyn Processor>,
    pub(crate) counters: StageCounters,
}

/// A connector seen from the pipeline whose exporter it is.
pub(crate) struct Exit {
    pub(crate) path: String,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) to: Vec<usize>,
    pub(crate) counters: StageCounters,
}

impl Graph {
    pub(crate) const fn new(entries: BTreeMap<ComponentId, Entry>, pipelines: Vec<Pipeline>, telemetry: Arc<Telemetry>) -> Self {
        Self { entries, pipelines, telemetry }
    }

    /// A graph through which nothing can flow.
    pub(crate) const fn empty(telemetry: Arc<Telemetry>) -> Self {
        Self::new(BTreeMap::new(), Vec::new(), telemetry)
    }

    pub(crate) fn has_receiver(&self, id: &ComponentId) -> bool {
        self.entries.contains_key(id)
    }

    pub(crate) fn entry(&self, receiver: &ComponentId, signal: Signal) -> Option<&SignalEntry> {
        self.entries.get(receiver)?.get(signal)
    }

    pub(crate) fn pipelines(&self) -> impl Iterator<Item = (usize, &Pipeline)> {
        self.pipelines.iter().enumerate()
    }

    /// Where a batch that stalled in `origin` belongs in this graph: the same stage of the same pipeline, or the pipeline's end if
    /// that stage is gone. `None` if the pipeline is.
    pub(crate) fn find_stage(&self, origin: &Self, stalled: &Stalled) -> Option<(usize, usize)> {
        let old = origin.pipeline(stalled.pipeline)?;
        let refused_by = old.stages.get(stalled.stage).map(|stage| &stage.id);
        let (index, pipeline) = self.pipelines().find(|(_, pipeline)| pipeline.id == old.id)?;
        let position = pipeline.stages.iter().position(|stage| Some(&stage.id) == refused_by);
        Some((index, position.unwrap_or(pipeline.stages.len())))
    }

    pub(crate) fn pipeline(&self, index: usize) -> Option<&Pipeline> {
        self.pipelines.get(index)
    }
}

impl Pipeline {
    /// Whether new data must be refused: what it would become waits already, here or further down.
    pub(crate) fn is_full(&self) -> bool {
        self.pressures().any(|pressure| pressure.is_high())
    }

    /// Whether accepted data waits, here or further down.
    pub(crate) fn is_waiting(&self) -> bool {
        self.pressures().any(|pressure| pressure.is_any())
    }

    fn pressures(&self) -> impl Iterator<Item = &Arc<Pressure>> {
        std::iter::once(&self.pressure).chain(&self.downstream)
    }
}

impl Entry {
    pub(crate) fn set(&mut self, signal: Signal, entry: SignalEntry) {
        if let Some(slot) = self.signals.get_mut(signal as usize) {
            *slot = Some(entry);
        }
    }

    fn get(&self, signal: Signal) -> Option<&SignalEntry> {
        self.signals.get(signal as usize)?.as_ref()
    }
}
