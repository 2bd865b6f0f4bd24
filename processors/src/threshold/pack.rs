//! Rules that come with the binary, and the list that results from all that is included.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::config::{Config, Include, Rule, RuleFile};
use super::log_rule::LogRule;

const TEXTS: [(&str, &str); 2] = [
    ("default", include_str!("../../../config/rules/default.yaml")),
    ("classic", include_str!("../../../config/rules/classic.yaml")),
];

/// The packs by name. One that does not decode would be missing; a test sees to it that none is.
static PACKS: LazyLock<Vec<(&str, RuleFile)>> = LazyLock::new(|| {
    let decoded = TEXTS.iter().filter_map(|(name, text)| Some((*name, deferd_config::decode_text(name, text).ok()?)));
    decoded.collect()
});

/// The pack of that name.
pub(super) fn find(name: &str) -> Option<&'static RuleFile> {
    PACKS.iter().find(|(known, _)| *known == name).map(|(_, pack)| pack)
}

/// The text of a pack, or the names of all packs if there is none of that name.
pub fn pack_text(name: &str) -> Result<&'static str, Vec<&'static str>> {
    TEXTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text).ok_or_else(names)
}

/// Names of all packs.
pub(super) fn names() -> Vec<&'static str> {
    TEXTS.iter().map(|(name, _)| *name).collect()
}

fn files(include: &[Include]) -> impl Iterator<Item = &RuleFile> {
    include.iter().filter_map(|include| match include {
        Include::Pack(name) => find(name),
        Include::File(file) => Some(file),
    })
}

/// Names of all included rules, of metrics and of logs.
pub(super) fn included_names(include: &[Include]) -> BTreeSet<String> {
    let of_file = |file: &RuleFile| {
        let metrics = file.rules.iter().map(|rule| rule.name.clone());
        metrics.chain(file.log_rules.iter().map(|rule| rule.name.clone())).collect::<Vec<_>>()
    };
    files(include).flat_map(of_file).collect()
}

impl Config {
    /// The rules for metrics that apply: what is included, less what is disabled, and what is configured here. Of rules of one name
    /// the last one counts.
    pub(super) fn effective_rules(&self) -> Vec<Rule> {
        let included = files(&self.include).flat_map(|file| &file.rules).filter(|rule| !self.disable.contains(&rule.name));
        last_of_each_name(included.chain(&self.rules), |rule| &rule.name)
    }

    /// The rules for log records, likewise.
    pub(super) fn effective_log_rules(&self) -> Vec<LogRule> {
        let included = files(&self.include).flat_map(|file| &file.log_rules).filter(|rule| !self.disable.contains(&rule.name));
        last_of_each_name(included.chain(&self.log_rules), |rule| &rule.name)
    }
}

fn last_of_each_name<'a, T: Clone + 'a>(rules: impl Iterator<Item = &'a T>, name: impl Fn(&T) -> &String) -> Vec<T> {
    let mut chosen: Vec<T> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for rule in rules {
        let place = *places.entry(name(rule).clone()).or_insert(chosen.len());
        match chosen.get_mut(place) {
            Some(earlier) => *earlier = rule.clone(),
            None => chosen.push(rule.clone()),
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_decodes() {
        for (name, text) in TEXTS {
            let decoded = deferd_config::decode_text::<RuleFile>(name, text);
            assert!(!decoded.unwrap_or_else(|problems| panic!("{problems:#?}")).rules.is_empty());
        }
    }

    #[test]
    fn a_rule_of_the_same_name_takes_the_place_of_an_included_one() {
        let text = "{rules: [{name: DeferPendingGrows, metric: m, above: 1, severity: medium}], disable: [DescriptorsGrow]}";
        let config: Config = deferd_config::decode_text("test", text).unwrap();
        let rules = config.effective_rules();
        let found: Vec<_> = rules.iter().map(|rule| (rule.name.as_str(), rule.metric.as_str())).collect();
        assert_eq!(found.first(), Some(&("DeferPendingGrows", "m")));
        assert!(found.len() > 2 && found.iter().all(|(name, _)| *name != "DescriptorsGrow"), "{found:?}");
    }
}
