//! `cargo xtask check`: the habits of the house that a compiler cannot see.
//!
//! The rules are functions from the text of the tree to problems, so that each
//! is tested on a tree of a few lines.

mod rules;
mod size;
#[cfg(test)]
mod tests;

use crate::terminal::{complain, say};
use crate::workspace::{self, File};
use std::fmt;
use std::path::Path;

/// Why the check failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    #[error("{0} problem(s) in the structure of the source tree, listed above")]
    Problems(usize),
}

/// One thing that is wrong; `line` is 0 if it is wrong about the whole file.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    path: String,
    line: usize,
    text: String,
}

impl Problem {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.text),
            line => write!(out, "{}:{line}: {}", self.path, self.text),
        }
    }
}

/// Prints the size of the tree and all problems.
pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let files = workspace::files(root)?;
    for line in size::report(&files) {
        say(&line);
    }
    let problems = problems(&files);
    for problem in &problems {
        complain(&problem.to_string());
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Problems(problems.len()))
}

/// Applies every rule.
fn problems(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files {
        problems.extend(rules::length(file));
        problems.extend(rules::lints_inherited(file));
        problems.extend(rules::lines(file));
    }
    problems.extend(rules::components(files));
    problems
}
