//! Checks what is the same for every configuration: sections, ids, pipelines and references.
//!
//! Error texts are the Collector's (`otelcol/config.go`, `service/pipelines/config.go`) up to the point where ours say more.

mod pipelines;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decode::decode;
use crate::id::{ComponentId, IdError, Kind};
use crate::node::{Data, Entry, Node, Number};
use crate::problem::{Issues, Problem, Validate, Warning, at};
use crate::service::{PipelineSpec, Service, Telemetry};

/// The keys of `service`.
const SERVICE_KEYS: [&str; 6] = ["extensions", "pipelines", "telemetry", "shutdown_timeout", "reload", "admin"];

/// The keys under which components stand, by kind and id.
pub(crate) type Components = BTreeMap<Kind, Vec<(ComponentId, Arc<str>)>>;

/// What the check makes of a tree.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    pub(crate) components: Components,
    pub(crate) pipelines: Vec<PipelineSpec>,
    pub(crate) service: Service,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
}

/// Checks a merged and expanded tree.
pub(crate) fn check(root: &Node) -> Structure {
    let mut found = Structure::default();
    if root.as_map().is_none_or(BTreeMap::is_empty) {
        found.problems.push(Problem::new(Some(root.origin.clone()), "", "empty configuration file"));
        return found;
    }
    found.top_level(root);
    for kind in Kind::ALL {
        found.section(root, kind);
    }
    found.required(root);
    found.clashes(root);
    let nothing = Node::empty_map(root.origin.clone());
    let service = root.get("service").filter(|service| !service.is_null()).unwrap_or(&nothing);
    if found.is_map(service, &["service"], "'service'") {
        found.service(service);
    }
    found
}

impl Structure {
    fn top_level(&mut self, root: &Node) {
        let allowed: Vec<&str> = Kind::ALL.iter().map(|kind| kind.section()).chain(["service"]).collect();
        self.known_keys(root, &[], "''", &allowed);
    }

    fn known_keys(&mut self, node: &Node, path: &[&str], shown: &str, allowed: &[&str]) {
        for (key, entry) in node.entries() {
            if !allowed.contains(&&**key) {
                let full = path.iter().copied().chain([&**key]).collect::<Vec<_>>().join("::");
                let problem = Problem::new(Some(entry.key_origin.clone()), full, format!("{shown} has invalid keys: {key}"));
                self.problems.push(problem.with_allowed(key, allowed.iter().copied()));
            }
        }
    }

    fn is_map(&mut self, node: &Node, path: &[&str], shown: &str) -> bool {
        if node.as_map().is_some() {
            return true;
        }
        let message = format!("{shown} expected a map or struct, got {:?}", go_name(&node.data));
        self.problems.push(at(node, path, message));
        false
    }

    /// Reads the ids of a section.
    fn section(&mut self, root: &Node, kind: Kind) {
        let Some(section) = root.get(kind.section()).filter(|section| !section.is_null()) else {
            return;
        };
        if !self.is_map(section, &[kind.section()], &format!("'{}'", kind.section())) {
            return;
        }
        let mut ids: Vec<(ComponentId, Arc<str>)> = Vec::new();
        for (key, entry) in section.entries() {
            match key.parse::<ComponentId>() {
                Err(error) => self.bad_id(entry, kind, key, &error),
                Ok(id) if ids.iter().any(|(known, _)| *known == id) => {
                    let message = format!("duplicate name {key:?} after unmarshaling {id}");
                    self.problems.push(Problem::new(
                        Some(entry.key_origin.clone()),
                        format!("{}::{key}", kind.section()),
                        message,
                    ));
                }
                Ok(id) => ids.push((id, Arc::clone(key))),
            }
        }
        self.components.insert(kind, ids);
    }

    fn bad_id(&mut self, entry: &Entry, kind: Kind, key: &str, error: &IdError) {
        let problem = Problem::new(Some(entry.key_origin.clone()), format!("{}::{key}", kind.section()), error.to_string());
        self.problems.push(problem.with_allowed_text("type or type/name; a type is a letter followed by letters, digits and _"));
    }

    fn required(&mut self, root: &Node) {
        for kind in [Kind::Receiver, Kind::Exporter] {
            // A section that is there but bad has been reported.
            let empty = root
                .get(kind.section())
                .is_none_or(|section| section.is_null() || section.as_map().is_some_and(BTreeMap::is_empty));
            if empty {
                let message = format!("no {kind} configuration specified in config");
                self.problems.push(Problem::new(Some(root.origin.clone()), "", message));
            }
        }
    }

