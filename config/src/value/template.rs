//! A text with placeholders.
//!
//! The language is Jinja's, by minijinja: small, well kept, bounded by fuel, and known to those who write alerts. A template is
//! parsed when the configuration is read, so a mistake in it is a problem with a place, and again when it is rendered: alerts are
//! rare, and a parsed form for each of a thousand rules would cost more memory than the parsing costs time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use minijinja::{Environment, ErrorKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Steps that one rendering may take, so that a loop in a template ends.
const FUEL: u64 = 20_000;

/// Longest rendered text, in bytes; more is cut off. A summary is read by people.
const RENDERED_MAX: usize = 4096;

/// A text with `{{ placeholders }}`, such as `{{ site }} holds {{ value }} pending defers`.
///
/// A placeholder for something that is not there is rendered as nothing: an alert with a gap in its text is worth more than none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(String);

/// Why a template could not be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {0}")]
pub struct TemplateError(String);

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment
});

impl Template {
    /// Reads a template.
    pub fn new(text: impl Into<String>) -> Result<Self, TemplateError> {
        let text = text.into();
        if is_plain(&text) {
            return Ok(Self(text));
        }
        let template = ENVIRONMENT.template_from_str(&text).map_err(|error| TemplateError::from(&error))?;
        // A filter, test or function is looked up when it is used, so it is tried; that values are missing yet is no mistake.
        match template.render(()).err() {
            Some(error) if is_unknown(error.kind()) => Err(TemplateError::from(&error)),
            _ => Ok(Self(text)),
        }
    }

    /// The text as it is written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names it uses that are none of `known`, without what follows their first dot or bracket.
    pub fn unknown_names(&self, known: &[&str]) -> BTreeSet<String> {
        let Ok(template) = ENVIRONMENT.template_from_str(&self.0) else { return BTreeSet::new() };
        template.undeclared_variables(false).into_iter().filter(|name| !known.contains(&name.as_str())).collect()
    }

    /// Puts values in the place of the placeholders. `context` is a map or a struct, by name.
    pub fn render(&self, context: impl Serialize) -> Result<String, TemplateError> {
        if is_plain(&self.0) {
            return Ok(shortened(self.0.clone()));
        }
        let template = ENVIRONMENT.template_from_str(&self.0).map_err(|error| TemplateError::from(&error))?;
        template.render(minijinja::value::Serde(context)).map(shortened).map_err(|error| TemplateError::from(&error))
    }
}

fn is_unknown(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod)
}

/// Whether there is nothing to render.
fn is_plain(text: &str) -> bool {
    !text.contains("{{") && !text.contains("{%") && !text.contains("{#")
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(RENDERED_MAX));
    text
}

impl From<&minijinja::Error> for TemplateError {
    fn from(error: &minijinja::Error) -> Self {
        let line = error.line().filter(|line| *line > 1).map_or(Cow::Borrowed(""), |line| format!(" in its line {line}").into());
        let detail = error.detail().map_or(Cow::Borrowed(""), |detail| format!(": {detail}").into());
        Self(format!("{}{detail}{line}", error.kind()))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Template {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "text with {{ placeholders }}, as in Jinja" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(text: &str) -> String {
        let context = json!({ "value": 41_203, "attributes": { "code.function.name": "main.ship" } });
        Template::new(text).unwrap().render(context).unwrap()
    }

    #[test]
    fn placeholders_become_values_and_what_is_missing_becomes_nothing() {
        assert_eq!(render("{{ value }} at {{ attributes['code.function.name'] }}"), "41203 at main.ship");
        assert_eq!(render("[{{ attributes.nothing }}]"), "[]");
        assert_eq!(render("plain } text"), "plain } text");
    }

    #[test]
    fn a_mistake_is_said_when_the_template_is_read() {
        let error = Template::new("first\n{{ value").unwrap_err().to_string();
        assert!(error.starts_with("template: syntax error: ") && error.ends_with(" in its line 2"), "{error}");
        let error = Template::new("{{ value | nofilter }}").unwrap_err().to_string();
        assert!(error.contains("nofilter"), "{error}");
        assert!(Template::new("{{ value | round(1) }} {{ attributes['a'] | upper }}").is_ok());
        let unknown = Template::new("{{ valu }} {{ value }} {{ attributes.x }}").unwrap().unknown_names(&["value", "attributes"]);
        assert_eq!(unknown.into_iter().collect::<Vec<_>>(), ["valu"]);
    }

    #[test]
    fn a_template_that_does_not_end_is_stopped() {
        let endless = "{% for a in range(1000) %}{% for b in range(1000) %}{{ value }}{% endfor %}{% endfor %}";
        let error = Template::new(endless).unwrap().render(json!({ "value": 1 })).unwrap_err().to_string();
        assert!(error.contains("fuel"), "{error}");
        assert_eq!(render(&"x".repeat(9999)).len(), RENDERED_MAX);
    }
}
