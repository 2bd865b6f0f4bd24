//! `${...}` in values, as the Collector expands it (`confmap/expand.go`).
//!
//! - `${scheme:rest}` with scheme `env`, `file` or `yaml`; `${NAME}` means `${env:NAME}`; `${env:NAME:-default}`. `$NAME` is text.
//! - Innermost first; what comes out is expanded again. Keys are not expanded.
//! - `$$` is one dollar sign; an odd number of dollar signs before `${` escapes it.
//! - A reference that is the whole value becomes what its text means as YAML, and keeps the text for fields of type text
//!   (`0123` is 83 for a number and `0123` for a text). What is no YAML, or means a text, is taken verbatim. Within a
//!   longer text the text is put in.
//!
//! What comes out of the environment stands, for every later message, where its reference stands. What comes out of a file
//! stands in that file: a misspelt key of an included rule is reported at its own line.
//!
//! Where the Collector stops expanding a text at the first escaped reference, this goes on with the next one.

mod file;
mod reference;

use std::ops::Range;
use std::sync::Arc;

use crate::digest::FileState;
use crate::limits::{Budget, MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_EXPANSIONS, MAX_FILE_NESTING};
use crate::node::{Data, Entry, Node, Origin};
use crate::problem::{Problem, Warning};
use crate::source::is_scheme;
use crate::yaml;
use file::{Content, Files, Unreadable, without_last_break};
use reference::{find_reference, inside, is_variable, unescape};

/// The schemes that can stand in `${scheme:...}`.
const SCHEMES: &str = "env, file, yaml";

/// The Collector's pattern of variable names, quoted in its error text.
const NAME_PATTERN: &str = "^[a-zA-Z_][a-zA-Z0-9_]*$";

/// Looks a variable up; a function, so that a test never touches the environment of its process.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What expanding a whole tree found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
    /// Where values stand that could not be expanded.
    pub(crate) failed: Vec<Origin>,
    /// Every file that a reference named, readable or not.
    pub(crate) files: Vec<FileState>,
}

/// Expands every value of a tree. A value that cannot be expanded stays as it is written and is reported.
pub(crate) fn expand(root: Node, env: Env<'_>) -> (Node, Findings) {
    let mut expander = Expander {
        env,
        path: Vec::new(),
        files: Files::default(),
        open: Vec::new(),
        produced: 0,
        budget: Budget::new(),
        findings: Findings::default(),
    };
    let root = expander.node(root);
    let Expander { files, mut findings, .. } = expander;
    findings.files.extend(files.into_states());
    (root, findings)
}

struct Expander<'a> {
    env: Env<'a>,
    path: Vec<String>,
    files: Files,
    /// The files that what is being expanded came out of, outermost first.
    open: Vec<String>,
    /// Bytes that all replacements have produced so far.
    produced: usize,
    /// What trees out of references may still add.
    budget: Budget,
    findings: Findings,
}

/// Why a reference was not expanded.
#[derive(Default)]
struct Refusal {
    message: String,
    allowed: Option<Box<str>>,
    suggestion: Option<Box<str>>,
    /// What is wrong in the file behind it; said instead of the message.
    in_file: Vec<Problem>,
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
    /// A file.
    File { path: String, text: Arc<str> },
}

