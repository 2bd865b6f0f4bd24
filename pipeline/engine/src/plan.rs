//! What a reload would do: a pure comparison of two configurations, per instance key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use deferd_component::{ComponentId, Kind, PipelineId, Signal};
use deferd_config::Node;

use crate::exporter::ExporterKey;
use crate::graph::{ConnectorKey, ProcessorKey};
use crate::metrics::component_path;
use crate::spec::Spec;

/// The instances of one kind, by what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<K> {
    /// Same configuration: not touched.
    pub kept: Vec<K>,
    /// Other configuration: rebuilt over the state they have.
    pub changed: Vec<K>,
    /// New.
    pub added: Vec<K>,
    /// Gone: drained.
    pub removed: Vec<K>,
}

/// What a reload would do with every instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// By id.
    pub receivers: Changes<ComponentId>,
    /// By pipeline and id.
    pub processors: Changes<ProcessorKey>,
    /// By signals and id.
    pub connectors: Changes<ConnectorKey>,
    /// By signal and id.
    pub exporters: Changes<ExporterKey>,
    /// Which instances, in which order, a pipeline has. One that changes is put together anew, from instances of which each may be
    /// kept.
    pub pipelines: Changes<PipelineId>,
}

/// What a plan does, in words: one name per instance or pipeline, such as `processors::filter in metrics`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Not touched. Pipelines are not listed here: with all its instances kept, one has nothing to keep.
    pub kept: Vec<String>,
    /// Rebuilt over the state they have.
    pub changed: Vec<String>,
    /// New.
    pub added: Vec<String>,
    /// Gone: drained.
    pub removed: Vec<String>,
}

impl Names {
    fn add<K>(&mut self, changes: &Changes<K>, name: impl Fn(&K) -> String) {
        self.kept.extend(changes.kept.iter().map(&name));
        self.changed.extend(changes.changed.iter().map(&name));
        self.added.extend(changes.added.iter().map(&name));
        self.removed.extend(changes.removed.iter().map(&name));
    }
}

impl<K: Ord + Clone> Changes<K> {
    /// Compares two sets of keys with what each key's configuration looks like.
    pub fn between<F: PartialEq>(old: &BTreeMap<K, F>, new: &BTreeMap<K, F>) -> Self {
        let mut changes = Self { kept: Vec::new(), changed: Vec::new(), added: Vec::new(), removed: Vec::new() };
        for (key, fingerprint) in new {
            match old.get(key) {
                None => changes.added.push(key.clone()),
                Some(before) if before == fingerprint => changes.kept.push(key.clone()),
                Some(_) => changes.changed.push(key.clone()),
            }
        }
        changes.removed = old.keys().filter(|key| !new.contains_key(key)).cloned().collect();
        changes
    }

    /// Keys that need a new instance.
    pub fn to_build(&self) -> impl Iterator<Item = &K> {
        self.changed.iter().chain(&self.added)
    }

    fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }
}

impl Plan {
    /// The plan that leads from one configuration to another.
    pub fn between(old: &Spec, new: &Spec) -> Self {
        Self {
            receivers: Changes::between(&receivers(old), &receivers(new)),
            processors: Changes::between(&processors(old), &processors(new)),
            connectors: Changes::between(&connectors(old), &connectors(new)),
            exporters: Changes::between(&exporters(old), &exporters(new)),
            pipelines: Changes::between(&old.pipelines, &new.pipelines),
        }
    }

    /// What becomes of everything, by name.
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        names.add(&self.receivers, |id| component_path(Kind::Receiver, id));
        names.add(&self.processors, |(pipeline, id)| format!("{} in {pipeline}", component_path(Kind::Processor, id)));
        names.add(&self.connectors, |(from, to, id)| format!("{} from {from} to {to}", component_path(Kind::Connector, id)));
        names.add(&self.exporters, |(signal, id)| format!("{} for {signal}", component_path(Kind::Exporter, id)));
        let kept = names.kept.len();
        names.add(&self.pipelines, |id| format!("service::pipelines::{id}"));
        names.kept.truncate(kept);
        names
    }

    /// Whether nothing would be touched.
    pub fn is_empty(&self) -> bool {
        self.receivers.is_empty()
            && self.processors.is_empty()
            && self.connectors.is_empty()
            && self.exporters.is_empty()
            && self.pipelines.is_empty()
    }
}

