//! Building what a plan needs, and putting the graph together. Everything that can fail is here; nothing is committed here.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use deferd_component::{AnyState, BuildContext, BuildError, Claims, ComponentId, DynReceiver, Kind, PipelineId, Signal};

use super::{ConnectorInstance, Drainable, Engine, ProcessorInstance, ReloadError};
use crate::exporter::{self, ExporterKey, ExporterSlot};
use crate::graph::{ConnectorKey, Entry, Exit, Graph, Pipeline, ProcessorKey, SignalEntry, Stage};
use crate::metrics::{ReceiverCounters, StageCounters, component_path};
use crate::plan::{self, Plan};
use crate::pressure::Pressure;
use crate::queue::Sender;
use crate::spec::Spec;

/// Everything new that a plan needs, built and not yet in use. Dropping it undoes it.
pub(super) struct Staged {
    pub(super) claims: Arc<Claims>,
    pub(super) processors: BTreeMap<ProcessorKey, ProcessorInstance>,
    pub(super) connectors: BTreeMap<ConnectorKey, ConnectorInstance>,
    pub(super) replaced: Vec<(ExporterKey, Arc<exporter::Instance>)>,
    pub(super) added: BTreeMap<ExporterKey, ExporterSlot>,
    pub(super) receivers: Vec<StagedReceiver>,
}

pub(super) type StagedReceiver = (ComponentId, Box<dyn DynReceiver>, AnyState);

impl Engine {
    /// Builds what `plan` says is new or changed.
    pub(super) fn stage(&self, spec: &Spec, plan: &Plan) -> Result<Staged, ReloadError> {
        let builder = Builder { engine: self, spec, claims: Arc::new(self.claims.carry_over(kept_owners(plan))) };
        let (replaced, added) = builder.exporters(plan)?;
        Ok(Staged {
            processors: builder.processors(plan)?,
            connectors: builder.connectors(plan)?,
            replaced,
            added,
            receivers: builder.receivers(plan)?,
            claims: builder.claims,
        })
    }

    /// The graph of `spec`, from instances that are kept and instances that were staged.
    pub(super) fn assemble(&self, spec: &Spec, staged: &Staged, pressures: &BTreeMap<PipelineId, Arc<Pressure>>) -> Graph {
        Assembly { engine: self, spec, staged, pressures }.graph()
    }
}

/// Whose sockets stay claimed: components that are not rebuilt.
fn kept_owners(plan: &Plan) -> impl Fn(&str) -> bool {
    let receivers = plan.receivers.kept.iter().map(|id| component_path(Kind::Receiver, id));
    let exporters = plan.exporters.kept.iter().map(|(_, id)| component_path(Kind::Exporter, id));
    let kept: Vec<String> = receivers.chain(exporters).collect();
    move |owner| kept.iter().any(|kept| kept == owner)
}

struct Builder<'a> {
    engine: &'a Engine,
    spec: &'a Spec,
    claims: Arc<Claims>,
}

type Exporters = (Vec<(ExporterKey, Arc<exporter::Instance>)>, BTreeMap<ExporterKey, ExporterSlot>);

