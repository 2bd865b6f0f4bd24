//! What is wrong with a configuration, said so that it can be mended without reading the source.

use std::fmt;

use crate::limits::MAX_PROBLEMS;
use crate::node::{Node, Origin};

/// Longest value or key shown in a message, in characters.
const SHOWN_MAX: usize = 80;

/// Longest word a nearest name is looked for, in bytes: the comparison costs the product of both lengths.
const WORD_MAX: usize = 64;

/// One thing that is wrong, with everything known about it. `Display` is one line:
/// `config.yaml:12:5: processors::threshold/slow::limt: unknown key "limt"; allowed: limit, match; did you mean "limit"?`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, when it stands anywhere.
    pub origin: Option<Origin>,
    /// Key path, `a::b::c`; empty for the document as a whole.
    pub path: String,
    /// The refused value as it may be shown; never a secret, never what came out of the environment.
    pub value: Option<Box<str>>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub allowed: Option<Box<str>>,
    /// The nearest right name.
    pub suggestion: Option<Box<str>>,
}

impl Problem {
    /// Makes a problem without value, allowed set or suggestion.
    pub fn new(origin: Option<Origin>, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { origin, path: path.into(), value: None, message: message.into(), allowed: None, suggestion: None }
    }

    /// Adds the allowed names and, if one is near, the nearest to `word`.
    #[must_use]
    pub fn with_allowed<'a>(mut self, word: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        self.suggestion = nearest(word, names.iter().copied()).map(Into::into);
        self.allowed = Some(if names.is_empty() { "none".into() } else { names.join(", ").into() });
        self
    }

    /// Adds what would be right, in words.
    #[must_use]
    pub fn with_allowed_text(mut self, text: impl Into<Box<str>>) -> Self {
        self.allowed = Some(text.into());
        self
    }

    /// Adds the nearest name only, for sets too large to list.
    #[must_use]
    pub fn with_suggestion<'a>(mut self, word: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.suggestion = nearest(word, names).map(Into::into);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", one_line(&self.path))?;
        }
        f.write_str(&one_line(&self.message))?;
        if let Some(value) = &self.value {
            write!(f, "; value: {}", shortened(&one_line(value)))?;
        }
        if let Some(allowed) = &self.allowed {
            write!(f, "; allowed: {}", one_line(allowed))?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean {suggestion:?}?")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Something worth saying that stops nothing, for example an unset variable. `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(pub Problem);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A configuration that can check itself beyond what its types say.
pub trait Validate {
    /// Reports everything that is wrong; the default finds nothing.
    fn validate(&self, _problems: &mut Issues) {}
}

/// Collects what [`Validate`] finds, by key path relative to the component.
#[derive(Debug, Default)]
pub struct Issues {
    prefix: Vec<String>,
    found: Vec<Issue>,
}

/// One finding of [`Validate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Key path relative to the component; list items by index.
    pub path: Vec<String>,
    /// What is wrong. Names the value; lower case, no full stop.
    pub message: String,
    /// What would be right, or an empty text.
    pub allowed: String,
}

impl Issues {
    /// Reports a problem at `key`, a path such as `rules::1::value` or an empty text for the component as a whole.
    /// `allowed` says what would be right; empty when the message says it already.
    pub fn push(&mut self, key: &str, message: impl Into<String>, allowed: impl Into<String>) {
        let mut path = self.prefix.clone();
        path.extend(key.split("::").filter(|part| !part.is_empty()).map(str::to_owned));
        self.found.push(Issue { path, message: message.into(), allowed: allowed.into() });
    }

    /// Checks a part of the configuration that stands at `key`, a path as in [`Issues::push`].
    pub fn within<T: Validate + ?Sized>(&mut self, key: &str, part: &T) {
        let depth = self.prefix.len();
        self.prefix.extend(key.split("::").map(str::to_owned));
        part.validate(self);
        self.prefix.truncate(depth);
    }

    /// Checks each item of a list that stands at `key`.
    pub fn each<'a, T: Validate + 'a>(&mut self, key: &str, items: impl IntoIterator<Item = &'a T>) {
        for (index, item) in items.into_iter().enumerate() {
            self.within(&format!("{key}::{index}"), item);
        }
    }

    /// Returns what was found.
    pub fn into_vec(self) -> Vec<Issue> {
        self.found
    }
}

/// Finds the name nearest to a misspelt word: at most one edit in three letters, and at least one allowed.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_MAX {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1);
    names
        .into_iter()
        .filter(|name| name.len() <= WORD_MAX)
        .map(|name| (strsim::osa_distance(word, name), name))
        .filter(|(distance, name)| *distance <= limit && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Puts problems into reading order and cuts them at [`MAX_PROBLEMS`], saying how many were left out.
pub(crate) fn finished(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| a.origin.cmp(&b.origin));
    problems.dedup();
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    if more > 0 {
        problems.truncate(MAX_PROBLEMS);
        problems.push(Problem::new(None, "", format!("and {more} more problems")));
    }
    problems
}

/// Makes the problem of a node at a path.
pub(crate) fn at(node: &Node, path: &[&str], message: impl Into<String>) -> Problem {
    Problem::new(Some(node.origin.clone()), path.join("::"), message)
}

/// Shortens a text for a message.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Escapes line breaks and other controls, so that a text is one line and cannot steer a terminal. What is shown may come from a file,
/// or from another process's memory.
pub fn one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

#[cfg(test)]
mod tests;