    /// A connector stands for a receiver and an exporter, so its id must be none of theirs.
    fn clashes(&mut self, root: &Node) {
        for (id, key) in self.components.get(&Kind::Connector).cloned().unwrap_or_default() {
            for kind in [Kind::Receiver, Kind::Exporter] {
                if !self.has(kind, &id) {
                    continue;
                }
                let message = format!(
                    "ambiguous ID: Found both {0:?} {kind} and {0:?} connector. Change one of the components' IDs to eliminate ambiguity \
                     (e.g. rename {0:?} connector to {1:?})",
                    id.to_string(),
                    format!("{id}/connector")
                );
                let entry = root.get("connectors").and_then(Node::as_map).and_then(|map| map.get(&key));
                self.problems.push(Problem::new(
                    entry.map(|entry| entry.key_origin.clone()),
                    format!("connectors::{id}"),
                    message,
                ));
            }
        }
    }

    pub(crate) fn has(&self, kind: Kind, id: &ComponentId) -> bool {
        self.components.get(&kind).is_some_and(|ids| ids.iter().any(|(known, _)| known == id))
    }

    fn service(&mut self, service: &Node) {
        self.known_keys(service, &["service"], "'service'", &SERVICE_KEYS);
        if let Some(extensions) = service.get("extensions") {
            let ids = self.ids(extensions, &["service", "extensions"], "'service.extensions'");
            self.service.extensions = self.references(ids, "service::extensions", Kind::Extension, &[Kind::Extension]);
        }
        if let Some(timeout) = service.get("shutdown_timeout").filter(|timeout| !timeout.is_null()) {
            // A map of one key, so that the decoder reports the value where it stands.
            let entry = Entry { key_origin: timeout.origin.clone(), value: timeout.clone() };
            let one = Node::new(Data::Map([("shutdown_timeout".into(), entry)].into()), service.origin.clone());
            match decode::<Limits>(&one, &["service"]) {
                Ok(limits) => self.service.shutdown_timeout = limits.shutdown_timeout,
                Err(problems) => self.problems.extend(problems),
            }
        }
        if let Some(telemetry) = service.get("telemetry") {
            self.telemetry(telemetry);
        }
        if let Some(reload) = self.part(service, "reload") {
            self.service.reload = reload;
        }
        // Written as `admin:` alone it asks for the defaults, as `grpc:` does in a receiver.
        self.service.admin = self.part(service, "admin");
        self.pipelines(service);
    }

    /// Decodes a section of the service that is there and has no problem.
    fn part<T>(&mut self, service: &Node, key: &str) -> Option<T>
    where
        T: serde::de::DeserializeOwned + Default + schemars::JsonSchema + Validate,
    {
        let decoded = decode::<T>(service.get(key)?, &["service", key]);
        decoded.map_err(|problems| self.problems.extend(problems)).ok()
    }

    fn telemetry(&mut self, node: &Node) {
        match decode::<Telemetry>(node, &["service", "telemetry"]) {
            Err(problems) => self.problems.extend(problems.into_iter().map(in_collectors_words)),
            Ok(telemetry) => {
                for key in telemetry.without_effect() {
                    let (nearest, _) = node.walk(key.split("::"));
                    self.warnings.push(Warning(at(nearest, &["service", "telemetry", key], "has no effect yet")));
                }
                self.service.telemetry = telemetry;
            }
        }
    }
}

/// Names a type as the Collector's messages do.
fn go_name(data: &Data) -> &'static str {
    match data {
        Data::Null => "nil",
        Data::Bool(_) => "bool",
        Data::Number(Number::Float(_)) => "float64",
        Data::Number(_) => "int",
        Data::String(_) => "string",
        Data::List(_) => "slice",
        Data::Map(_) => "map",
    }
}

/// `service::shutdown_timeout` by itself.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Limits {
    shutdown_timeout: crate::value::Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { shutdown_timeout: Service::default().shutdown_timeout }
    }
}

impl Validate for Limits {
    fn validate(&self, problems: &mut Issues) {
        if self.shutdown_timeout.is_zero() {
            problems.push("shutdown_timeout", "must be above zero", "a duration such as 20s");
        }
    }
}

/// Says an unknown key of the service section as the Collector does: `'service.telemetry' has invalid keys: unknown`.
fn in_collectors_words(problem: Problem) -> Problem {
    let Some((parent, key)) = problem.path.rsplit_once("::").filter(|_| problem.message.starts_with("unknown key ")) else {
        return problem;
    };
    let message = format!("'{}' has invalid keys: {key}", parent.replace("::", "."));
    Problem { message, ..problem }
}

#[cfg(test)]
mod tests;