impl Builder<'_> {
    fn context(&self, kind: Kind, id: &ComponentId, signals: Vec<Signal>, pipeline: Option<&PipelineId>) -> BuildContext {
        BuildContext {
            kind,
            id: id.clone(),
            signals,
            pipeline: pipeline.cloned(),
            telemetry: Arc::clone(&self.engine.core.telemetry),
            health: Arc::clone(&self.engine.core.health),
            sockets: Arc::clone(&self.claims),
        }
    }

    fn processors(&self, plan: &Plan) -> Result<BTreeMap<ProcessorKey, ProcessorInstance>, ReloadError> {
        let mut built = BTreeMap::new();
        for key in plan.processors.to_build() {
            let (pipeline, id) = key;
            let Some(part) = self.spec.processors.get(id) else { continue };
            let context = self.context(Kind::Processor, id, vec![pipeline.signal()], Some(pipeline));
            let running = self.engine.processors.get(key).map(|instance| Arc::clone(&instance.held.state));
            let state = running.unwrap_or_else(part.entry.new_state);
            let component = contained(&context, || (part.entry.build)(&part.config, &state, &context))?;
            let held = Drainable { state, drain: part.entry.drain };
            built.insert(key.clone(), ProcessorInstance { component, held });
        }
        Ok(built)
    }

    fn connectors(&self, plan: &Plan) -> Result<BTreeMap<ConnectorKey, ConnectorInstance>, ReloadError> {
        let mut built = BTreeMap::new();
        for key in plan.connectors.to_build() {
            let (from, to, id) = key;
            let Some(part) = self.spec.connectors.get(id) else { continue };
            let context = self.context(Kind::Connector, id, vec![*from, *to], None);
            let running = self.engine.connectors.get(key).map(|instance| Arc::clone(&instance.state));
            let state = running.unwrap_or_else(part.entry.new_state);
            let component = contained(&context, || (part.entry.build)(&part.config, &state, &context))?;
            built.insert(key.clone(), ConnectorInstance { component, state });
        }
        Ok(built)
    }

    fn exporters(&self, plan: &Plan) -> Result<Exporters, ReloadError> {
        let (mut replaced, mut added) = (Vec::new(), BTreeMap::new());
        for key in plan.exporters.to_build() {
            let (signal, id) = key;
            let Some(part) = self.spec.exporters.get(id) else { continue };
            let context = self.context(Kind::Exporter, id, vec![*signal], None);
            let running = self.engine.exporters.get(key);
            let state = running.map_or_else(part.entry.new_state, |slot| Arc::clone(slot.state()));
            let instance = contained(&context, || {
                let settings = (part.entry.settings)(&part.config)?;
                Ok(exporter::Instance::new((part.entry.build)(&part.config, &state, &context)?, settings))
            })?;
            if running.is_some() {
                replaced.push((key.clone(), instance));
            } else {
                let core = &self.engine.core;
                added.insert(key.clone(), ExporterSlot::new(key, instance, state, &core.telemetry, &core.health));
            }
        }
        Ok((replaced, added))
    }

    fn receivers(&self, plan: &Plan) -> Result<Vec<StagedReceiver>, ReloadError> {
        let used = plan::receivers(self.spec);
        let mut built = Vec::new();
        for id in plan.receivers.to_build() {
            let (Some(part), Some((_, signals))) = (self.spec.receivers.get(id), used.get(id)) else { continue };
            let context = self.context(Kind::Receiver, id, signals.iter().copied().collect(), None);
            let state = self.engine.receivers.state(id).unwrap_or_else(part.entry.new_state);
            let receiver = contained(&context, || (part.entry.build)(&part.config, &state, &context))?;
            built.push((id.clone(), receiver, state));
        }
        Ok(built)
    }
}

/// Builds a component. One that panics refuses the plan as one that fails does; what runs is not touched.
fn contained<T>(context: &BuildContext, build: impl FnOnce() -> Result<T, BuildError>) -> Result<T, ReloadError> {
    let panicked = |_| Err(BuildError::Unavailable("the component panicked while it was built".to_owned()));
    let result = std::panic::catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(panicked);
    result.map_err(|source| ReloadError::Build { path: context.path(), source })
}

struct Assembly<'a> {
    engine: &'a Engine,
    spec: &'a Spec,
    staged: &'a Staged,
    pressures: &'a BTreeMap<PipelineId, Arc<Pressure>>,
}

