//! Whether parts that are each valid fit together.

use std::collections::BTreeSet;

use deferd_component::{ComponentId, Kind, PipelineId};

use super::{Spec, SpecError};
use crate::metrics::component_path;

impl Spec {
    /// Everything that does not fit together: signals a component cannot do, connectors used on one side only, cycles.
    /// References to components that do not exist are the configuration's own check.
    pub fn check(&self) -> Vec<SpecError> {
        let mut errors = self.check_signals();
        errors.extend(self.check_connectors());
        if errors.is_empty() {
            errors.extend(self.find_cycle());
        }
        errors
    }

    fn check_signals(&self) -> Vec<SpecError> {
        let mut errors = Vec::new();
        for (pipeline, parts) in &self.pipelines {
            let signal = pipeline.signal();
            let unsupported = |kind: Kind, id: &ComponentId, place: &str| SpecError {
                path: component_path(kind, id),
                message: format!(
                    "failed to create \"{id}\" {}{place} for data type \"{signal}\": telemetry type is not supported",
                    kind.as_str()
                ),
            };
            for id in &parts.receivers {
                if self.receivers.get(id).is_some_and(|part| !part.entry.metadata.signals.contains(&signal)) {
                    errors.push(unsupported(Kind::Receiver, id, ""));
                }
            }
            for id in &parts.processors {
                if self.processors.get(id).is_some_and(|part| !part.entry.metadata.signals.contains(&signal)) {
                    errors.push(unsupported(Kind::Processor, id, &format!(", in pipeline \"{pipeline}\",")));
                }
            }
            for id in &parts.exporters {
                if self.exporters.get(id).is_some_and(|part| !part.entry.metadata.signals.contains(&signal)) {
                    errors.push(unsupported(Kind::Exporter, id, ""));
                }
            }
        }
        errors
    }

    fn check_connectors(&self) -> Vec<SpecError> {
        let mut errors = Vec::new();
        for (id, part) in &self.connectors {
            let mut half_used = |used: &str, missing: &str, users: Vec<&PipelineId>, others: Vec<&PipelineId>, forward: bool| {
                let fits = |user: &PipelineId, other: &PipelineId| {
                    let (from, to) = if forward { (user, other) } else { (other, user) };
                    (part.entry.connects)(from.signal(), to.signal())
                };
                let lonely: Vec<String> =
                    users.iter().filter(|user| !others.iter().any(|other| fits(user, other))).map(ToString::to_string).collect();
                if !lonely.is_empty() {
                    let message = format!(
                        "connector \"{id}\" used as {used} in [{}] pipeline but not used in any supported {missing} pipeline",
                        lonely.join(" ")
                    );
                    errors.push(SpecError { path: component_path(Kind::Connector, id), message });
                }
            };
            let feeding: Vec<_> = self.pipelines.iter().filter(|(_, p)| p.exporters.contains(id)).map(|(id, _)| id).collect();
            let fed: Vec<_> = self.pipelines.iter().filter(|(_, p)| p.receivers.contains(id)).map(|(id, _)| id).collect();
            half_used("exporter", "receiver", feeding.clone(), fed.clone(), true);
            half_used("receiver", "exporter", fed, feeding, false);
        }
        errors
    }

    /// A cycle of connectors would carry data round for ever.
    fn find_cycle(&self) -> Option<SpecError> {
        let mut finished = BTreeSet::new();
        for pipeline in self.pipelines.keys() {
            let mut path = Vec::new();
            if self.search_cycle(pipeline, &mut path, &mut finished) {
                let names: Vec<_> = path.iter().map(|(id, from, to)| format!("connector \"{id}\" ({from} to {to})")).collect();
                let first = path.first().map(|(id, _, _)| component_path(Kind::Connector, id)).unwrap_or_default();
                return Some(SpecError { path: first, message: format!("cycle detected: {}", names.join(" -> ")) });
            }
        }
        None
    }

    fn search_cycle(
        &self,
        pipeline: &PipelineId,
        path: &mut Vec<(ComponentId, PipelineId, PipelineId)>,
        finished: &mut BTreeSet<PipelineId>,
    ) -> bool {
        if let Some(start) = path.iter().position(|(_, from, _)| from == pipeline) {
            path.drain(..start);
            return true;
        }
        if finished.contains(pipeline) {
            return false;
        }
        for (id, to) in self.successors(pipeline) {
            path.push((id, pipeline.clone(), to.clone()));
            if self.search_cycle(&to, path, finished) {
                return true;
            }
            path.pop();
        }
        finished.insert(pipeline.clone());
        false
    }

    /// The pipelines that a pipeline feeds, with the connector between.
    pub(crate) fn successors(&self, pipeline: &PipelineId) -> Vec<(ComponentId, PipelineId)> {
        let Some(parts) = self.pipelines.get(pipeline) else { return Vec::new() };
        let connectors = parts.exporters.iter().filter_map(|id| Some((id, self.connectors.get(id)?)));
        connectors
            .flat_map(|(id, part)| {
                let fed = self.pipelines.iter().filter(move |(to, parts)| {
                    parts.receivers.contains(id) && (part.entry.connects)(pipeline.signal(), to.signal())
                });
                fed.map(move |(to, _)| (id.clone(), to.clone()))
            })
            .collect()
    }

    /// Whether data that enters `pipeline` can reach an exporter whose result the sender waits for.
    pub(crate) fn waits(&self, pipeline: &PipelineId, is_waiting: &dyn Fn(&ComponentId) -> bool) -> bool {
        let Some(parts) = self.pipelines.get(pipeline) else { return false };
        parts.exporters.iter().any(is_waiting) || self.successors(pipeline).iter().any(|(_, next)| self.waits(next, is_waiting))
    }
}
