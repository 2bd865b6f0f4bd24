//! Rules in the form in which they are applied.

use std::collections::HashMap;
use std::sync::Arc;

use deferd_component::BuildError;
use deferd_pdata::attributes::Attributes;
use regex::Regex;
use smallvec::SmallVec;

use super::config::{self, Measure, Severity, anchored};
use super::names::{NameId, Names};

/// Prefix of a key that means an attribute of the resource.
const RESOURCE: &str = "resource.";

/// All rules for metrics of one configuration.
#[derive(Debug, Default)]
pub(super) struct RuleSet {
    rules: Vec<Rule>,
    by_metric: HashMap<Box<[u8]>, SmallVec<[usize; 2]>>,
}

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// Identifies it over reloads: one that looks at another metric, or adds up otherwise, is another rule.
    pub(super) id: NameId,
    identity: String,
    /// As configured: name, texts.
    pub(super) config: Arc<config::Rule>,
    pub(super) levels: SmallVec<[Level; 1]>,
    pub(super) timing: Timing,
    /// Length of its window in seconds.
    pub(super) window: f64,
    matchers: Vec<Matcher>,
    /// Rules that say more about the same series.
    pub(super) unless: SmallVec<[NameId; 1]>,
}

/// A limit and how bad it is to pass it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    pub(super) severity: Severity,
    pub(super) limit: Limit,
}

impl Level {
    /// Its place among the severities.
    pub(super) const fn slot(&self) -> usize {
        self.severity as usize
    }
}

/// When a value is too much, and when it is well again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Limit {
    Above { limit: f64, clear: f64 },
    Below { limit: f64, clear: f64 },
}

/// How long, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Timing {
    /// A limit must be passed before the alert fires.
    pub(super) hold: f64,
    /// A value must be clear before it is resolved.
    pub(super) clear: f64,
}

impl Limit {
    pub(super) fn is_passed_by(self, value: f64) -> bool {
        match self {
            Self::Above { limit, .. } => value > limit,
            Self::Below { limit, .. } => value < limit,
        }
    }

    pub(super) fn is_clear(self, value: f64) -> bool {
        match self {
            Self::Above { clear, .. } => value <= clear,
            Self::Below { clear, .. } => value >= clear,
        }
    }

    /// The number that a value is compared with.
    pub(super) const fn number(self) -> f64 {
        match self {
            Self::Above { limit, .. } | Self::Below { limit, .. } => limit,
        }
    }
}

#[derive(Debug)]
struct Matcher {
    key: String,
    of_resource: bool,
    pattern: Regex,
    wanted: bool,
}

impl Matcher {
    fn new(key: &str, pattern: &str, wanted: bool) -> Result<Self, BuildError> {
        // Each pattern was validated.
        let pattern = anchored(pattern).map_err(|error| BuildError::Unavailable(error.to_string()))?;
        let (key, of_resource) = key.strip_prefix(RESOURCE).map_or((key, false), |key| (key, true));
        Ok(Self { key: key.to_owned(), of_resource, pattern, wanted })
    }

    fn fits(&self, resource: &Attributes<'_>, point: &Attributes<'_>) -> bool {
        let set = if self.of_resource { resource } else { point };
        let text = set.get(&self.key).map(|value| value.to_text()).unwrap_or_default();
        self.pattern.is_match(&text) == self.wanted
    }
}

impl Rule {
    fn new(config: config::Rule, names: &Names) -> Result<Self, BuildError> {
        let wanted = config.matching.iter().map(|(key, pattern)| Matcher::new(key, pattern, true));
        let unwanted = config.not_match.iter().map(|(key, pattern)| Matcher::new(key, pattern, false));
        let identity = format!("{}\0{}\0{:?}", config.name, config.metric, config.sum_by);
        Ok(Self {
            id: names.id(&identity),
            identity,
            levels: levels(&config),
            timing: Timing { hold: config.hold.get().as_secs_f64(), clear: config.clear_for.get().as_secs_f64() },
            window: config.window.get().as_secs_f64(),
            unless: SmallVec::new(),
            matchers: wanted.chain(unwanted).collect::<Result<_, _>>()?,
            config: Arc::new(config),
        })
    }

    /// What identifies it, as text.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// Whether it looks at series of these attributes.
    pub(super) fn matches(&self, resource: &Attributes<'_>, point: &Attributes<'_>) -> bool {
        self.matchers.iter().all(|matcher| matcher.fits(resource, point))
    }

    /// What it compares.
    pub(super) fn measure(&self) -> Measure {
        self.config.measure
    }
}

/// In ascending order of severity, which validation has seen to.
fn levels(config: &config::Rule) -> SmallVec<[Level; 1]> {
    let limit = |limit: f64, clear: Option<f64>| {
        let clear = clear.unwrap_or(limit);
        if config.below.is_some() { Limit::Below { limit, clear } } else { Limit::Above { limit, clear } }
    };
    let first = config.above.or(config.below).unwrap_or(f64::INFINITY);
    let mut levels: SmallVec<[Level; 1]> = SmallVec::new();
    levels.push(Level { severity: config.severity, limit: limit(first, config.clear) });
    levels.extend(config.escalate.iter().map(|step| Level { severity: step.severity, limit: limit(step.limit, step.clear) }));
    levels
}

impl RuleSet {
    pub(super) fn new(rules: Vec<config::Rule>, names: &Names) -> Result<Self, BuildError> {
        let mut set = Self::default();
        for (index, config) in rules.into_iter().enumerate() {
            set.by_metric.entry(config.metric.as_bytes().into()).or_default().push(index);
            set.rules.push(Rule::new(config, names)?);
        }
        let ids: HashMap<String, NameId> = set.rules.iter().map(|rule| (rule.config.name.clone(), rule.id)).collect();
        for rule in &mut set.rules {
            rule.unless = rule.config.unless.iter().filter_map(|name| ids.get(name).copied()).collect();
        }
        Ok(set)
    }

    /// Indices of the rules that look at a metric.
    pub(super) fn of_metric(&self, name: &[u8]) -> &[usize] {
        self.by_metric.get(name).map_or(&[], SmallVec::as_slice)
    }

    pub(super) fn get(&self, index: usize) -> Option<&Rule> {
        self.rules.get(index)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }
}
