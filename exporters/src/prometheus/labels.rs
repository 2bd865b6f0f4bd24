//! The labels of a series: who it is from, what the configuration adds, and its attributes.

use std::borrow::Cow;

use deferd_component::telemetry::LabelSet;

use super::config::Config;
use super::names::label_name;
use super::origin::Origin;
use super::series::Kind;

type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// How labels are made.
#[derive(Debug)]
pub(super) struct Labels<'a> {
    config: &'a Config,
    constant: Vec<(String, &'a str)>,
}

/// Resource attributes that are in `job` and `instance`, and so not in `target_info`.
const IDENTIFYING: [&str; 3] = ["service.name", "service.namespace", "service.instance.id"];

impl<'a> Labels<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let constant = config.const_labels.iter().map(|(name, value)| (label_name(name), value.as_str())).collect();
        Self { config, constant }
    }

    /// The labels of a series.
    pub(super) fn of_series<'s>(
        &'s self,
        kind: Kind,
        origin: &'s Origin,
        attributes: impl Iterator<Item = (&'s str, &'s str)>,
    ) -> LabelSet {
        let mut fixed = identity(origin);
        if !self.config.without_scope_info {
            fixed.extend([
                (Cow::Borrowed("otel_scope_name"), Cow::Borrowed(origin.scope_name.as_str())),
                (Cow::Borrowed("otel_scope_version"), Cow::Borrowed(origin.scope_version.as_str())),
                (Cow::Borrowed("otel_scope_schema_url"), Cow::Borrowed(origin.scope_schema_url.as_str())),
            ]);
            fixed.extend(origin.scope.iter().map(|(key, value)| (scope_label(key), Cow::Borrowed(value.as_str()))));
        }
        fixed.extend(self.constant.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), Cow::Borrowed(*value))));
        // An empty label is no label, and of two with one name the first is meant.
        fixed.retain(|(_, value)| !value.is_empty());
        first_of_each(&mut fixed);
        let reserved = match kind {
            Kind::Histogram => Some("le"),
            Kind::Summary => Some("quantile"),
            _ => None,
        };
        if !self.config.resource_to_telemetry_conversion.enabled {
            return assemble(&fixed, reserved, attributes);
        }
        // An attribute of the resource replaces one of the point.
        let resource = || origin.resource.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let of_resource = |key: &str| origin.resource.binary_search_by(|(other, _)| other.as_str().cmp(key)).is_ok();
        let own = attributes.filter(|(key, _)| !of_resource(key));
        assemble(&fixed, reserved, own.chain(resource()))
    }

    /// The labels of `target_info`: everything about a resource. `None` if there is nothing to tell it from others by.
    pub(super) fn of_target(origin: &Origin) -> Option<LabelSet> {
        let identity = identity(origin);
        if identity.is_empty() {
            return None;
        }
        let pairs = origin.resource.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        Some(assemble(&identity, None, pairs.filter(|(key, _)| !IDENTIFYING.contains(key))))
    }
}

fn identity(origin: &Origin) -> Vec<Label<'_>> {
    let labels = [("job", &origin.job), ("instance", &origin.instance)];
    labels.into_iter().filter_map(|(name, value)| Some((name.into(), value.as_deref()?.into()))).collect()
}

fn scope_label(key: &str) -> Cow<'static, str> {
    Cow::Owned(label_name(&format!("otel_scope_{key}")))
}

fn first_of_each(labels: &mut Vec<Label<'_>>) {
    let mut seen = std::collections::HashSet::new();
    labels.retain(|(name, _)| seen.insert(name.clone()));
}

/// Fixed labels, then those of attributes by name. Values of attributes whose names collide are joined by `;` in the order of their
/// keys; an attribute with the name of a fixed or reserved label is called `exported_NAME`, as Prometheus would call it.
fn assemble<'s>(fixed: &[Label<'s>], reserved: Option<&str>, attributes: impl Iterator<Item = (&'s str, &'s str)>) -> LabelSet {
    let mut named: Vec<Label<'s>> = attributes
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| {
            let mut name = label_name(key);
            while reserved == Some(name.as_str()) || fixed.iter().any(|(taken, _)| *taken == name) {
                name.insert_str(0, "exported_");
            }
            (Cow::Owned(name), Cow::Borrowed(value))
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
    LabelSet::new(fixed.iter().chain(&named).map(|(name, value)| (&**name, &**value)))
}
