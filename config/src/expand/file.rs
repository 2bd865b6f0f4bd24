//! Files that references name.
//!
//! Each is read once per configuration, so that two references to one file never see two versions of it. A device or a pipe is
//! not read: opening one may wait for ever.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::digest::FileState;
use crate::limits::MAX_EXPANDED_BYTES;
use crate::node::{Data, Node, Origin};
use crate::problem::{Problem, Warning};
use crate::source::read_file;
use crate::yaml;

/// What was read so far, by path as written.
#[derive(Debug, Default)]
pub(super) struct Files {
    read: BTreeMap<String, (Result<Arc<str>, Unreadable>, FileState)>,
    bytes: usize,
}

/// Why there is no text.
#[derive(Clone, Debug)]
pub(super) enum Unreadable {
    /// The system refused: a matter of the reference.
    Refused(String),
    /// The bytes are no text: a matter of the file.
    NoText(Problem),
}

/// What the text of a file means.
#[derive(Debug)]
pub(super) enum Content {
    /// A list or a map.
    Tree(Node),
    /// A number, a boolean or null.
    Scalar(Node),
    /// A text, which is taken as it stands in the file.
    Text(Origin),
}

impl Files {
    /// Returns the text of a file.
    pub(super) fn text(&mut self, path: &str) -> Result<Arc<str>, Unreadable> {
        if let Some((known, _)) = self.read.get(path) {
            return known.clone();
        }
        let (found, state) = if self.bytes > MAX_EXPANDED_BYTES {
            let message = format!("file {path} was not read: those before it hold more than {MAX_EXPANDED_BYTES} bytes");
            (Err(Unreadable::Refused(message)), FileState::read(path, None))
        } else {
            read(path)
        };
        self.bytes += found.as_ref().map_or(0, |text| text.len());
        self.read.insert(path.to_owned(), (found.clone(), state));
        found
    }

    /// Returns every file that was asked for, readable or not.
    pub(super) fn into_states(self) -> impl Iterator<Item = FileState> {
        self.read.into_values().map(|(_, state)| state)
    }
}

fn read(path: &str) -> (Result<Arc<str>, Unreadable>, FileState) {
    let refused = |error: &dyn std::fmt::Display| Unreadable::Refused(format!("unable to read the file file:{path}: {error}"));
    let bytes = match Path::new(path).metadata() {
        Ok(kind) if kind.is_file() => read_file(path).map_err(|error| refused(&error)),
        Ok(_) => Err(refused(&"not a regular file")),
        Err(error) => Err(refused(&error)),
    };
    let state = FileState::read(path, bytes.as_deref().ok());
    let text = bytes.and_then(|bytes| yaml::text(path, &bytes).map(Arc::from).map_err(Unreadable::NoText));
    (text, state)
}

/// Finds out what a text means. A single line that is no YAML is a text, because a password may look like anything; more than
/// that, or what begins as a list or a map, is a mistake at a place.
pub(super) fn content(path: &str, text: &str) -> Result<(Content, Vec<Warning>), Vec<Problem>> {
    let start = || Origin { source: path.into(), line: 1, column: 1 };
    let parsed = match yaml::parse(path, text) {
        Ok(parsed) => parsed,
        Err(_) if !without_last_break(text).contains('\n') && !text.trim_start().starts_with(['[', '{']) => {
            return Ok((Content::Text(start()), Vec::new()));
        }
        Err(problems) => return Err(problems),
    };
    let root = parsed.root.unwrap_or_else(|| Node::new(Data::Null, start()));
    let content = match root.data {
        Data::List(_) | Data::Map(_) => Content::Tree(root),
        Data::String(_) => Content::Text(root.origin),
        Data::Null | Data::Bool(_) | Data::Number(_) => Content::Scalar(root),
    };
    Ok((content, parsed.warnings))
}

/// Takes off the line break that editors put at the end of every file, and which no password or name means to have.
pub(super) fn without_last_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
