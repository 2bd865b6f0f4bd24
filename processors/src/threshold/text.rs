//! What the texts of an alert can say.

use std::collections::BTreeMap;

use deferd_config::Template;
use deferd_pdata::attributes::Attributes;
use serde::Serialize;

/// The names that templates of rules know.
pub(super) const NAMES: [&str; 14] = [
    "name",
    "severity",
    "value",
    "threshold",
    "measure",
    "window",
    "site",
    "function",
    "file",
    "line",
    "callee",
    "service",
    "attributes",
    "resource",
];

/// The values behind [`NAMES`].
#[derive(Debug, Serialize)]
pub(super) struct Facts<'a> {
    pub(super) name: &'a str,
    pub(super) severity: &'static str,
    pub(super) value: Shown,
    pub(super) threshold: Shown,
    pub(super) measure: &'static str,
    pub(super) window: String,
    #[serde(flatten)]
    pub(super) place: &'a Place,
}

/// Where it is: the attributes of the series, and short forms of the usual ones.
#[derive(Debug, Default, Serialize)]
pub(super) struct Place {
    site: String,
    function: String,
    file: String,
    line: String,
    callee: String,
    service: String,
    attributes: BTreeMap<String, String>,
    resource: BTreeMap<String, String>,
}

/// A number as people want to read it: whole, or with three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Shown {
    Whole(i64),
    Broken(f64),
}

impl From<f64> for Shown {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    fn from(value: f64) -> Self {
        if value.fract() == 0.0 && value.abs() < 9e15 {
            Self::Whole(value as i64)
        } else {
            Self::Broken((value * 1e3).round() / 1e3)
        }
    }
}

impl Place {
    pub(super) fn new(resource: &Attributes<'_>, point: &Attributes<'_>) -> Self {
        let (resource, attributes) = (texts(resource), texts(point));
        let get = |set: &BTreeMap<String, String>, key: &str| set.get(key).cloned().unwrap_or_default();
        let (file, line) = (get(&attributes, "code.file.path"), get(&attributes, "code.line.number"));
        let function = get(&attributes, "code.function.name");
        let short = file.rsplit('/').next().unwrap_or_default();
        let site = if file.is_empty() { function.clone() } else { format!("{short}:{line}") };
        let (callee, service) = (get(&attributes, "go.defer.callee"), get(&resource, "service.name"));
        Self { site, function, file, line, callee, service, attributes, resource }
    }
}

fn texts(attributes: &Attributes<'_>) -> BTreeMap<String, String> {
    attributes.iter().map(|(key, value)| (key.to_string(), value.to_text().into_owned())).collect()
}

/// The text, or, where it cannot be rendered, why not: an alert is never held back for its text.
pub(super) fn render(template: &Template, facts: &Facts<'_>) -> String {
    template.render(facts).unwrap_or_else(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use deferd_pdata::build::EncodedAttributes;

    #[test]
    fn short_forms_stand_for_the_usual_attributes() {
        let resource = EncodedAttributes::new(&[("service.name", "shop".into())]);
        let site = EncodedAttributes::new(&[
            ("code.function.name", "main.ship".into()),
            ("code.file.path", "/srv/shop/main.go".into()),
            ("code.line.number", 33.into()),
        ]);
        let place = Place::new(&resource.view(), &site.view());
        let facts = Facts {
            name: "DeferPendingGrows",
            severity: "critical",
            value: 39.98765.into(),
            threshold: 2.0.into(),
            measure: "slope",
            window: "20s".to_owned(),
            place: &place,
        };
        let text = "{{ service }} {{ site }} {{ function }} {{ value }}/s > {{ threshold }} {{ resource['service.name'] }}";
        let template = Template::new(text).unwrap();
        assert_eq!(template.unknown_names(&NAMES).len(), 0);
        assert_eq!(render(&template, &facts), "shop main.go:33 main.ship 39.988/s > 2 shop");
    }

    #[test]
    fn the_rule_for_open_files_says_where_they_are_opened_and_what_is_wrong_with_their_close() {
        let rules = &super::super::pack::find("default").unwrap().rules;
        let rule = rules.iter().find(|rule| rule.name == "OpenFilesGrow").unwrap();
        let said = |close: &'static str| {
            let resource = EncodedAttributes::new(&[("service.name", "shop".into())]);
            let site = EncodedAttributes::new(&[
                ("code.function.name", "main.load".into()),
                ("code.file.path", "/srv/shop/main.go".into()),
                ("code.line.number", 50.into()),
                ("go.file.close", close.into()),
            ]);
            let place = Place::new(&resource.view(), &site.view());
            let (value, threshold, window) = (5.0.into(), 0.02.into(), "30s".to_owned());
            let facts = Facts { name: &rule.name, severity: "high", value, threshold, measure: "slope", window, place: &place };
            [&rule.summary, &rule.remediation].map(|template| render(template, &facts))
        };
        let [summary, remediation] = said("missing");
        assert_eq!(summary, "shop: files opened at main.go:50 in main.load pile up, 5 more per second: a Close is missing");
        assert_eq!(remediation, "Close the file on every path on which it is no longer used, or hand it to somebody who does.");
        let [summary, remediation] = said("deferred");
        assert!(summary.ends_with("5 more per second: Close is deferred in a loop"), "{summary}");
        assert!(
            remediation.starts_with("A deferred Close runs when the function returns") && !remediation.contains("{%"),
            "{remediation}"
        );
    }
}
