//! The form of a file of rule tests.

use std::collections::BTreeMap;

use deferd_config::{Duration, Issues, Validate};
use deferd_processors::threshold::{Config, Severity};
use schemars::JsonSchema;
use serde::Deserialize;

/// What a file of rule tests holds.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Suite {
    /// The body of the processor, as in a configuration.
    pub(super) threshold: Config,
    /// The tests.
    pub(super) tests: Vec<Test>,
}

/// A recording and what the rules say about it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    /// What it shows.
    pub(super) name: String,
    /// A file of OTLP in JSON, one request per line; relative to the file of tests.
    pub(super) input: String,
    /// All alerts that fire at some time or other, and no more. Without it, this is not looked at.
    #[serde(default)]
    pub(super) fired: Option<Vec<Expected>>,
    /// What fires at certain times.
    #[serde(default)]
    pub(super) expect: Vec<Moment>,
    /// How many log records each log rule marks, and no more. Without it, this is not looked at.
    #[serde(default)]
    pub(super) marked_log_records: Option<BTreeMap<String, usize>>,
}

/// All alerts that fire at a time, and no more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Moment {
    /// Since the first point of the recording.
    pub(super) at: Duration,
    /// The alerts; an empty list means that none fires.
    pub(super) alerts: Vec<Expected>,
}

/// An alert. What is not given is not compared.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Its name.
    pub(super) name: String,
    /// Its severity.
    #[serde(default)]
    pub(super) severity: Option<Severity>,
    /// Some of its labels: attributes of the series, or `resource.KEY`.
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

impl Validate for Suite {
    fn validate(&self, issues: &mut Issues) {
        issues.within("threshold", &self.threshold);
        if self.tests.is_empty() {
            issues.push("tests", "`tests` is empty", "one test or more: name, input, and what is expected");
        }
        for (index, test) in self.tests.iter().enumerate() {
            if test.fired.is_none() && test.expect.is_empty() && test.marked_log_records.is_none() {
                let text = "the test expects nothing, so it cannot fail";
                issues.push(&format!("tests::{index}"), text, "`fired`, `expect` or `marked_log_records`");
            }
        }
    }
}
