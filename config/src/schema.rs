//! Checks a component's tree against its JSON Schema and brings it into the shape its types expect.
//!
//! serde stops at the first unknown key and does not know where it stands. The schema, which every configuration has for
//! editors anyway, knows all keys at every depth, so all unknown ones are found in one walk. The same walk does what the
//! Collector's decoder does by field type, because only here the type is known before the value is read:
//! the text of a variable goes to fields of type text, `a,b` becomes a list, null leaves the default.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::node::{Data, Node};
use crate::problem::{Problem, shortened};
use crate::value::REDACTED;

/// Marks a property for which null means "present, with defaults", for example `grpc:` in the OTLP receiver:
/// `#[schemars(extend("x-null-is-empty" = true))]`.
const NULL_IS_EMPTY: &str = "x-null-is-empty";

/// Most schemas that may apply to one value: references that go in circles end here.
const MAX_APPLICABLE: usize = 256;

/// Checks `node`, which stands at `path`, and returns what serde is to read, without unknown keys.
pub(crate) fn apply(schema: &Value, node: Node, path: &[&str]) -> (Node, Vec<Problem>) {
    let mut walk = Walk { root: schema, path: path.iter().map(|part| (*part).to_owned()).collect(), problems: Vec::new() };
    let node = walk.node(node, &[schema]);
    (node, walk.problems)
}

struct Walk<'s> {
    root: &'s Value,
    path: Vec<String>,
    problems: Vec<Problem>,
}

impl<'s> Walk<'s> {
    fn node(&mut self, node: Node, schemas: &[&'s Value]) -> Node {
        let mut applicable = Vec::new();
        for schema in schemas {
            collect(self.root, schema, &node, &mut applicable);
        }
        let facts = Facts::of(&applicable);
        let mut node = facts.fitted(node);
        node.data = match node.data {
            Data::Map(_) => return self.map(node, &facts),
            Data::List(items) => Data::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| self.within(index.to_string(), item, &facts.items(index)))
                    .collect(),
            ),
            data => data,
        };
        node
    }

    fn within(&mut self, segment: String, node: Node, schemas: &[&'s Value]) -> Node {
        self.path.push(segment);
        let node = self.node(node, schemas);
        self.path.pop();
        node
    }

    /// Null under a key of a free-form map has no default to leave, so it means "empty", as in the Collector.
    fn zero_if_null(&self, mut node: Node, schemas: &[&'s Value]) -> Node {
        if node.is_null() {
            let mut applicable = Vec::new();
            for schema in schemas {
                collect(self.root, schema, &node, &mut applicable);
            }
            let facts = Facts::of(&applicable);
            if facts.types.contains("null") {
                return node;
            } else if facts.only("object") {
                node.data = Data::Map(BTreeMap::new());
            } else if facts.only("string") {
                node.data = Data::String("".into());
            }
        }
        node
    }

    fn map(&mut self, node: Node, facts: &Facts<'s>) -> Node {
        let Node { data, origin, raw, written } = node;
        let Data::Map(map) = data else {
            return Node { data, origin, raw, written };
        };
        let mut kept = BTreeMap::new();
        for (key, mut entry) in map {
            let schemas = facts.property(&key);
            if !schemas.is_empty() {
                let value = self.within(key.to_string(), entry.value, &schemas);
                if value.is_null() {
                    continue;
                }
                entry.value = value;
            } else if facts.closed() {
                let message = format!("unknown key {:?}", shortened(&key));
                let path = self.path.iter().map(String::as_str).chain([&*key]).collect::<Vec<_>>().join("::");
                self.problems.push(Problem::new(Some(entry.key_origin), path, message).with_allowed(&key, facts.names()));
                continue;
            } else if !facts.values.is_empty() {
                let value = self.within(key.to_string(), entry.value, &facts.values);
                entry.value = self.zero_if_null(value, &facts.values);
            }
            kept.insert(key, entry);
        }
        Node { data: Data::Map(kept), origin, raw, written }
    }
}

/// What all schemas that apply to one value say together.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate statement of a schema")]
struct Facts<'s> {
    types: BTreeSet<&'s str>,
    properties: Vec<&'s Map<String, Value>>,
    /// Schemas of the values of keys that are not listed.
    values: Vec<&'s Value>,
    /// Keys that are not listed are let through.
    open: bool,
    lists: Vec<&'s Value>,
    tuples: Vec<&'s Vec<Value>>,
    secret: bool,
    null_is_empty: bool,
    /// Takes certain texts only: names, or a format such as a duration.
    choosy: bool,
}

impl<'s> Facts<'s> {
    fn of(applicable: &[&'s Value]) -> Self {
        let mut facts = Self::default();
        for schema in applicable.iter().filter_map(|schema| schema.as_object()) {
            facts.types.extend(types(schema));
            facts.properties.extend(schema.get("properties").and_then(Value::as_object));
            for rest in ["additionalProperties", "unevaluatedProperties"].iter().filter_map(|key| schema.get(*key)) {
                match rest {
                    Value::Bool(open) => facts.open |= open,
                    rest => facts.values.push(rest),
                }
            }
            facts.values.extend(schema.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(Map::values));
            facts.lists.extend(schema.get("items").filter(|items| items.is_object()));
            facts.tuples.extend(schema.get("prefixItems").and_then(Value::as_array));
            facts.secret |= schema.get("format").and_then(Value::as_str) == Some("password") || is_true(schema, "writeOnly");
            facts.null_is_empty |= is_true(schema, NULL_IS_EMPTY);
            facts.choosy |= schema.contains_key("enum") || schema.contains_key("const");
            facts.choosy |= schema.get("format").is_some_and(|format| format != "password");
        }
        facts
    }

    /// Says whether keys that are not listed are unknown: a map without listed keys is free-form.
    fn closed(&self) -> bool {
        !self.properties.is_empty() && !self.open && self.values.is_empty()
    }

    fn property(&self, key: &str) -> Vec<&'s Value> {
        self.properties.iter().filter_map(|properties| properties.get(key)).collect()
    }

