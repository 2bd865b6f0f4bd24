//! Decodes a tree into a component's configuration and reports everything that is wrong with it.
//!
//! Three passes, each of which finds all it can: the schema walk (unknown keys), serde (types and values), and the
//! configuration's own [`Validate`]. serde gives up at its first error, so the value it could not take is taken out and
//! the rest is decoded again, until nothing is wrong or nothing is left.

mod deserializer;
mod error;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::limits::MAX_PROBLEMS;
use crate::node::{Data, Node};
use crate::problem::{Issues, Problem, Validate};
use crate::schema;
use crate::value::REDACTED;
use deserializer::NodeDeserializer;
use error::DecodeError;

/// Returns the JSON Schema of what a type reads.
pub(crate) fn schema_of<T: JsonSchema>() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// Decodes the node that stands at `path`; null is an empty map, which leaves every default.
pub(crate) fn decode<T>(node: &Node, path: &[&str]) -> Result<T, Vec<Problem>>
where
    T: DeserializeOwned + Default + JsonSchema + Validate,
{
    let mut node = node.clone();
    if node.is_null() {
        node = Node::empty_map(node.origin);
    }
    let (mut shaped, mut problems) = schema::apply(&schema_of::<T>(), node, path);
    let mut decoded = None;
    let mut mistyped = false;
    while problems.len() < MAX_PROBLEMS {
        match serde_path_to_error::deserialize(NodeDeserializer(&shaped)) {
            Ok(value) => {
                decoded = Some(value);
                break;
            }
            Err(error) => {
                mistyped = true;
                let inner = segments(error.path());
                problems.push(describe(&shaped, path, &inner, error.inner()));
                let removable = !matches!(error.inner(), DecodeError::Missing(_))
                    && remove(&mut shaped, &inner);
                if !removable {
                    break;
                }
            }
        }
    }
    match decoded {
        // With values taken out there is nothing whole to validate.
        Some(value) if !mistyped => {
            validate(&value, &shaped, path, &mut problems);
            if problems.is_empty() {
                Ok(value)
            } else {
                Err(problems)
            }
        }
        _ => Err(problems),
    }
}

fn validate<T: Validate>(value: &T, node: &Node, path: &[&str], problems: &mut Vec<Problem>) {
    let mut issues = Issues::default();
    value.validate(&mut issues);
    for issue in issues.into_vec() {
        let (nearest, _) = node.walk(issue.path.iter().map(String::as_str));
        let full: Vec<&str> = path
            .iter()
            .copied()
            .chain(issue.path.iter().map(String::as_str))
            .collect();
        let mut problem =
            Problem::new(Some(nearest.origin.clone()), full.join("::"), issue.message);
        problem.allowed = Some(issue.allowed).filter(|allowed| !allowed.is_empty());
        problems.push(problem);
    }
}

/// Turns an error of serde into a problem.
fn describe(root: &Node, path: &[&str], inner: &[String], error: &DecodeError) -> Problem {
    let (node, steps) = root.walk(inner.iter().map(String::as_str));
    let full: Vec<&str> = path
        .iter()
        .copied()
        .chain(inner.iter().map(String::as_str))
        .collect();
    let origin = Some(node.origin.clone());
    let exact = steps == inner.len();
    let mut problem = match error {
        DecodeError::Type { expected } => {
            let got = if exact {
                node.data.type_name()
            } else {
                "nothing"
            };
            Problem::new(
                origin,
                full.join("::"),
                format!("expected {expected}, got {got}"),
            )
        }
        DecodeError::Variant { given, allowed } => {
            Problem::new(origin, full.join("::"), "unknown value")
                .with_allowed(given, allowed.iter().copied())
        }
        DecodeError::Missing(key) => {
            return Problem::new(origin, full.join("::"), format!("missing key {key:?}"));
        }
        DecodeError::Unknown { key, allowed } => {
            return Problem::new(origin, full.join("::"), format!("unknown key {key:?}"))
                .with_allowed(key, allowed.iter().copied());
        }
        DecodeError::Custom(message) => {
            Problem::new(origin, full.join("::"), scrubbed(message, node))
        }
    };
    if exact {
        problem.value = node.shown();
    }
    if problem.value.as_deref() == Some(REDACTED) {
        problem.suggestion = None;
    }
    problem
}

/// Takes the value out of a message that a type made up itself, when the value must not be shown.
fn scrubbed(message: &str, node: &Node) -> String {
    match (&node.written, node.as_str()) {
        (Some(_), Some(text)) if !text.is_empty() => message.replace(text, REDACTED),
        _ => message.to_owned(),
    }
}

fn segments(path: &serde_path_to_error::Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { variant } => Some(variant.clone()),
            Segment::Unknown => None,
        })
        .collect()
}

/// Takes the value at `path` out of the nearest map around it, so that its default takes its place. Items are not taken
/// out of lists, because the indexes of what follows would change.
fn remove(root: &mut Node, path: &[String]) -> bool {
    let (_, known) = root.walk(path.iter().map(String::as_str));
    for depth in (0..known).rev() {
        let (parents, rest) = path.split_at(depth);
        let Some(key) = rest.first() else { continue };
        if let Some(Data::Map(map)) = parents
            .iter()
            .try_fold(&mut *root, |node, step| step_mut(node, step))
            .map(|node| &mut node.data)
        {
            return map.remove(key.as_str()).is_some();
        }
    }
    false
}

fn step_mut<'a>(node: &'a mut Node, segment: &str) -> Option<&'a mut Node> {
    match &mut node.data {
        Data::Map(map) => map.get_mut(segment).map(|entry| &mut entry.value),
        Data::List(items) => items.get_mut(segment.parse::<usize>().ok()?),
        _ => None,
    }
}
