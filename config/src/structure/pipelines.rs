//! Checks `service::pipelines` and everything that refers to a component.

use super::{Structure, go_name};
use crate::id::{ComponentId, Kind, PipelineId};
use crate::node::{Data, Entry, Node, Origin};
use crate::problem::{Problem, Warning, at};
use crate::service::PipelineSpec;

/// An id where it stands in a list.
pub(super) struct Reference {
    id: ComponentId,
    origin: Origin,
}

impl Structure {
    pub(super) fn pipelines(&mut self, service: &Node) {
        let pipelines = service.get("pipelines").filter(|pipelines| !pipelines.is_null());
        let Some(pipelines) = pipelines.filter(|pipelines| !pipelines.as_map().is_some_and(std::collections::BTreeMap::is_empty))
        else {
            self.problems.push(at(service, &["service", "pipelines"], "service must have at least one pipeline"));
            return;
        };
        if !self.is_map(pipelines, &["service", "pipelines"], "'service.pipelines'") {
            return;
        }
        let mut found: Vec<PipelineSpec> = Vec::new();
        for (key, entry) in pipelines.entries() {
            match key.parse::<PipelineId>() {
                Err(error) => {
                    let problem =
                        Problem::new(Some(entry.key_origin.clone()), format!("service::pipelines::{key}"), error.to_string());
                    let signal = key.split('/').next().unwrap_or_default();
                    self.problems.push(problem.with_allowed(signal, crate::id::Signal::ALL.iter().map(|signal| signal.as_str())));
                }
                Ok(id) if found.iter().any(|known| known.id == id) => {
                    let message = format!("duplicate name {key:?} after unmarshaling {id}");
                    self.problems.push(Problem::new(
                        Some(entry.key_origin.clone()),
                        format!("service::pipelines::{key}"),
                        message,
                    ));
                }
                Ok(id) => found.push(self.pipeline(id, key, entry)),
            }
        }
        self.pipelines = found;
    }

    fn pipeline(&mut self, id: PipelineId, key: &str, entry: &Entry) -> PipelineSpec {
        let mut spec = PipelineSpec {
            id,
            receivers: Vec::new(),
            processors: Vec::new(),
            exporters: Vec::new(),
            origin: entry.key_origin.clone(),
        };
        let path = ["service", "pipelines", key];
        let shown = format!("'service.pipelines[{key}]'");
        let nothing = Node::empty_map(entry.key_origin.clone());
        let node = if entry.value.is_null() { &nothing } else { &entry.value };
        if !self.is_map(node, &path, &shown) {
            return spec;
        }
        self.known_keys(node, &path, &shown, &["receivers", "processors", "exporters"]);
        let shown_path = path.join("::");
        for (kind, also, list) in [
            (Kind::Receiver, Some(Kind::Connector), &mut spec.receivers),
            (Kind::Processor, None, &mut spec.processors),
            (Kind::Exporter, Some(Kind::Connector), &mut spec.exporters),
        ] {
            let section = kind.section();
            let value = node.get(section);
            let ids = value.map(|value| {
                self.ids(value, &[path[0], path[1], path[2], section], &format!("'service.pipelines[{key}].{section}'"))
            });
            let empty = value.is_none_or(|value| value.is_null() || matches!(&value.data, Data::List(items) if items.is_empty()));
            if empty && kind != Kind::Processor {
                let message = format!("must have at least one {kind}");
                self.problems.push(Problem::new(Some(entry.key_origin.clone()), shown_path.clone(), message));
            }
            let homes: Vec<Kind> = [Some(kind), also].into_iter().flatten().collect();
            *list = self.references(ids.unwrap_or_default(), &shown_path, kind, &homes);
        }
        spec
    }

    /// Reads a list of ids. A text with commas is no list here, unlike elsewhere.
    pub(super) fn ids(&mut self, node: &Node, path: &[&str], shown: &str) -> Vec<Reference> {
        let items = match &node.data {
            Data::Null => return Vec::new(),
            Data::List(items) => items,
            other => {
                let got = go_name(other);
                let message = format!("{shown} source data must be an array or slice, got {got}");
                self.problems.push(at(node, path, message));
                return Vec::new();
            }
        };
        let mut ids = Vec::new();
        for item in items {
            let Some(text) = self.id_text(item, path) else {
                continue;
            };
            match text.parse::<ComponentId>() {
                Ok(id) => ids.push(Reference { id, origin: item.origin.clone() }),
                Err(error) => self.problems.push(at(item, path, error.to_string())),
            }
        }
        ids
    }

    fn id_text(&mut self, item: &Node, path: &[&str]) -> Option<String> {
        let text = item.raw.as_deref().or(item.as_str()).map(str::to_owned);
        if text.is_none() {
            let mut problem = at(item, path, format!("expected the id of a component, got {}", item.data.type_name()));
            problem.value = item.shown();
            self.problems.push(problem);
        }
        text
    }

    /// Checks that every id is configured in one of its `homes` and is named once.
    pub(super) fn references(&mut self, ids: Vec<Reference>, path: &str, kind: Kind, homes: &[Kind]) -> Vec<ComponentId> {
        let mut kept: Vec<ComponentId> = Vec::new();
        for Reference { id, origin } in ids {
            if kept.contains(&id) {
                let problem = Problem::new(Some(origin), path, format!("references {kind} \"{id}\" multiple times"));
                // The Collector refuses a processor named twice; everything else it takes once without a word.
                if kind == Kind::Processor {
                    self.problems.push(problem);
                } else {
                    self.warnings.push(Warning(problem));
                }
                continue;
            }
            if !homes.iter().any(|home| self.has(*home, &id)) {
                let problem = Problem::new(Some(origin), path, format!("references {kind} \"{id}\" which is not configured"));
                let names: Vec<String> =
                    homes.iter().filter_map(|home| self.components.get(home)).flatten().map(|(id, _)| id.to_string()).collect();
                self.problems.push(problem.with_suggestion(&id.to_string(), names.iter().map(String::as_str)));
            }
            kept.push(id);
        }
        kept
    }
}
