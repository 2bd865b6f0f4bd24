//! YAML text to a [`Node`] tree that knows where everything stands.
//!
//! Built on the parser's events rather than on its loader: the loader keeps no raw text, expands aliases without a
//! limit and stops at the first duplicate key. Nothing here recurses while reading, so nesting cannot overflow the stack.

mod builder;
pub(crate) mod scalar;

use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScanError};

use crate::limits::MAX_FILE_BYTES;
use crate::node::{Node, Origin};
use crate::problem::{Problem, Warning};
use builder::Builder;

/// A text that was read: its tree (`None` for an empty document) and what is odd about it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Option<Node>,
    pub(crate) warnings: Vec<Warning>,
}

/// Checks that bytes are an acceptable text: small enough, UTF-8, printable. A byte order mark is taken off.
pub(crate) fn text<'a>(source: &str, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    let refuse = |message: String| Problem::new(Some(Origin::whole(source)), "", message);
    if bytes.len() > MAX_FILE_BYTES {
        return Err(refuse(format!("{} bytes are too many for a configuration, at most {MAX_FILE_BYTES} are read", bytes.len())));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default();
            let message = format!("not UTF-8: invalid byte at offset {}", error.valid_up_to());
            return Err(Problem::new(Some(end_of(source, valid)), "", message));
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.char_indices().find(|(_, c)| !is_printable(*c)) {
        None => Ok(text),
        Some((index, c)) => {
            let origin = end_of(source, text.get(..index).unwrap_or_default());
            Err(Problem::new(Some(origin), "", format!("control characters are not allowed: {c:?}")))
        }
    }
}

/// The place where `before` ends.
fn end_of(source: &str, before: &str) -> Origin {
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    position(source.into(), &Marker::new(before.len(), before.matches('\n').count() + 1, column))
}

/// YAML 1.2, section 5.1. The parser takes NUL for the end of the text, so letting it through would cut a file silently.
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{85}') || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{feff}'))
}

/// Reads the first document of a text. `source` names the text in positions.
pub(crate) fn parse(source: &str, text: &str) -> Result<Parsed, Vec<Problem>> {
    let mut builder = Builder::new(source);
    let mut parser = Parser::new_from_str(text);
    let mut documents = 0_usize;
    let mut warnings = Vec::new();
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                builder.refuse(syntax(source, &error));
                break;
            }
        };
        let origin = position(builder.source(), &span.start);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    warnings.push(Warning(Problem::new(Some(origin), "", "only the first YAML document of a source is used")));
                    break;
                }
            }
            Event::StreamEnd => break,
            event => {
                if let Err(problem) = builder.event(event, origin) {
                    builder.refuse(problem);
                    break;
                }
            }
        }
    }
    builder.finish().map(|root| Parsed { root, warnings })
}

/// The parser counts lines from 1 and columns from 0.
fn position(source: Arc<str>, marker: &Marker) -> Origin {
    // A text has fewer bytes than `u32::MAX`, so nothing is lost.
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Origin { source, line: number(marker.line()), column: number(marker.col() + 1) }
}

fn syntax(source: &str, error: &ScanError) -> Problem {
    let origin = position(source.into(), error.marker());
    Problem::new(Some(origin), "", format!("YAML syntax: {}", error.info()))
}

#[cfg(test)]
mod tests;
