//! Keys of the filter processor: the Collector's, as far as they are there.

use deferd_component::{Issues, Validate};
use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of one filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What to do when a condition fails. Names cannot fail, so there is nothing to choose yet.
    pub error_mode: ErrorMode,
    /// Which metrics stay.
    pub metrics: Metrics,
}

/// What to do when a condition fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorMode {
    /// Log it and go on.
    #[default]
    Ignore,
    /// Go on.
    Silent,
    /// Refuse the batch.
    Propagate,
}

/// Which metrics stay: those that `include` names, if it is there, without those that `exclude` names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Others are dropped.
    pub include: Option<Names>,
    /// These are dropped.
    pub exclude: Option<Names>,
}

/// Names of metrics.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// How `metric_names` are meant.
    pub match_type: MatchType,
    /// Names or expressions; one match is enough.
    pub metric_names: Vec<String>,
}

/// How names are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatchType {
    /// The whole name.
    Strict,
    /// A regular expression that matches anywhere in the name, unless `^` and `$` say otherwise.
    Regexp,
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        for (key, names) in [("metrics::include", &self.metrics.include), ("metrics::exclude", &self.metrics.exclude)] {
            if let Some(names) = names {
                issues.within(key, names);
            }
        }
    }
}

impl Validate for Names {
    fn validate(&self, issues: &mut Issues) {
        if self.metric_names.is_empty() {
            issues.push("metric_names", "`metric_names` is empty", "one name or more");
        }
        let expressions = self.metric_names.iter().enumerate().filter(|_| self.match_type == MatchType::Regexp);
        for (index, expression) in expressions {
            if let Err(error) = Regex::new(expression) {
                issues.push(&format!("metric_names::{index}"), error.to_string(), "a regular expression (RE2 syntax)");
            }
        }
    }
}
