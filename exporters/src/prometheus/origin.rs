//! What many series share: the resource and the scope they come from.

use deferd_pdata::attributes::Attributes;
use deferd_pdata::envelope::{Resource, Scope};
use deferd_pdata::text::Text;

/// A resource and a scope, as texts.
#[derive(Debug)]
pub(super) struct Origin {
    /// Distinguishes origins in keys of series; never used twice.
    pub(super) id: u64,
    /// `[service.namespace/]service.name`.
    pub(super) job: Option<String>,
    /// `service.instance.id`.
    pub(super) instance: Option<String>,
    /// Attributes of the resource, sorted by key.
    pub(super) resource: Vec<(String, String)>,
    pub(super) scope_name: String,
    pub(super) scope_version: String,
    pub(super) scope_schema_url: String,
    /// Attributes of the scope, sorted by key.
    pub(super) scope: Vec<(String, String)>,
}

impl Origin {
    pub(super) fn new(id: u64, resource: &Resource<'_>, scope: &Scope<'_>, schema_url: Text<'_>) -> Self {
        let attributes = resource.attributes();
        let text = |key| attributes.get(key).map(|value| value.to_text().into_owned());
        let job = text("service.name").map(|name| match text("service.namespace") {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name,
        });
        Self {
            id,
            job,
            instance: text("service.instance.id"),
            resource: pairs(&attributes),
            scope_name: scope.name.to_string(),
            scope_version: scope.version.to_string(),
            scope_schema_url: schema_url.to_string(),
            scope: pairs(&scope.attributes()),
        }
    }

    /// What identifies an origin among others: everything that is read from it.
    pub(super) fn key(resource: &Resource<'_>, scope: &Scope<'_>, schema_url: Text<'_>) -> Box<[u8]> {
        let parts = [resource.as_bytes(), scope.as_bytes(), schema_url.as_bytes()];
        parts.iter().flat_map(|part| part.len().to_le_bytes().into_iter().chain(part.iter().copied())).collect()
    }
}

/// Attributes as texts, sorted by key, the first of equal keys.
fn pairs(attributes: &Attributes<'_>) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> =
        attributes.iter().map(|(key, value)| (key.to_string(), value.to_text().into_owned())).collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    pairs.dedup_by(|(a, _), (b, _)| a == b);
    pairs
}
