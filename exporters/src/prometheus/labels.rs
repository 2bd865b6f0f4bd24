//! The labels of a series: who it is from, what the configuration adds, and its attributes.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use deferd_component::telemetry::LabelSet;

use super::config::Config;
use super::names::label_name;
use super::origin::Origin;
use super::series::Kind;

/// How labels are made.
#[derive(Debug)]
pub(super) struct Labels<'a> {
    config: &'a Config,
    constant: Vec<(String, &'a str)>,
    /// By origin: made once, not for each of its series.
    fixed: HashMap<u64, Fixed>,
}

/// The labels that all series of an origin have.
#[derive(Debug, Default)]
struct Fixed {
    labels: LabelSet,
    names: BTreeSet<String>,
}

/// Resource attributes that are in `job` and `instance`, and so not in `target_info`.
const IDENTIFYING: [&str; 3] = ["service.name", "service.namespace", "service.instance.id"];

impl<'a> Labels<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let constant = config.const_labels.iter().map(|(name, value)| (label_name(name), value.as_str())).collect();
        Self { config, constant, fixed: HashMap::new() }
    }

    /// The labels of a series.
    pub(super) fn of_series<'s>(
        &mut self,
        kind: Kind,
        origin: &'s Origin,
        attributes: impl Iterator<Item = (&'s str, &'s str)>,
    ) -> LabelSet {
        let reserved = match kind {
            Kind::Histogram => Some("le"),
            Kind::Summary => Some("quantile"),
            _ => None,
        };
        let (config, constant) = (self.config, &self.constant);
        let fixed = self.fixed.entry(origin.id).or_insert_with(|| Fixed::of(origin, config, constant));
        if !config.resource_to_telemetry_conversion.enabled {
            return fixed.with(reserved, attributes);
        }
        // An attribute of the resource replaces one of the point.
        let of_resource = |key: &str| origin.resource.binary_search_by(|(other, _)| other.as_str().cmp(key)).is_ok();
        let own = attributes.filter(|(key, _)| !of_resource(key));
        fixed.with(reserved, own.chain(pairs(&origin.resource)))
    }

    /// The labels of `target_info`: everything about a resource. `None` if there is nothing to tell it from others by.
    pub(super) fn of_target(origin: &Origin) -> Option<LabelSet> {
        let mut fixed = Fixed::default();
        fixed.identify(origin);
        let attributes = pairs(&origin.resource).filter(|(key, _)| !IDENTIFYING.contains(key));
        (!fixed.names.is_empty()).then(|| fixed.with(None, attributes))
    }
}

impl Fixed {
    fn of(origin: &Origin, config: &Config, constant: &[(String, &str)]) -> Self {
        let mut fixed = Self::default();
        fixed.identify(origin);
        if !config.without_scope_info {
            fixed.add("otel_scope_name", &origin.scope_name);
            fixed.add("otel_scope_version", &origin.scope_version);
            fixed.add("otel_scope_schema_url", &origin.scope_schema_url);
            pairs(&origin.scope).for_each(|(key, value)| fixed.add(&label_name(&format!("otel_scope_{key}")), value));
        }
        for (name, value) in constant {
            fixed.add(name, value);
        }
        fixed
    }

    fn identify(&mut self, origin: &Origin) {
        self.add("job", origin.job.as_deref().unwrap_or_default());
        self.add("instance", origin.instance.as_deref().unwrap_or_default());
    }

    /// An empty label is no label, and of two with one name the first is meant.
    fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() && self.names.insert(name.to_owned()) {
            self.labels.push(name, value);
        }
    }

    /// These labels, then those of attributes by name. Values of attributes whose names collide are joined by `;` in the order of
    /// their keys; an attribute with the name of a fixed or reserved label is called `exported_NAME`, as Prometheus would call it.
    fn with<'s>(&self, reserved: Option<&str>, attributes: impl Iterator<Item = (&'s str, &'s str)>) -> LabelSet {
        let mut named: Vec<(String, Cow<'s, str>)> = attributes
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| {
                let mut name = label_name(key);
                while reserved == Some(name.as_str()) || self.names.contains(&name) {
                    name.insert_str(0, "exported_");
                }
                (name, Cow::Borrowed(value))
            })
            .collect();
        // Stable, so that equal names stay in the order of their keys.
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        named.dedup_by(|(name, value), (kept, joined)| {
            let same = name == kept;
            if same {
                let joined = joined.to_mut();
                joined.push(';');
                joined.push_str(value);
            }
            same
        });
        let mut labels = self.labels.clone();
        for (name, value) in &named {
            labels.push(name, value);
        }
        labels
    }
}

fn pairs(attributes: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}