impl Retrieved {
    fn len(&self) -> usize {
        match self {
            Self::Yaml(text) => text.len(),
            Self::EmptyText => 0,
            Self::File { text, .. } => text.len(),
        }
    }
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
            self.report(refusal, origin);
            Node { data: Data::String(Arc::clone(text)), origin: origin.clone(), raw: None, written }
        })
    }

    fn report(&mut self, refusal: Refusal, origin: &Origin) {
        let path = self.path.join("::");
        if refusal.in_file.is_empty() {
            let problem = Problem::new(Some(origin.clone()), path, refusal.message);
            self.findings.problems.push(Problem { allowed: refusal.allowed, suggestion: refusal.suggestion, ..problem });
        } else {
            let told = |problem: Problem| {
                let message = format!("{} (the file is named at {origin})", problem.message);
                Problem { path: path.clone(), message, ..problem }
            };
            self.findings.problems.extend(refusal.in_file.into_iter().map(told));
        }
        self.findings.failed.push(origin.clone());
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
            let found = match retrieved {
                Retrieved::Yaml(found) => found,
                Retrieved::EmptyText => return Ok(self.leaf(Data::String("".into()), "", origin, written)),
                Retrieved::File { path, text } => return self.file(path, &text, written),
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
        self.admit(&tree)?;
        let node = self.node(tree.moved(origin, written));
        let raw = self.inline(text, origin);
        Ok(Node { raw, ..node })
    }

    /// Takes what a file holds in the place of a reference to it. A list or map is shown in messages as it is written there; a
    /// single value as its reference, because files of one value hold secrets more often than not.
    fn file(&mut self, path: String, text: &str, written: Option<&Arc<str>>) -> Result<Node, Refusal> {
        if self.open.contains(&path) {
            return Err(format!("file {path} contains itself: {} -> {path}", self.open.join(" -> ")).into());
        }
        if self.open.len() >= MAX_FILE_NESTING {
            return Err(format!("files refer to files more than {MAX_FILE_NESTING} deep").into());
        }
        self.charge(text.len())?;
        let in_file = |in_file| Refusal { in_file, ..Refusal::default() };
        let (content, warnings) = file::content(&path, text).map_err(in_file)?;
        self.findings.warnings.extend(warnings);
        let text = without_last_break(text);
        self.open.push(path);
        let node = match content {
            Content::Tree(tree) => self.file_tree(tree, text),
            Content::Scalar(scalar) => Ok(self.leaf(scalar.data, text, &scalar.origin, written)),
            Content::Text(origin) => Ok(self.text_or_refusal(&text.into(), &origin, written.cloned())),
        };
        self.open.pop();
        node
    }

    /// Takes a list or map out of a file. A field of type text gets the text of the file, unless something in it is a reference.
    fn file_tree(&mut self, tree: Node, text: &str) -> Result<Node, Refusal> {
        self.admit(&tree)?;
        let raw = find_reference(text).is_none().then(|| unescape(text).into());
        Ok(Node { raw, ..self.node(tree) })
    }

    /// Refuses a tree that would make the whole too large or too deep.
    fn admit(&mut self, tree: &Node) -> Result<(), Refusal> {
        let size = tree.measure();
        self.budget.charge(size)?;
        if self.path.len() + size.height > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels").into());
        }
        Ok(())
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
        // Before a file is looked at: that costs in proportion to its length.
        self.charge(text.len() + retrieved.len())?;
        let found = match retrieved {
            Retrieved::Yaml(found) => found.as_str(),
            Retrieved::EmptyText => "",
            Retrieved::File { path, text } => within_text(path, text)?,
        };
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
            "file" => self.read(rest),
            "yaml" => Ok(Retrieved::Yaml(rest.to_owned())),
            _ => Err(unsupported(scheme, rest, &uri)),
        }
    }

    fn read(&mut self, path: &str) -> Result<Retrieved, Refusal> {
        match self.files.text(path) {
            Ok(text) => Ok(Retrieved::File { path: path.to_owned(), text }),
            Err(Unreadable::Refused(message)) => Err(message.into()),
            Err(Unreadable::NoText(problem)) => Err(Refusal { in_file: vec![problem], ..Refusal::default() }),
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
    let message = format!("scheme {scheme:?} is not supported for uri {uri:?}");
    Refusal { message, allowed: Some(SCHEMES.into()), suggestion, in_file: Vec::new() }
}

/// Returns what a reference to a file puts into a longer text: one value, without the line break at its end.
fn within_text<'a>(path: &str, text: &'a str) -> Result<&'a str, Refusal> {
    match file::content(path, text) {
        Ok((Content::Tree(tree), _)) => {
            let message = format!("file {path} holds a {}, which cannot stand within a text", tree.data.type_name());
            Err(Refusal {
                allowed: Some("a file with a single value, or the reference as the whole value".into()),
                ..message.into()
            })
        }
        _ => Ok(without_last_break(text)),
    }
}

/// Reads the text behind a whole-value reference; `None` when it means a text, as does everything that is no YAML.
fn parsed(text: &str) -> Option<Node> {
    let text = yaml::text("", text.as_bytes()).ok()?;
    let root = yaml::parse("", text).ok()?.root.unwrap_or_else(|| Node::new(Data::Null, Origin::whole("")));
    if root.as_str().is_some() { None } else { Some(root) }
}

#[cfg(test)]
mod tests;
