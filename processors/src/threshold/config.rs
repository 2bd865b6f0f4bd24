//! Keys of the threshold processor, and of rule files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use deferd_component::{Issues, Validate};
use deferd_config::{Duration, Template};
use regex::Regex;
use schemars::JsonSchema;
use serde::de::MapAccess;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer};

use super::log_rule::LogRule;
use super::pack;
use super::text::NAMES;

/// The configuration of one threshold processor.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Rule packs by name, and the contents of rule files (`${file:rules.yaml}`).
    pub include: Vec<Include>,
    /// Further rules. One that has the name of an included rule takes its place.
    pub rules: Vec<Rule>,
    /// Rules for log records.
    pub log_rules: Vec<LogRule>,
    /// Names of included rules that are not wanted.
    pub disable: Vec<String>,
    /// A series that is not seen for so long is forgotten, and its alerts are resolved.
    pub stale_after: Duration,
    /// Series that are watched at once; further ones are counted and not judged.
    pub max_series: usize,
    /// Alerts that one rule may have firing at once; further ones are counted and wait.
    pub max_alerts_per_rule: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            include: vec![Include::Pack("default".to_owned())],
            rules: Vec::new(),
            log_rules: Vec::new(),
            disable: Vec::new(),
            stale_after: Duration::from_secs(300),
            max_series: 200_000,
            max_alerts_per_rule: 200,
        }
    }
}

/// Rules from elsewhere.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Include {
    /// A pack of this binary, by name.
    Pack(String),
    /// The contents of a rule file.
    File(RuleFile),
}

/// By hand, because a derived one forgets what was wrong inside a rule file, and where.
impl<'de> Deserialize<'de> for Include {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Include;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a rule pack, or the contents of a rule file, \"${file:rules.yaml}\"")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Include, E> {
                // What a file of comments alone, or an empty one, comes to.
                if name.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
                    return Err(E::custom("there are no rules: the rule file is empty"));
                }
                Ok(Include::Pack(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Include, A::Error> {
                RuleFile::deserialize(MapAccessDeserializer::new(map)).map(Include::File)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What a rule file holds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleFile {
    /// Rules for metrics.
    pub rules: Vec<Rule>,
    /// Rules for log records.
    pub log_rules: Vec<LogRule>,
}

/// One rule: which series it looks at, what it measures there, and when that is too much.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name of the alert: letters, digits and underscores.
    pub name: String,
    /// Name of the metric, as in OTLP.
    pub metric: String,
    /// Attributes that a series must have: key, and a regular expression that the whole value fits. `resource.KEY` is an attribute
    /// of the resource. A missing attribute is the empty text.
    #[serde(default, rename = "match")]
    pub matching: BTreeMap<String, String>,
    /// Attributes that a series must not have, likewise.
    #[serde(default)]
    pub not_match: BTreeMap<String, String>,
    /// Add up the series of a resource that agree in these attributes, and judge the sums. Without it each series is judged.
    #[serde(default)]
    pub sum_by: Option<Vec<String>>,
    /// What is compared.
    #[serde(default)]
    pub measure: Measure,
    /// Too much is more than this.
    #[serde(default)]
    pub above: Option<f64>,
    /// Too little is less than this.
    #[serde(default)]
    pub below: Option<f64>,
    /// Firing ends at this value; the limit itself if it is not given.
    #[serde(default)]
    pub clear: Option<f64>,
    /// Over how long a rate or slope is measured.
    #[serde(default = "one_minute")]
    pub window: Duration,
    /// For how long the limit must be passed, without a break, before the alert fires.
    #[serde(default = "zero", rename = "for")]
    pub hold: Duration,
    /// For how long the value must be clear, without a break, before the alert is resolved.
    #[serde(default = "zero")]
    pub clear_for: Duration,
    /// Names of rules that say more: while one of them fires for a series, this one does not.
    #[serde(default)]
    pub unless: Vec<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Limits beyond which it is worse.
    #[serde(default)]
    pub escalate: Vec<Escalation>,
    /// What is wrong, for people.
    #[serde(default)]
    pub summary: Template,
    /// What to do about it, for people.
    #[serde(default)]
    pub remediation: Template,
}

/// A limit beyond which an alert is worse. Its direction is that of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// The limit.
    pub limit: f64,
    /// This level ends at this value; the limit itself if it is not given.
    #[serde(default)]
    pub clear: Option<f64>,
    /// How bad it is then: worse than what comes before.
    pub severity: Severity,
}

/// What is compared with the limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// The value itself.
    #[default]
    Value,
    /// What a counter grew by per second, over the window.
    Rate,
    /// The median of the slopes over the window, per second (Theil and Sen): what comes and goes has none.
    Slope,
}

impl Measure {
    /// Its name in configurations and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Rate => "rate",
            Self::Slope => "slope",
        }
    }
}

/// How bad it is, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be recorded.
    Medium,
    /// To be looked at during the day.
    High,
    /// Somebody is woken.
    Critical,
}

