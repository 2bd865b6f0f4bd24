//! Keys of `only_services`.

use deferd_component::{Issues, Validate};
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Beginnings of `service.name`; one that fits is enough. Required.
    pub(crate) prefixes: Vec<String>,
    /// Whether what has no `service.name`, or only a made-up one (`unknown_service:...`), stays.
    pub(crate) keep_unknown: bool,
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        if self.prefixes.is_empty() {
            issues.push("prefixes", "`prefixes` is empty", "one beginning of a service name or more");
        }
        let empty = self.prefixes.iter().position(String::is_empty);
        if let Some(index) = empty {
            issues.push(&format!("prefixes::{index}"), "is empty and fits every service", "a beginning of a service name");
        }
    }
}
