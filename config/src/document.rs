//! The checked document: what every part of the program reads a configuration from.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::decode;
use crate::digest::FileState;
use crate::expand::{Env, expand};
use crate::id::{ComponentId, Kind};
use crate::layers::merge;
use crate::node::{Node, Origin};
use crate::problem::{Problem, Validate, Warning, finished};
use crate::service::{PipelineSpec, Service};
use crate::shown;
use crate::source::Source;
use crate::structure::{Components, Structure, check};

/// A configuration: layers merged, references expanded, structure checked. Components are decoded by whoever knows their
/// types, with [`Document::decode`].
#[derive(Clone, Debug)]
pub struct Document {
    root: Node,
    components: Components,
    pipelines: Vec<PipelineSpec>,
    service: Service,
    /// Values that could not be expanded: reported once, not again by whoever decodes them.
    failed: Vec<Origin>,
    files: Vec<FileState>,
}

/// A document with everything that is wrong with it, for who wants to report the components' problems beside the
/// structure's. With problems the document holds what could be made of the text.
#[derive(Clone, Debug)]
pub struct Examined {
    /// What could be made of the text.
    pub document: Document,
    /// What is wrong, in reading order.
    pub problems: Vec<Problem>,
    /// What is odd.
    pub warnings: Vec<Warning>,
}

impl Document {
    /// Reads layers from left to right and checks the result. `env` looks variables up.
    ///
    /// Every problem of syntax, expansion and structure is returned, in reading order; when a layer cannot be read, only
    /// the layers' problems are, because the rest would follow from them.
    pub fn load(sources: &[Source], env: &dyn Fn(&str) -> Option<String>) -> Result<(Self, Vec<Warning>), Vec<Problem>> {
        let Examined { document, problems, warnings } = Self::examine(sources, env);
        if problems.is_empty() { Ok((document, warnings)) } else { Err(problems) }
    }

    /// Does what [`Document::load`] does and hands over the document even when there are problems.
    pub fn examine(sources: &[Source], env: Env<'_>) -> Examined {
        let mut layers = Vec::new();
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let mut files = Vec::new();
        for source in sources {
            match source.load(env, &mut files) {
                Ok(layer) => layers.push(layer),
                Err(found) => problems.extend(found),
            }
        }
        if sources.is_empty() {
            problems.push(Problem::new(None, "", "at least one config flag must be provided"));
        }
        if !problems.is_empty() {
            return Examined { document: Self::nothing(files), problems: finished(problems), warnings };
        }
        warnings.extend(layers.iter().flat_map(|layer| layer.warnings.iter().cloned()));
        let (root, findings) = expand(merge(&layers), env);
        let mut structure = check(&root);
        let failed = findings.failed;
        problems = findings.problems;
        problems.extend(std::mem::take(&mut structure.problems).into_iter().filter(|problem| !is_failed(&failed, problem)));
        warnings.extend(findings.warnings);
        warnings.append(&mut structure.warnings);
        files.extend(findings.files);
        let Structure { components, pipelines, service, .. } = structure;
        let document = Self { root, components, pipelines, service, failed, files };
        Examined { document, problems: finished(problems), warnings }
    }

    fn nothing(files: Vec<FileState>) -> Self {
        Self {
            root: Node::empty_map(Origin::whole("configuration")),
            components: Components::new(),
            pipelines: Vec::new(),
            service: Service::default(),
            failed: Vec::new(),
            files,
        }
    }

    /// Returns every file that was read for this configuration, or should have been: layers first, then what references name.
    /// When one of them changes, reading again may give another configuration.
    pub fn files(&self) -> &[FileState] {
        &self.files
    }

    /// Returns the ids configured in a section, in the order they were written, used or not.
    pub fn ids(&self, kind: Kind) -> Vec<ComponentId> {
        self.components.get(&kind).into_iter().flatten().map(|(id, _)| id.clone()).collect()
    }

    /// Returns the pipelines, in the order they were written.
    pub fn pipelines(&self) -> &[PipelineSpec] {
        &self.pipelines
    }

    /// Returns the `service` section, pipelines aside.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Says whether an id in a pipeline's receivers or exporters means a connector.
    pub fn is_connector(&self, id: &ComponentId) -> bool {
        self.key(Kind::Connector, id).is_some()
    }

    /// Decodes one component. A missing or null body means all defaults.
    ///
    /// Returns every unknown key at every depth, every value of a wrong type, and, when there are none of the latter,
    /// everything [`Validate`] finds. Unknown keys come from the type's JSON Schema, which does not know
    /// `#[serde(alias)]` of fields: an older name of a key takes a field of its own.
    pub fn decode<T>(&self, kind: Kind, id: &ComponentId) -> Result<T, Vec<Problem>>
    where
        T: DeserializeOwned + Default + JsonSchema + Validate,
    {
        let shown = id.to_string();
        let Some(node) = self.raw(kind, id) else {
            return Err(vec![Problem::new(None, format!("{}::{shown}", kind.section()), "is not configured")]);
        };
        decode::decode(node, &[kind.section(), &shown]).map_err(|mut problems| {
            problems.retain(|problem| !is_failed(&self.failed, problem));
            finished(problems)
        })
    }

    /// Returns a component's body, merged and expanded. Two bodies are equal when they decode the same, so a reload tells
    /// by `==` what changed; positions and the order of keys do not matter.
    pub fn raw(&self, kind: Kind, id: &ComponentId) -> Option<&Node> {
        self.root.get(kind.section())?.get(self.key(kind, id)?)
    }

    /// Returns the whole as it may be shown, without secrets. `component` shows one component's body: [`crate::shown`] of its
    /// configuration type.
    pub fn shown(&self, component: &dyn Fn(Kind, &ComponentId, &Node) -> serde_json::Value) -> serde_json::Value {
        shown::document(&self.root, component)
    }

    /// Returns the whole tree, merged and expanded, secrets included.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Makes the problem of a component whose type nobody knows: where it stands, and the nearest of `known`.
    pub fn unknown_type(&self, kind: Kind, id: &ComponentId, known: &[&str]) -> Problem {
        let section = kind.section();
        let origin =
            self.key(kind, id).and_then(|key| self.root.get(section)?.as_map()?.get(key)).map(|entry| entry.key_origin.clone());
        if (kind, id.type_()) == (Kind::Exporter, "logging") {
            let message = "the logging exporter has been deprecated, use the debug exporter instead";
            return Problem::new(origin, format!("{section}::{id}"), message);
        }
        let mut known = known.to_vec();
        known.sort_unstable();
        let message = format!(
            "'{section}' unknown type: {:?} for id: {:?} (valid values: [{}])",
            id.type_(),
            id.to_string(),
            known.join(" ")
        );
        Problem::new(origin, format!("{section}::{id}"), message).with_suggestion(id.type_(), known)
    }

    fn key(&self, kind: Kind, id: &ComponentId) -> Option<&str> {
        self.components.get(&kind)?.iter().find(|(known, _)| known == id).map(|(_, key)| &**key)
    }
}

fn is_failed(failed: &[Origin], problem: &Problem) -> bool {
    problem.origin.as_ref().is_some_and(|origin| failed.contains(origin))
}
