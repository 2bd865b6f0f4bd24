//! A configuration as it may be shown to those who run the service, without what must stay secret.
//!
//! What is a secret is said by the type that reads it (`format: password` in its schema). Where a type leaves a part free-form, the
//! rule is by name, because it is better to hide a value too many; and a file of one value is shown by its name.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::decode::schema_of;
use crate::id::{ComponentId, Kind};
use crate::node::{Data, Node, Number};
use crate::schema;
use crate::service::{Admin, Telemetry};
use crate::value::REDACTED;

/// Parts of a key that make its text a secret wherever no type says what it is, for example a header.
const TELLING: [&str; 10] =
    ["password", "passwd", "secret", "token", "authorization", "api_key", "apikey", "api-key", "credential", "cookie"];

/// Returns the body of a component of configuration type `T` as it may be shown: as it was decoded, unknown keys and nulls left out.
pub fn shown<T: JsonSchema>(node: &Node) -> Value {
    value(&schema::apply(&schema_of::<T>(), node.clone(), &[]).0)
}

/// Returns a whole document as it may be shown; `component` shows the body of one component.
pub(crate) fn document(root: &Node, component: &dyn Fn(Kind, &ComponentId, &Node) -> Value) -> Value {
    let section = |key: &str, node: &Node| {
        let kind = Kind::ALL.into_iter().find(|kind| kind.section() == key);
        match kind {
            Some(kind) => map(node, |id, body| match id.parse() {
                Ok(id) => component(kind, &id, body),
                Err(_) => REDACTED.into(),
            }),
            None => service(node),
        }
    };
    map(root, section)
}

fn service(node: &Node) -> Value {
    map(node, |key, part| match key {
        "telemetry" => shown::<Telemetry>(part),
        "admin" => shown::<Admin>(part),
        _ => value(part),
    })
}

fn map(node: &Node, inner: impl Fn(&str, &Node) -> Value) -> Value {
    let entries = node.entries().into_iter();
    if node.as_map().is_some() {
        Value::Object(entries.map(|(key, entry)| (key.to_string(), inner(key, &entry.value))).collect())
    } else {
        value(node)
    }
}

fn value(node: &Node) -> Value {
    match (&node.data, node.written.as_deref()) {
        (_, Some(REDACTED)) => REDACTED.into(),
        (Data::List(items), _) => items.iter().map(value).collect(),
        (Data::Map(_), _) => {
            let entries = node.entries().into_iter();
            let entry = |key: &str, inner: &Node| match inner.data {
                Data::String(_) if is_telling(key) => REDACTED.into(),
                _ => value(inner),
            };
            Value::Object(entries.map(|(key, inner)| (key.to_string(), entry(key, &inner.value))).collect::<Map<_, _>>())
        }
        (_, Some(written)) if written.contains("${file:") => without_password(written).into(),
        (Data::Null, _) => Value::Null,
        (Data::Bool(truth), _) => (*truth).into(),
        (Data::Number(Number::Int(number)), _) => (*number).into(),
        (Data::Number(Number::Uint(number)), _) => (*number).into(),
        // JSON has no infinity.
        (Data::Number(Number::Float(number)), _) if !number.is_finite() => number.to_string().into(),
        (Data::Number(Number::Float(number)), _) => (*number).into(),
        (Data::String(text), _) => without_password(text).into(),
    }
}

/// `token_file` names a file and is none.
fn is_telling(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !key.ends_with("_file") && TELLING.iter().any(|part| key.contains(part))
}

/// Hides who logs in at an address: `https://user:password@host`.
fn without_password(text: &str) -> String {
    let hidden = text.split_once("://").and_then(|(scheme, rest)| {
        let authority = rest.split(['/', '?', '#']).next()?;
        let (user, _) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://{REDACTED}{}", rest.get(user.len()..)?))
    });
    hidden.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{Document, Secret, Source};

    #[derive(Default, serde::Deserialize, JsonSchema)]
    #[serde(default)]
    struct Body {
        token: Secret,
        tokens: Vec<Secret>,
        auth: BTreeMap<String, Secret>,
        maybe: Option<Secret>,
        headers: BTreeMap<String, String>,
        free: BTreeMap<String, Value>,
        url: String,
        count: u64,
    }

    const TEXT: &str = "\
receivers: {r: }
exporters:
  e:
    token: hunter2
    tokens: [hunter2, \"${env:TOKEN}\"]
    auth: {a: hunter2}
    maybe: hunter2
    headers: {Authorization: Bearer hunter2, x-scope: tenant, token_file: /run/t}
    free: {deep: [{password: hunter2, max_tokens: 5}]}
    url: https://me:hunter2@host/x@y
    count: ${env:COUNT}
    unknown: hunter2
service:
  admin: {token: hunter2}
  telemetry: {resource: {service.name: edge, api_key: hunter2}}
  pipelines: {logs: {receivers: [r], exporters: [e]}}
";

    #[test]
    fn secrets_are_hidden_wherever_they_stand_and_the_rest_is_shown() {
        let env = |name: &str| Some(if name == "COUNT" { "7" } else { "hunter2" }.to_owned());
        let examined = Document::examine(&[Source::Yaml(TEXT.to_owned())], &env);
        assert_eq!(examined.problems, []);
        let shown = examined.document.shown(&|_, _, node| shown::<Body>(node));
        let hidden = REDACTED;
        let expected = json!({
            "receivers": {"r": null},
            "exporters": {"e": {
                "token": hidden, "tokens": [hidden, hidden], "auth": {"a": hidden}, "maybe": hidden,
                "headers": {"Authorization": hidden, "x-scope": "tenant", "token_file": "/run/t"},
                "free": {"deep": [{"password": hidden, "max_tokens": 5}]},
                "url": "https://[REDACTED]@host/x@y", "count": 7
            }},
            "service": {
                "admin": {"token": hidden},
                "telemetry": {"resource": {"service.name": "edge", "api_key": hidden}},
                "pipelines": {"logs": {"receivers": ["r"], "exporters": ["e"]}}
            }
        });
        assert_eq!(shown, expected, "{shown:#}");
    }
}
