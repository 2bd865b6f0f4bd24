//! Labels and annotations: the built-in templates with the user's over them.

use std::collections::{BTreeMap, BTreeSet};

use deferd_component::Issues;
use deferd_config::Template;
use parking_lot::Mutex;

use super::alert::{Alert, Context};
use super::config::Config;
use crate::prometheus::label_name;

/// What identifies an alert.
const LABELS: [(&str, &str); 8] = [
    ("alertname", "{{ name }}"),
    ("severity", "{{ severity }}"),
    ("service", "{{ service }}"),
    ("instance", "{{ instance }}"),
    ("namespace", "{{ namespace }}"),
    ("site", "{{ site }}"),
    ("function", "{{ function }}"),
    ("callee", "{{ callee }}"),
];

/// What varies while it is the same alert.
const ANNOTATIONS: [(&str, &str); 8] = [
    ("summary", "{{ summary }}"),
    ("remediation", "{{ remediation }}"),
    ("value", "{{ value }}"),
    ("threshold", "{{ threshold }}"),
    ("measure", "{{ measure }}"),
    ("since", "{{ since }}"),
    ("pid", "{{ pid }}"),
    ("host", "{{ host }}"),
];

/// Longest value of a label, in bytes; more is cut off.
const MAX_LABEL: usize = 512;
/// Texts of one alert together, in bytes; annotations beyond are left out. Bounds what a hostile sender can make us keep.
const MAX_ALERT: usize = 16 << 10;
/// Labels that attributes add on their own; further ones are left out.
const MAX_OTHERS: usize = 16;

/// The templates of a configuration.
#[derive(Debug)]
pub(super) struct Texts {
    labels: BTreeMap<String, Template>,
    annotations: BTreeMap<String, Template>,
    generator_url: String,
    /// Templates that failed and were complained about.
    failed: Mutex<BTreeSet<String>>,
}

/// Reports names that no label can have, and placeholders for things that do not exist.
pub(super) fn validate(key: &str, templates: &BTreeMap<String, Template>, issues: &mut Issues) {
    for (name, template) in templates {
        let key = format!("{key}::{name}");
        if !is_label(name) {
            issues.push(
                &key,
                format!("{name:?} is no name of a label"),
                "letters, digits and _, not beginning with a digit or __",
            );
        }
        for unknown in template.unknown_names(&Context::NAMES) {
            issues.push(&key, format!("there is nothing called {unknown:?} in an alert"), Context::NAMES.join(", "));
        }
    }
}

impl Texts {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            labels: merged(&LABELS, &config.labels),
            annotations: merged(&ANNOTATIONS, &config.annotations),
            generator_url: config.generator_url.clone(),
            failed: Mutex::default(),
        }
    }

    /// The alert that these facts are. `others` are attributes that belong to its identity beside what the templates say.
    pub(super) fn alert<'c>(&self, context: &Context<'_>, others: impl Iterator<Item = (&'c str, &'c str)>) -> Alert {
        let mut labels = BTreeMap::new();
        for (name, template) in &self.labels {
            put(&mut labels, name.clone(), self.render(name, template, context));
        }
        let own = others.map(|(key, value)| (label_name(key), value)).filter(|(name, _)| !self.labels.contains_key(name));
        for (name, value) in own.take(MAX_OTHERS) {
            put(&mut labels, name, value.to_owned());
        }
        let mut room = MAX_ALERT.saturating_sub(labels.iter().map(|(name, value)| name.len() + value.len()).sum());
        let mut annotations = BTreeMap::new();
        for (name, template) in &self.annotations {
            let text = self.render(name, template, context);
            if !text.is_empty() && text.len() <= room {
                room -= text.len();
                annotations.insert(name.clone(), text);
            }
        }
        Alert { labels, annotations, generator_url: self.generator_url.clone() }
    }

    fn render(&self, name: &str, template: &Template, context: &Context<'_>) -> String {
        match template.render(context) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                if self.failed.lock().insert(name.to_owned()) {
                    tracing::warn!("the text {name:?} of an alert is left out: {error}");
                }
                String::new()
            }
        }
    }
}

fn is_label(name: &str) -> bool {
    let digits = name.starts_with(|first: char| first.is_ascii_digit());
    let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    valid && !digits && !name.is_empty() && !name.starts_with("__")
}

/// A label without a value is no label, and of two with one name the first is meant.
fn put(labels: &mut BTreeMap<String, String>, name: String, mut value: String) {
    if !value.is_empty() {
        value.truncate(value.floor_char_boundary(MAX_LABEL));
        labels.entry(name).or_insert(value);
    }
}

/// A user's template that is empty stays in, so that no attribute takes its name.
fn merged(built_in: &[(&str, &str)], own: &BTreeMap<String, Template>) -> BTreeMap<String, Template> {
    let parsed = built_in.iter().filter_map(|(name, text)| Some(((*name).to_owned(), Template::new(*text).ok()?)));
    let mut all: BTreeMap<String, Template> = parsed.collect();
    all.extend(own.iter().map(|(name, template)| (name.clone(), template.clone())));
    all
}
