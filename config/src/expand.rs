//! `${...}` in values, as the Collector expands it (`confmap/expand.go`).
//!
//! - `${scheme:rest}` with scheme `env` or `yaml`; `${NAME}` means `${env:NAME}`; `${env:NAME:-default}`. `$NAME` is text.
//! - Innermost first; what comes out is expanded again. Keys are not expanded.
//! - `$$` is one dollar sign; an odd number of dollar signs before `${` escapes it.
//! - A reference that is the whole value becomes what its text means as YAML, and keeps the text for fields of type text
//!   (`0123` is 83 for a number and `0123` for a text). What is no YAML, or means a text, is taken verbatim. Within a
//!   longer text the text is put in.
//!
//! Where the Collector stops expanding a text at the first escaped reference, this goes on with the next one.

mod reference;

use std::ops::Range;
use std::sync::Arc;

use crate::limits::{Budget, MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_EXPANSIONS};
use crate::node::{Data, Entry, Node, Origin};
use crate::problem::{Problem, Warning};
use crate::source::is_scheme;
use crate::yaml;
use reference::{find_reference, inside, is_variable, unescape};

/// The schemes that can stand in `${scheme:...}`.
const SCHEMES: &str = "env, yaml";

/// The Collector's pattern of variable names, quoted in its error text.
const NAME_PATTERN: &str = "^[a-zA-Z_][a-zA-Z0-9_]*$";

/// Looks a variable up; a function, so that a test never touches the environment of its process.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What expanding a whole tree found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
}

/// Expands every value of a tree. A value that cannot be expanded stays as it is written and is reported.
pub(crate) fn expand(root: Node, env: Env<'_>) -> (Node, Findings) {
    let mut expander = Expander { env, path: Vec::new(), produced: 0, budget: Budget::new(), findings: Findings::default() };
    let root = expander.node(root);
    (root, expander.findings)
}

struct Expander<'a> {
    env: Env<'a>,
    path: Vec<String>,
    /// Bytes that all replacements have produced so far.
    produced: usize,
    /// What trees out of the environment may still add.
    budget: Budget,
    findings: Findings,
}

/// Why a reference was not expanded.
#[derive(Default)]
struct Refusal {
    message: String,
    allowed: Option<Box<str>>,
    suggestion: Option<Box<str>>,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self { message, ..Self::default() }
    }
}

/// What stands behind a reference.
enum Retrieved {
    /// Text to be read as YAML.
    Yaml(String),
    /// The empty text of `${env:NAME:-}`, which is a text and not null.
    EmptyText,
}

