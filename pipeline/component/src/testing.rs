//! Helpers for the tests of components and distributions; only with the feature `testing`.

use std::sync::Arc;

use deferd_config::{Document, Source};

use crate::telemetry::{Health, Telemetry};
use crate::{AnyConfig, AnyState, BuildContext, BuildError, Claims, ComponentId, Kind, Metadata, Registry, Signal};

/// Surroundings for one instance of `id`, with nothing else in them.
pub fn context(kind: Kind, id: &ComponentId, signals: &[Signal]) -> BuildContext {
    BuildContext {
        kind,
        id: id.clone(),
        signals: signals.to_vec(),
        pipeline: None,
        telemetry: Arc::new(Telemetry::default()),
        health: Arc::new(Health::default()),
        sockets: Arc::new(Claims::default()),
    }
}

/// A document in which `id` is configured with `body`, YAML in flow style such as `{endpoint: "localhost:0"}`.
pub fn document(kind: Kind, id: &ComponentId, body: &str) -> Document {
    let text = format!("{}: {{{id}: {body}}}", kind.section());
    // The structure as a whole (there is no pipeline) is not what is tested.
    Document::examine(&[Source::Yaml(text)], &|_| None).document
}

/// What every component promises, tried on every type of a registry. Needs a Tokio runtime. Returns what does not hold:
///
/// - an unknown key is refused, by its name;
/// - an empty body decodes, or every problem names the key that is required;
/// - it builds twice over one state, as a reload does.
///
/// `bodies` gives the smallest body of each type that has required keys.
pub fn contract(registry: &Registry, bodies: &[(Kind, &str, &str)]) -> Vec<String> {
    let mut broken = Vec::new();
    for kind in Kind::ALL {
        for metadata in registry.types(kind) {
            let given = bodies.iter().find(|(of, name, _)| (*of, *name) == (kind, metadata.component_type));
            let body = given.map_or("{}", |(_, _, body)| body);
            let found = Subject { registry, kind, metadata, body }.broken();
            broken.extend(found.into_iter().map(|what| format!("{} {}: {what}", kind.as_str(), metadata.component_type)));
        }
    }
    broken
}

struct Subject<'a> {
    registry: &'a Registry,
    kind: Kind,
    metadata: Metadata,
    body: &'a str,
}

impl Subject<'_> {
    fn broken(&self) -> Vec<String> {
        let Ok(id) = self.metadata.component_type.parse() else {
            return vec!["its type is no valid id".to_owned()];
        };
        let checks = [self.refuses_unknown_key(&id), self.says_what_is_required(&id), self.builds_twice(&id)];
        checks.into_iter().filter_map(Result::err).collect()
    }

    fn decode(&self, id: &ComponentId, body: &str) -> Result<AnyConfig, Vec<String>> {
        let decoder = self.registry.decoder(self.kind, id.type_()).ok_or_else(|| vec!["has no decoder".to_owned()])?;
        decoder(&document(self.kind, id, body), self.kind, id)
            .map_err(|problems| problems.into_iter().map(|problem| problem.path).collect())
    }

    fn refuses_unknown_key(&self, id: &ComponentId) -> Result<(), String> {
        let path = format!("{}::{id}::no_such_key", self.kind.section());
        match self.decode(id, "{no_such_key: 1}") {
            Err(paths) if paths.contains(&path) => Ok(()),
            Err(paths) => Err(format!("an unknown key is not named in the problems at {paths:?}")),
            Ok(_) => Err("an unknown key is taken (is `deny_unknown_fields` missing?)".to_owned()),
        }
    }

    fn says_what_is_required(&self, id: &ComponentId) -> Result<(), String> {
        let own = format!("{}::{id}::", self.kind.section());
        match self.decode(id, "{}") {
            Err(paths) if !paths.iter().all(|path| path.starts_with(&own)) => {
                Err(format!("an empty body is refused without naming a key, at {paths:?}"))
            }
            _ => Ok(()),
        }
    }

    fn builds_twice(&self, id: &ComponentId) -> Result<(), String> {
        let config = self.decode(id, self.body).map_err(|paths| format!("{} does not decode, at {paths:?}", self.body))?;
        let (new_state, build) = self.builder(id.type_()).ok_or("is not registered")?;
        let state = new_state();
        for signal in self.metadata.signals {
            let context = context(self.kind, id, &[*signal]);
            for round in ["first", "second"] {
                build(&config, &state, &context).map_err(|error| format!("{round} build for {signal}: {error}"))?;
            }
        }
        Ok(())
    }

    fn builder(&self, name: &str) -> Option<(fn() -> AnyState, Builds<'_>)> {
        let registry = self.registry;
        Some(match self.kind {
            Kind::Receiver => {
                let entry = registry.find_receiver(name)?;
                (entry.new_state, Box::new(|config, state, context| (entry.build)(config, state, context).map(drop)))
            }
            Kind::Processor => {
                let entry = registry.find_processor(name)?;
                (entry.new_state, Box::new(|config, state, context| (entry.build)(config, state, context).map(drop)))
            }
            Kind::Connector => {
                let entry = registry.find_connector(name)?;
                (entry.new_state, Box::new(|config, state, context| (entry.build)(config, state, context).map(drop)))
            }
            Kind::Exporter => {
                let entry = registry.find_exporter(name)?;
                (entry.new_state, Box::new(|config, state, context| (entry.build)(config, state, context).map(drop)))
            }
            Kind::Extension => return None,
        })
    }
}

type Builds<'a> = Box<dyn Fn(&AnyConfig, &AnyState, &BuildContext) -> Result<(), BuildError> + 'a>;
