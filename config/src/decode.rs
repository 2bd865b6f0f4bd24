//! Decodes a tree into a component's configuration and reports everything that is wrong with it.
//!
//! Three passes, each of which finds all it can: the schema walk (unknown keys), serde (types and values), and the
//! configuration's own [`Validate`]. serde gives up at its first error, so the value it could not take is taken out and
//! the rest is decoded again, until nothing is wrong or nothing is left.

mod deserializer;
mod error;
mod removed;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::expand::{Env, expand};
use crate::limits::MAX_PROBLEMS;
use crate::node::{Data, Node, Origin};
use crate::problem::{Issues, Problem, Validate, Warning, finished};
use crate::value::REDACTED;
use crate::{schema, yaml};
use deserializer::NodeDeserializer;
use error::DecodeError;
use removed::Removed;

/// Returns the JSON Schema of what a type reads.
pub(crate) fn schema_of<T: JsonSchema>() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>().to_value()
}

/// Decodes a text that is no configuration but a part of one or beside one, for example rules that are built in, with the
/// problems that [`crate::Document::decode`] reports: unknown keys, wrong types, what [`Validate`] finds, each with line and
/// column under `name`. References (`${...}`) are not expanded.
pub fn decode_text<T>(name: &str, text: &str) -> Result<T, Vec<Problem>>
where
    T: DeserializeOwned + Default + JsonSchema + Validate,
{
    let text = yaml::text(name, text.as_bytes()).map_err(|problem| vec![problem])?;
    let root = yaml::parse(name, text).map_err(finished)?.root;
    let root = root.unwrap_or_else(|| Node::empty_map(Origin::whole(name)));
    decode(&root, &[]).map_err(finished)
}

/// Decodes a file as [`decode_text`] does a text, with references expanded as they are where `${file:PATH}` stands in a
/// configuration. `env` looks variables up. Also returns what is odd about the file.
pub fn decode_file<T>(path: &str, env: Env<'_>) -> Result<(T, Vec<Warning>), Vec<Problem>>
where
    T: DeserializeOwned + Default + JsonSchema + Validate,
{
    let reference = Node::new(Data::String(format!("${{file:{path}}}").into()), Origin::whole(path));
    let (root, findings) = expand(reference, env);
    if !findings.problems.is_empty() {
        return Err(finished(findings.problems));
    }
    Ok((decode(&root, &[]).map_err(finished)?, findings.warnings))
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
    let mut removed = Removed::default();
    let decoded = loop {
        let error = match serde_path_to_error::deserialize(NodeDeserializer(&shaped)) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let here = segments(error.path());
        let inner = removed.original(&shaped, &here);
        if !removed.explains(&inner, error.inner()) {
            let problem = describe(&shaped, &here, error.inner());
            problems.push(Problem { path: joined(path, &inner), ..problem });
        }
        if problems.len() >= MAX_PROBLEMS || !removed.remove(&mut shaped, &here, inner) {
            break None;
        }
    };
    match decoded {
        // With values taken out there is nothing whole to validate.
        Some(value) if removed.is_empty() => {
            validate(&value, &shaped, path, &mut problems);
            if problems.is_empty() { Ok(value) } else { Err(problems) }
        }
        _ => Err(problems),
    }
}

fn validate<T: Validate>(value: &T, node: &Node, path: &[&str], problems: &mut Vec<Problem>) {
    let mut issues = Issues::default();
    value.validate(&mut issues);
    let misspelt: Vec<String> =
        problems.iter().filter_map(|problem| Some(problem.path.rsplit_once("::")?.0.to_owned())).collect();
    for issue in issues.into_vec() {
        let (nearest, steps) = node.walk(issue.path.iter().map(String::as_str));
        let parent = issue.path.split_last().map_or(&[][..], |(_, parent)| parent);
        // What is missing beside an unknown key is most likely that key.
        if steps < issue.path.len() && misspelt.contains(&joined(path, parent)) {
            continue;
        }
        let message = if steps == issue.path.len() { scrubbed(&issue.message, nearest) } else { issue.message };
        let mut problem = Problem::new(Some(nearest.origin.clone()), joined(path, &issue.path), message);
        problem.allowed = (!issue.allowed.is_empty()).then(|| issue.allowed.into());
        problems.push(problem);
    }
}

fn joined(path: &[&str], inner: &[String]) -> String {
    path.iter().copied().chain(inner.iter().map(String::as_str)).collect::<Vec<_>>().join("::")
}

/// Turns an error of serde about the value at `here` into a problem, which still lacks its path.
fn describe(root: &Node, here: &[String], error: &DecodeError) -> Problem {
    let (node, steps) = root.walk(here.iter().map(String::as_str));
    let problem = |message: String| Problem::new(Some(node.origin.clone()), "", message);
    let exact = steps == here.len();
    let mut problem = match error {
        DecodeError::Type { expected } => {
            let got = if exact { node.data.type_name() } else { "nothing" };
            problem(format!("expected {expected}, got {got}"))
        }
        DecodeError::Variant { given, allowed } => {
            problem("unknown value".to_owned()).with_allowed(given, allowed.iter().copied())
        }
        DecodeError::Missing(key) => return problem(format!("missing key {key:?}")),
        DecodeError::Unknown { key, allowed } => {
            return problem(format!("unknown key {key:?}")).with_allowed(key, allowed.iter().copied());
        }
        DecodeError::Custom(message) => problem(scrubbed(message, node)),
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
