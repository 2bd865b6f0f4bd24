//! From a checked document to a specification: every configured component is decoded by its own type.

use std::collections::BTreeMap;

use deferd_component::{AnyConfig, ComponentId, Document, Kind, Problem, Registry};
use deferd_config::Node;

use super::{Part, PipelineParts, Spec, SpecError};

impl Spec {
    /// Decodes every configured component, used or not, and checks that they fit together. Returns every problem there is: of all
    /// components, and, if those are sound, of the whole.
    pub fn read(registry: &Registry, document: &Document) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut reader = Reader { registry, document, problems: &mut problems };
        let spec = Self {
            receivers: reader.parts(Kind::Receiver, |types, name| types.find_receiver(name).cloned()),
            processors: reader.parts(Kind::Processor, |types, name| types.find_processor(name).cloned()),
            connectors: reader.parts(Kind::Connector, |types, name| types.find_connector(name).cloned()),
            exporters: reader.parts(Kind::Exporter, |types, name| types.find_exporter(name).cloned()),
            pipelines: pipelines(document),
            drain_timeout: document.service().shutdown_timeout.get(),
        };
        reader.extensions();
        if problems.is_empty() {
            problems.extend(spec.check().into_iter().map(|error| located(document, &error)));
        }
        if problems.is_empty() { Ok(spec) } else { Err(problems) }
    }
}

struct Reader<'a> {
    registry: &'a Registry,
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn parts<E>(&mut self, kind: Kind, find: impl Fn(&Registry, &str) -> Option<E>) -> BTreeMap<ComponentId, Part<E>> {
        let mut parts = BTreeMap::new();
        for id in self.document.ids(kind) {
            let Some(entry) = find(self.registry, id.type_()) else {
                self.unknown(kind, &id);
                continue;
            };
            match self.decode(kind, &id) {
                Ok((config, raw)) => drop(parts.insert(id, Part { entry, config, raw })),
                Err(found) => self.problems.extend(found),
            }
        }
        parts
    }

    fn decode(&self, kind: Kind, id: &ComponentId) -> Result<(AnyConfig, Node), Vec<Problem>> {
        let missing = || vec![Problem::new(None, format!("{}::{id}", kind.section()), "is not configured")];
        let decode = self.registry.decoder(kind, id.type_()).ok_or_else(missing)?;
        let raw = self.document.raw(kind, id).ok_or_else(missing)?;
        Ok((decode(self.document, kind, id)?, raw.clone()))
    }

    fn unknown(&mut self, kind: Kind, id: &ComponentId) {
        let known: Vec<&str> = self.registry.types(kind).iter().map(|metadata| metadata.component_type).collect();
        self.problems.push(self.document.unknown_type(kind, id, &known));
    }

    /// There are no extension types yet, so every configured one is unknown.
    fn extensions(&mut self) {
        for id in self.document.ids(Kind::Extension) {
            self.unknown(Kind::Extension, &id);
        }
    }
}

fn pipelines(document: &Document) -> BTreeMap<deferd_component::PipelineId, PipelineParts> {
    let parts = |pipeline: &deferd_config::PipelineSpec| PipelineParts {
        receivers: pipeline.receivers.clone(),
        processors: pipeline.processors.clone(),
        exporters: pipeline.exporters.clone(),
    };
    document.pipelines().iter().map(|pipeline| (pipeline.id.clone(), parts(pipeline))).collect()
}

/// Gives an error of the whole the place of the key at fault.
fn located(document: &Document, error: &SpecError) -> Problem {
    let (node, _) = document.root().walk(error.path.split("::"));
    Problem::new(Some(node.origin.clone()), error.path.clone(), error.to_string())
}