    fn names(&self) -> BTreeSet<&'s str> {
        self.properties.iter().flat_map(|properties| properties.keys().map(String::as_str)).collect()
    }

    fn items(&self, index: usize) -> Vec<&'s Value> {
        let fixed: Vec<_> = self.tuples.iter().filter_map(|tuple| tuple.get(index)).collect();
        if fixed.is_empty() { self.lists.clone() } else { fixed }
    }

    fn only(&self, wanted: &str) -> bool {
        self.types.contains(wanted) && self.types.iter().all(|name| *name == wanted || *name == "null")
    }

    /// Adapts a value to the type of its field, and marks a secret so that no message shows it.
    fn fitted(&self, mut node: Node) -> Node {
        let is_empty = node.is_null() || node.as_str() == Some("");
        if self.choosy && node.written.is_some() && is_empty {
            // A variable that holds nothing sets nothing; only a field that takes any text takes the empty one.
            return Node { data: Data::Null, raw: None, ..node };
        }
        let nullable = self.types.contains("null");
        if self.only("string")
            && !(nullable && node.is_null())
            && let Some(raw) = node.raw.take()
        {
            node.data = Data::String(raw);
        }
        if let (true, Some(text)) = (self.only("array"), node.as_str()) {
            let item = |part: &str| Node { data: Data::String(Arc::from(part)), ..node.clone_shallow() };
            node.data = Data::List(if text.is_empty() { Vec::new() } else { text.split(',').map(item).collect() });
        }
        if self.null_is_empty && node.is_null() {
            node.data = Data::Map(BTreeMap::new());
        }
        if self.secret {
            node.written = Some(REDACTED.into());
        }
        node
    }
}

fn is_true(schema: &Map<String, Value>, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool) == Some(true)
}

/// Collects every schema that applies to a value: the schema itself, what it refers to, all of `allOf`, and of `anyOf`
/// and `oneOf` the branch that fits best.
fn collect<'s>(root: &'s Value, schema: &'s Value, node: &Node, found: &mut Vec<&'s Value>) {
    if found.len() >= MAX_APPLICABLE {
        return;
    }
    found.push(schema);
    if let Some(target) = schema.get("$ref").and_then(|reference| resolve(root, reference)) {
        collect(root, target, node, found);
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        collect(root, part, node, found);
    }
    for key in ["anyOf", "oneOf"] {
        let branches = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        // The first of equals: `max_by_key` would take the last.
        if let Some(best) = branches.rev().max_by_key(|branch| fit(root, branch, node)) {
            collect(root, best, node, found);
        }
    }
}

/// Follows a `$ref` within the document, `#/$defs/Name` or `#`.
fn resolve<'s>(root: &'s Value, reference: &Value) -> Option<&'s Value> {
    root.pointer(reference.as_str()?.strip_prefix('#')?)
}

/// Rates how well a branch fits a value, by what can be seen without going deeper: a tag that matches, the type, the keys.
fn fit(root: &Value, branch: &Value, node: &Node) -> i64 {
    let mut target = branch;
    for _ in 0..MAX_APPLICABLE {
        match target.get("$ref").and_then(|reference| resolve(root, reference)) {
            Some(next) => target = next,
            None => break,
        }
    }
    let Some(schema) = target.as_object() else {
        return 0;
    };
    let mut score = 0;
    let mut types = types(schema).peekable();
    if types.peek().is_some() {
        score += if types.any(|name| accepts(name, node)) { 10 } else { -100 };
    }
    if let Some(text) = node.as_str() {
        let named = schema.get("enum").and_then(Value::as_array).is_some_and(|names| names.iter().any(|name| name == text));
        score += if named || schema.get("const").is_some_and(|name| name == text) { 100 } else { 0 };
    }
    let Some(map) = node.as_map() else {
        return score;
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, entry) in map {
        match properties.and_then(|properties| properties.get(&**key)) {
            None => score -= 1,
            Some(property) => match (property.get("const"), entry.value.as_str()) {
                (Some(tag), Some(text)) => score += if tag == text { 1000 } else { -1000 },
                _ => score += 1,
            },
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    score - 10 * i64::try_from(required.filter(|key| !map.contains_key(*key)).count()).unwrap_or(i64::MAX / 16)
}

fn types(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    names.into_iter()
}

fn accepts(name: &str, node: &Node) -> bool {
    match name {
        "null" => node.is_null(),
        "boolean" => matches!(node.data, Data::Bool(_)),
        "integer" => node.data.type_name() == "integer",
        "number" => matches!(node.data, Data::Number(_)),
        // A list or map that came out of a reference has its text too, but means a text only where nothing else fits.
        "string" => match node.data {
            Data::String(_) => true,
            Data::List(_) | Data::Map(_) => false,
            _ => node.raw.is_some(),
        },
        "array" => matches!(node.data, Data::List(_)),
        "object" => matches!(node.data, Data::Map(_)),
        _ => false,
    }
}
