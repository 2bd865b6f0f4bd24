//! Reload: a pure plan, everything that can fail, then one store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use deferd_component::Kind;
use tokio::time::Instant;

use super::assemble::Staged;
use super::drain::Removed;
use super::{Engine, ReloadError, ReloadReport};
use crate::core::Stages;
use crate::graph::Graph;
use crate::metrics::component_path;
use crate::plan::{self, Plan};
use crate::spec::Spec;

impl Engine {
    /// Puts another configuration in place. On an error nothing has changed. Returns at once: what was removed drains in the
    /// background until the drain deadline.
    pub fn reload(&mut self, spec: Spec) -> Result<ReloadReport, ReloadError> {
        let errors = spec.check();
        if !errors.is_empty() {
            return Err(ReloadError::Spec(errors));
        }
        let plan = Plan::between(&self.spec, &spec);
        let staged = self.stage(&spec, &plan)?;
        let known = |id| self.pressures.get(id).map(Arc::clone).unwrap_or_default();
        let pressures: BTreeMap<_, _> = spec.pipelines.keys().map(|id| (id.clone(), known(id))).collect();
        let graph = self.assemble(&spec, &staged, &pressures);
        self.pressures = pressures;
        self.commit(spec, &plan, staged, graph);
        Ok(ReloadReport { plan })
    }

    /// Cannot fail: everything that could is in `staged`.
    fn commit(&mut self, spec: Spec, plan: &Plan, staged: Staged, graph: Graph) {
        self.spec = spec;
        self.claims = staged.claims;
        // Before anything new runs: only what is listed can be degraded.
        self.show_health();
        for (key, instance) in staged.replaced {
            if let Some(slot) = self.exporters.get(&key) {
                slot.replace(instance, &self.exporter_tasks);
            }
        }
        for (key, mut slot) in staged.added {
            slot.start(&self.exporter_tasks);
            self.exporters.insert(key, slot);
        }
        let last = self.core.stages.load_full();
        self.receivers.prepare_end(plan.receivers.removed.iter().chain(&plan.receivers.changed), &last);
        drop(last);
        let old = self.core.stages.swap(Stages::new(graph));
        let removed = self.take_removed(plan);
        self.processors.extend(staged.processors);
        self.connectors.extend(staged.connectors);
        self.ticker.changed.notify_one();
        let deadline = Instant::now() + self.spec.drain_timeout;
        for receiver in staged.receivers {
            self.receivers.start(&self.core, receiver, deadline);
        }
        self.receivers.remove(&plan.receivers.removed, deadline);
        self.retire(old, removed);
    }

    /// Takes what the configuration does not know any more out of the engine, with what is needed to drain it.
    fn take_removed(&mut self, plan: &Plan) -> Removed {
        let mut removed = Removed::default();
        for key in &plan.processors.removed {
            if let Some(instance) = self.processors.remove(key) {
                removed.processors.insert(key.clone(), instance.held);
            }
        }
        for key in &plan.connectors.removed {
            self.connectors.remove(key);
        }
        removed.exporters = plan.exporters.removed.iter().filter_map(|key| self.exporters.remove(key)).collect();
        removed
    }

    fn show_health(&self) {
        let receivers = plan::receivers(&self.spec).into_keys().map(|id| component_path(Kind::Receiver, &id));
        let exporters = plan::exporters(&self.spec).into_keys().map(|(_, id)| component_path(Kind::Exporter, &id));
        let processors = plan::processors(&self.spec).into_keys().map(|(_, id)| component_path(Kind::Processor, &id));
        let connectors = plan::connectors(&self.spec).into_keys().map(|(_, _, id)| component_path(Kind::Connector, &id));
        let mut present: BTreeSet<String> = receivers.chain(exporters).chain(processors).chain(connectors).collect();
        present.insert("deferd".to_owned());
        for component in &present {
            self.core.health.register(component);
        }
        self.core.health.retain(&present);
    }
}
