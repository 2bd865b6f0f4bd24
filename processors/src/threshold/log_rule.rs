//! Rules for log records, which have no series: a record that fits is marked, and counted by rule.

use std::collections::BTreeMap;

use deferd_component::telemetry::{Counter, Telemetry};
use deferd_component::{Batch, BuildError, ComponentId, Issues, Validate, alert};
use deferd_pdata::edit::Changes;
use deferd_pdata::logs::{self, LogRecord, ResourceLogs};
use deferd_pdata::wire::Malformed;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::config::{Severity, anchored, check_name, check_patterns};

/// Which records are marked, and as what.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogRule {
    /// Name of the alert: letters, digits and underscores.
    pub name: String,
    /// Attributes that a record must have: key, and a regular expression that the whole value fits. `resource.KEY` is an attribute of
    /// the resource, `body` the body and `event.name` the name of the event. What is missing is the empty text.
    #[serde(default, rename = "match")]
    pub matching: BTreeMap<String, String>,
    /// Attributes that a record must not have, likewise.
    #[serde(default)]
    pub not_match: BTreeMap<String, String>,
    /// Least severity number, 1 (trace) to 24 (fatal4).
    #[serde(default)]
    pub min_severity_number: Option<i32>,
    /// How bad it is.
    pub severity: Severity,
}

impl Validate for LogRule {
    fn validate(&self, issues: &mut Issues) {
        check_name(issues, &self.name);
        check_patterns(issues, "match", &self.matching);
        check_patterns(issues, "not_match", &self.not_match);
        match self.min_severity_number {
            Some(number) if !(1..=24).contains(&number) => {
                issues.push("min_severity_number", format!("{number} is no severity number"), "1 (trace) to 24 (fatal4)");
            }
            None if self.matching.is_empty() => {
                issues.push("", "a log rule needs `match` or `min_severity_number`: it would mark every record", "");
            }
            _ => {}
        }
    }
}

/// Log rules in the form in which they are applied.
#[derive(Debug, Default)]
pub(super) struct LogRules(Vec<Applied>);

#[derive(Debug)]
struct Applied {
    matchers: Vec<(Field, Regex, bool)>,
    min_severity: i32,
    marks: Changes,
    marked: Counter,
}

#[derive(Debug)]
enum Field {
    Body,
    EventName,
    Resource(String),
    Attribute(String),
}

impl Field {
    fn new(key: &str) -> Self {
        match (key, key.strip_prefix("resource.")) {
            ("body", _) => Self::Body,
            ("event.name", _) => Self::EventName,
            (_, Some(key)) => Self::Resource(key.to_owned()),
            (key, None) => Self::Attribute(key.to_owned()),
        }
    }
}

impl LogRules {
    pub(super) fn new(rules: Vec<LogRule>, telemetry: &Telemetry, id: &ComponentId) -> Result<Self, BuildError> {
        rules.into_iter().map(|rule| Applied::new(&rule, telemetry, id)).collect::<Result<_, _>>().map(Self)
    }

    /// Marks the records of a batch. The first rule that fits marks a record.
    pub(super) fn mark(&self, batch: &Batch) -> Result<Option<bytes::Bytes>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let edited = logs::mark(&batch.payload(), |resource, _, record| {
            let rule = self.0.iter().find(|rule| rule.fits(resource, record))?;
            rule.marked.add(1);
            Some(&rule.marks)
        })?;
        Ok(edited.map(|edited| edited.bytes))
    }
}

impl Applied {
    fn new(rule: &LogRule, telemetry: &Telemetry, id: &ComponentId) -> Result<Self, BuildError> {
        let pairs = rule.matching.iter().map(|pair| (pair, true)).chain(rule.not_match.iter().map(|pair| (pair, false)));
        let matcher = |((key, pattern), wanted): ((&String, &String), bool)| {
            // Each pattern was validated.
            let pattern = anchored(pattern).map_err(|error| BuildError::Unavailable(error.to_string()))?;
            Ok::<_, BuildError>((Field::new(key), pattern, wanted))
        };
        let mut marks = Changes::default();
        marks.upsert(alert::NAME, rule.name.as_str());
        marks.upsert(alert::SEVERITY, rule.severity.as_str());
        let labels =
            vec![("processor", id.to_string()), ("rule", rule.name.clone()), ("severity", rule.severity.as_str().to_owned())];
        let marked = telemetry.counter("deferd_threshold_marked_log_records", "Log records that a rule has marked", labels);
        Ok(Self {
            matchers: pairs.map(matcher).collect::<Result<_, _>>()?,
            min_severity: rule.min_severity_number.unwrap_or_default(),
            marks,
            marked,
        })
    }

    fn fits(&self, resource: &ResourceLogs<'_>, record: &LogRecord<'_>) -> bool {
        record.severity_number >= self.min_severity
            && self.matchers.iter().all(|(field, pattern, wanted)| {
                let text = match field {
                    Field::Body => record.body.to_text(),
                    Field::EventName => record.event_name.to_str_lossy(),
                    Field::Resource(key) => {
                        resource.resource.attributes().get(key).map(|value| value.to_text()).unwrap_or_default()
                    }
                    Field::Attribute(key) => record.attributes().get(key).map(|value| value.to_text()).unwrap_or_default(),
                };
                pattern.is_match(&text) == *wanted
            })
    }
}