impl Expander<'_> {
    fn node(&mut self, mut node: Node) -> Node {
        node.data = match node.data {
            Data::String(text) if text.contains('$') => {
                return self.text_or_refusal(&text, &node.origin, node.written);
            }
            Data::List(items) => {
                Data::List(items.into_iter().enumerate().map(|(index, item)| self.within(index.to_string(), item)).collect())
            }
            Data::Map(map) => Data::Map(
                map.into_iter()
                    .map(|(key, entry)| {
                        let value = self.within(key.to_string(), entry.value);
                        (key, Entry { value, ..entry })
                    })
                    .collect(),
            ),
            data => data,
        };
        node
    }

    fn text_or_refusal(&mut self, text: &Arc<str>, origin: &Origin, written: Option<Arc<str>>) -> Node {
        let written = written.or_else(|| find_reference(text).map(|_| Arc::clone(text)));
        self.text(text, origin, written.as_ref()).unwrap_or_else(|refusal| {
            let problem = Problem::new(Some(origin.clone()), self.path.join("::"), refusal.message);
            self.findings.problems.push(Problem { allowed: refusal.allowed, suggestion: refusal.suggestion, ..problem });
            Node { data: Data::String(Arc::clone(text)), origin: origin.clone(), raw: None, written }
        })
    }

    fn within(&mut self, segment: String, node: Node) -> Node {
        self.path.push(segment);
        let node = self.node(node);
        self.path.pop();
        node
    }

    /// Expands a text until nothing is left to expand.
    fn text(&mut self, text: &str, origin: &Origin, written: Option<&Arc<str>>) -> Result<Node, Refusal> {
        let mut text = text.to_owned();
        for _ in 0..MAX_EXPANSIONS {
            let Some(range) = find_reference(&text) else {
                let data = Data::String(unescape(&text).into());
                return Ok(Node { data, origin: origin.clone(), raw: None, written: written.cloned() });
            };
            let whole = range == (0..text.len());
            let retrieved = self.retrieve(inside(&text, &range), origin)?;
            if !whole {
                text = self.replaced(&text, range, &retrieved)?;
                continue;
            }
            let Retrieved::Yaml(found) = retrieved else {
                return Ok(self.leaf(Data::String("".into()), "", origin, written));
            };
            self.charge(found.len())?;
            match parsed(&found) {
                None => text = found,
                Some(tree) if matches!(tree.data, Data::List(_) | Data::Map(_)) => {
                    return self.tree(tree, &found, origin, written);
                }
                Some(scalar) => return Ok(self.leaf(scalar.data, &found, origin, written)),
            }
        }
        Err("too many recursive expansions".to_owned().into())
    }

    /// Makes the node of a scalar that came out of a reference, with the text it came as.
    fn leaf(&mut self, data: Data, text: &str, origin: &Origin, written: Option<&Arc<str>>) -> Node {
        let raw = self.inline(text, origin);
        Node { data, origin: origin.clone(), raw, written: written.cloned() }
    }

    /// Takes a list or map that came out of a reference: everything in it stands where the reference stands.
    fn tree(&mut self, tree: Node, text: &str, origin: &Origin, written: Option<&Arc<str>>) -> Result<Node, Refusal> {
        let size = tree.measure();
        self.budget.charge(size)?;
        if self.path.len() + size.height > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels").into());
        }
        let node = self.node(tree.moved(origin, written));
        let raw = self.inline(text, origin);
        Ok(Node { raw, ..node })
    }

    /// Expands the text beside a value, for fields of type text. What cannot be expanded in it (a comment may hold
    /// anything) only means that there is no text.
    fn inline(&mut self, text: &str, origin: &Origin) -> Option<Arc<str>> {
        let (problems, warnings) = (self.findings.problems.len(), self.findings.warnings.len());
        let mut text = text.to_owned();
        let mut result = None;
        for _ in 0..MAX_EXPANSIONS {
            let Some(range) = find_reference(&text) else {
                result = Some(unescape(&text).into());
                break;
            };
            let Ok(next) = self.retrieve(inside(&text, &range), origin).and_then(|found| self.replaced(&text, range, &found))
            else {
                break;
            };
            text = next;
        }
        self.findings.problems.truncate(problems);
        self.findings.warnings.truncate(warnings);
        result
    }

    fn replaced(&mut self, text: &str, range: Range<usize>, retrieved: &Retrieved) -> Result<String, Refusal> {
        let found = if let Retrieved::Yaml(found) = retrieved { found.as_str() } else { "" };
        self.charge(text.len() + found.len())?;
        let mut result = text.to_owned();
        result.replace_range(range, found);
        Ok(result)
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.produced = self.produced.saturating_add(bytes);
        if self.produced > MAX_EXPANDED_BYTES {
            return Err(format!("expansions produce more than {MAX_EXPANDED_BYTES} bytes").into());
        }
        Ok(())
    }

    fn retrieve(&mut self, reference: &str, origin: &Origin) -> Result<Retrieved, Refusal> {
        let (scheme, rest) = reference.split_once(':').unwrap_or(("env", reference));
        let uri = format!("{scheme}:{rest}");
        if !is_scheme(scheme) {
            return Err(format!("invalid uri: {uri:?}").into());
        }
        if rest.contains('$') {
            return Err(format!("the uri {uri:?} contains unsupported characters ('$')").into());
        }
        match scheme {
            "env" => self.variable(rest, origin),
            "yaml" => Ok(Retrieved::Yaml(rest.to_owned())),
            _ => Err(unsupported(scheme, rest, &uri)),
        }
    }

    fn variable(&mut self, reference: &str, origin: &Origin) -> Result<Retrieved, Refusal> {
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        if !is_variable(name) {
            return Err(format!("environment variable {name:?} has invalid name: must match regex {NAME_PATTERN}").into());
        }
        match ((self.env)(name), default) {
            (Some(text), _) => Ok(Retrieved::Yaml(text)),
            (None, Some("")) => Ok(Retrieved::EmptyText),
            (None, Some(default)) => Ok(Retrieved::Yaml(default.to_owned())),
            (None, None) => {
                let message = format!("configuration references unset environment variable {name:?}");
                let warning = Warning(Problem::new(Some(origin.clone()), self.path.join("::"), message));
                if !self.findings.warnings.contains(&warning) {
                    self.findings.warnings.push(warning);
                }
                Ok(Retrieved::Yaml(String::new()))
            }
        }
    }
}

/// Refuses a scheme. `${NAME:-default}` looks like one; the Collector refuses it too, without saying what is meant.
fn unsupported(scheme: &str, rest: &str, uri: &str) -> Refusal {
    let suggestion = rest.starts_with('-').then(|| format!("${{env:{scheme}:{rest}}}").into());
    Refusal { message: format!("scheme {scheme:?} is not supported for uri {uri:?}"), allowed: Some(SCHEMES.into()), suggestion }
}

/// Reads the text behind a whole-value reference; `None` when it means a text, as does everything that is no YAML.
fn parsed(text: &str) -> Option<Node> {
    let text = yaml::text("", text.as_bytes()).ok()?;
    let root = yaml::parse("", text).ok()?.root.unwrap_or_else(|| Node::new(Data::Null, Origin::whole("")));
    if root.as_str().is_some() { None } else { Some(root) }
}

#[cfg(test)]
mod tests;