impl Severity {
    /// Its name in configurations and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

const fn one_minute() -> Duration {
    Duration::from_secs(60)
}

const fn zero() -> Duration {
    Duration::from_secs(0)
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        if self.max_series == 0 {
            issues.push("max_series", "`max_series` must be positive", "1 or more");
        }
        if self.max_alerts_per_rule == 0 {
            issues.push("max_alerts_per_rule", "`max_alerts_per_rule` must be positive", "1 or more");
        }
        if self.stale_after.get().as_secs() < 1 {
            issues.push("stale_after", "`stale_after` must be at least 1s", "longer than the interval of the points");
        }
        for (index, include) in self.include.iter().enumerate() {
            let key = format!("include::{index}");
            match include {
                Include::File(file) => issues.within(&key, file),
                Include::Pack(name) if pack::find(name).is_none() => {
                    let allowed = format!("{}, or \"${{file:PATH}}\" for a rule file", pack::names().join(", "));
                    issues.push(&key, format!("there is no rule pack {name:?}"), allowed);
                }
                Include::Pack(_) => {}
            }
        }
        issues.each("rules", &self.rules);
        issues.each("log_rules", &self.log_rules);
        names_once(issues, self.rules.iter().map(|rule| &rule.name), "rules");
        names_once(issues, self.log_rules.iter().map(|rule| &rule.name), "log_rules");
        let included = pack::included_names(&self.include);
        for (index, name) in self.disable.iter().enumerate().filter(|(_, name)| !included.contains(*name)) {
            let allowed = included.iter().cloned().collect::<Vec<_>>().join(", ");
            issues.push(&format!("disable::{index}"), format!("no included rule has the name {name:?}"), allowed);
        }
    }
}

impl Validate for RuleFile {
    fn validate(&self, issues: &mut Issues) {
        issues.each("rules", &self.rules);
        issues.each("log_rules", &self.log_rules);
        names_once(issues, self.rules.iter().map(|rule| &rule.name), "rules");
        names_once(issues, self.log_rules.iter().map(|rule| &rule.name), "log_rules");
    }
}

fn names_once<'a>(issues: &mut Issues, names: impl Iterator<Item = &'a String>, key: &str) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate().filter(|(_, name)| !seen.insert(*name)) {
        issues.push(&format!("{key}::{index}::name"), format!("another rule has the name {name:?}"), "names that differ");
    }
}

impl Validate for Rule {
    fn validate(&self, issues: &mut Issues) {
        check_name(issues, &self.name);
        if self.metric.is_empty() {
            issues.push("metric", "`metric` is empty", "the name of a metric, such as go.defer.pending");
        }
        check_patterns(issues, "match", &self.matching);
        check_patterns(issues, "not_match", &self.not_match);
        if self.measure != Measure::Value && self.window.get().as_secs() < 1 {
            issues.push("window", "`window` must be at least 1s", "several times the interval of the points");
        }
        self.check_limits(issues);
        check_template(issues, "summary", &self.summary);
        check_template(issues, "remediation", &self.remediation);
    }
}

impl Rule {
    fn check_limits(&self, issues: &mut Issues) {
        let (limit, up) = match (self.above, self.below) {
            (Some(above), None) => (above, true),
            (None, Some(below)) => (below, false),
            _ => return issues.push("", "a rule needs a limit: `above` or `below`, and not both", ""),
        };
        check_limit(issues, if up { "above" } else { "below" }, "clear", limit, self.clear, up);
        let (mut before, mut severity) = (limit, self.severity);
        for (index, step) in self.escalate.iter().enumerate() {
            let key = format!("escalate::{index}");
            check_limit(issues, &format!("{key}::limit"), &format!("{key}::clear"), step.limit, step.clear, up);
            if (up && step.limit <= before) || (!up && step.limit >= before) {
                issues.push(
                    &format!("{key}::limit"),
                    format!("{} is not beyond {before}", step.limit),
                    "a limit that is harder to pass",
                );
            }
            if step.severity <= severity {
                let text = format!("{} is not worse than {}", step.severity.as_str(), severity.as_str());
                issues.push(&format!("{key}::severity"), text, "medium, then high, then critical");
            }
            (before, severity) = (step.limit, step.severity);
        }
    }
}

fn check_limit(issues: &mut Issues, key: &str, clear_key: &str, limit: f64, clear: Option<f64>, up: bool) {
    if !limit.is_finite() {
        issues.push(key, format!("{limit} is no limit"), "a finite number");
    }
    match clear {
        Some(clear) if (up && clear > limit) || (!up && clear < limit) || !clear.is_finite() => {
            let side = if up { "at most" } else { "at least" };
            issues.push(clear_key, format!("{clear} is on the wrong side of the limit {limit}"), format!("{side} {limit}"));
        }
        _ => {}
    }
}

pub(super) fn check_name(issues: &mut Issues, name: &str) {
    let fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !fits || name.len() > 128 {
        issues.push("name", format!("{name:?} is no name of an alert"), "letters, digits and underscores, at most 128");
    }
}

pub(super) fn check_patterns(issues: &mut Issues, key: &str, patterns: &BTreeMap<String, String>) {
    for (attribute, pattern) in patterns {
        if let Err(error) = anchored(pattern) {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            issues.push(&format!("{key}::{attribute}"), format!("{pattern:?}: {reason}"), "a regular expression (RE2 syntax)");
        }
    }
}

/// A pattern that the whole text has to fit, line breaks included, as in Prometheus.
pub(super) fn anchored(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?s:{pattern})$"))
}

fn check_template(issues: &mut Issues, key: &str, template: &Template) {
    for name in template.unknown_names(&NAMES) {
        issues.push(key, format!("template: there is no {name:?}"), NAMES.join(", "));
    }
}