impl Assembly<'_> {
    fn graph(&self) -> Graph {
        let index: BTreeMap<&PipelineId, usize> = self.spec.pipelines.keys().enumerate().map(|(index, id)| (id, index)).collect();
        let pipelines = self.spec.pipelines.keys().map(|id| self.pipeline(id, &index)).collect();
        Graph::new(self.entries(&index), pipelines, Arc::clone(&self.engine.core.telemetry))
    }

    fn entries(&self, index: &BTreeMap<&PipelineId, usize>) -> BTreeMap<ComponentId, Entry> {
        let mut entries: BTreeMap<ComponentId, Entry> = BTreeMap::new();
        for (receiver, (_, signals)) in plan::receivers(self.spec) {
            let entry = entries.entry(receiver.clone()).or_default();
            for signal in signals {
                let feeds = |(id, parts): &(&PipelineId, &crate::spec::PipelineParts)| {
                    id.signal() == signal && parts.receivers.contains(&receiver)
                };
                let fed: Vec<&PipelineId> = self.spec.pipelines.iter().filter(feeds).map(|(id, _)| id).collect();
                let waits = fed.iter().any(|id| self.spec.waits(id, &|id| self.is_waiting(id)));
                let pipelines = fed.iter().filter_map(|id| index.get(id).copied()).collect();
                let counters = ReceiverCounters::new(&self.engine.core.telemetry, &receiver, signal);
                entry.set(signal, SignalEntry { pipelines, counters, waits });
            }
        }
        entries
    }

    fn is_waiting(&self, id: &ComponentId) -> bool {
        let settings = self.spec.exporters.get(id).and_then(|part| (part.entry.settings)(&part.config).ok());
        settings.is_some_and(|settings| settings.queue.waits_for_result())
    }

    fn pipeline(&self, id: &PipelineId, index: &BTreeMap<&PipelineId, usize>) -> Pipeline {
        let parts = self.spec.pipelines.get(id).cloned().unwrap_or_default();
        let queues: Vec<Sender> =
            parts.exporters.iter().filter_map(|exporter| self.sender(&(id.signal(), exporter.clone()))).collect();
        Pipeline {
            id: id.clone(),
            stages: parts.processors.iter().filter_map(|processor| self.stage(id, processor)).collect(),
            queues: queues.into(),
            connectors: self.exits(id, index),
            pressure: self.pressures.get(id).map(Arc::clone).unwrap_or_default(),
            downstream: self.downstream(id).iter().filter_map(|id| self.pressures.get(id)).map(Arc::clone).collect(),
        }
    }

    /// The pipelines that data of this one can reach through connectors.
    fn downstream(&self, id: &PipelineId) -> BTreeSet<PipelineId> {
        let mut reached = BTreeSet::new();
        for (_, next) in self.spec.successors(id) {
            if !reached.contains(&next) {
                reached.extend(self.downstream(&next));
                reached.insert(next);
            }
        }
        reached
    }

    fn stage(&self, pipeline: &PipelineId, id: &ComponentId) -> Option<Stage> {
        let key = (pipeline.clone(), id.clone());
        let instance = self.staged.processors.get(&key).or_else(|| self.engine.processors.get(&key))?;
        Some(Stage {
            path: component_path(Kind::Processor, id),
            id: id.clone(),
            processor: Arc::clone(&instance.component),
            counters: StageCounters::processor(&self.engine.core.telemetry, id, pipeline.signal()),
        })
    }

    fn sender(&self, key: &ExporterKey) -> Option<Sender> {
        self.staged.added.get(key).or_else(|| self.engine.exporters.get(key)).map(ExporterSlot::sender)
    }

    /// One exit per connector instance, that is per signal it turns this pipeline's data into.
    fn exits(&self, from: &PipelineId, index: &BTreeMap<&PipelineId, usize>) -> Vec<Exit> {
        let mut targets: BTreeMap<ConnectorKey, Vec<usize>> = BTreeMap::new();
        for (id, to) in self.spec.successors(from) {
            let key = (from.signal(), to.signal(), id);
            targets.entry(key).or_default().extend(index.get(&to).copied());
        }
        targets
            .into_iter()
            .filter_map(|(key, to)| {
                let instance = self.staged.connectors.get(&key).or_else(|| self.engine.connectors.get(&key))?;
                let counters = StageCounters::connector(&self.engine.core.telemetry, &key.2, from.signal());
                let path = component_path(Kind::Connector, &key.2);
                Some(Exit { path, connector: Arc::clone(&instance.component), to, counters })
            })
            .collect()
    }
}