/// One line per instance or pipeline that is not simply kept, and a count of the instances that are.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names();
        for (verb, names) in [("changed", &names.changed), ("added", &names.added), ("removed", &names.removed)] {
            for name in names {
                writeln!(f, "{verb}: {name}")?;
            }
        }
        write!(f, "kept: {} instances", names.kept.len())
    }
}

/// Receivers in use, with their signals: a receiver is built for the signals it serves, so another set is another receiver.
pub(crate) fn receivers(spec: &Spec) -> BTreeMap<ComponentId, (Node, BTreeSet<Signal>)> {
    let mut used: BTreeMap<ComponentId, (Node, BTreeSet<Signal>)> = BTreeMap::new();
    for (pipeline, parts) in &spec.pipelines {
        for id in &parts.receivers {
            let Some(part) = spec.receivers.get(id) else { continue };
            let entry = used.entry(id.clone()).or_insert_with(|| (part.raw.clone(), BTreeSet::new()));
            entry.1.insert(pipeline.signal());
        }
    }
    used
}

pub(crate) fn processors(spec: &Spec) -> BTreeMap<ProcessorKey, Node> {
    let used = spec.pipelines.iter().flat_map(|(pipeline, parts)| parts.processors.iter().map(move |id| (pipeline, id)));
    used.filter_map(|(pipeline, id)| {
        let part = spec.processors.get(id)?;
        Some(((pipeline.clone(), id.clone()), part.raw.clone()))
    })
    .collect()
}

pub(crate) fn connectors(spec: &Spec) -> BTreeMap<ConnectorKey, Node> {
    let mut used = BTreeMap::new();
    for (id, part) in &spec.connectors {
        for (from, _) in spec.pipelines.iter().filter(|(_, parts)| parts.exporters.contains(id)) {
            for (to, _) in spec.pipelines.iter().filter(|(_, parts)| parts.receivers.contains(id)) {
                if (part.entry.connects)(from.signal(), to.signal()) {
                    used.insert((from.signal(), to.signal(), id.clone()), part.raw.clone());
                }
            }
        }
    }
    used
}

pub(crate) fn exporters(spec: &Spec) -> BTreeMap<ExporterKey, Node> {
    let used = spec.pipelines.iter().flat_map(|(pipeline, parts)| parts.exporters.iter().map(move |id| (pipeline.signal(), id)));
    used.filter_map(|(signal, id)| {
        let part = spec.exporters.get(id)?;
        Some(((signal, id.clone()), part.raw.clone()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::PipelineParts;

    #[test]
    fn keys_fall_into_kept_changed_added_and_removed() {
        let old = BTreeMap::from([("a", 1), ("b", 1), ("c", 1)]);
        let new = BTreeMap::from([("a", 1), ("b", 2), ("d", 1)]);
        let changes = Changes::between(&old, &new);
        assert_eq!((changes.kept, changes.changed, changes.added, changes.removed), (vec!["a"], vec!["b"], vec!["d"], vec!["c"]));
    }

    #[test]
    fn another_order_of_what_is_kept_is_a_change_of_the_pipeline() {
        let spec = |processors: [&str; 2]| {
            let processors = processors.iter().map(|id| id.parse().unwrap()).collect();
            let parts = PipelineParts { processors, ..PipelineParts::default() };
            Spec { pipelines: [("metrics".parse().unwrap(), parts)].into(), ..Spec::default() }
        };
        let plan = Plan::between(&spec(["a", "b"]), &spec(["b", "a"]));
        assert!(!plan.is_empty());
        assert_eq!(plan.to_string(), "changed: service::pipelines::metrics\nkept: 0 instances");
        assert!(Plan::between(&spec(["a", "b"]), &spec(["a", "b"])).is_empty());
    }
}
