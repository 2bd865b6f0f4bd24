//! Everything that is written to standard output and standard error, the service's log aside.
//!
//! Whoever reads may go away at any time (`deferd snapshot 1 | head`): text that nobody takes is not an error, and is no reason
//! to panic as `println!` does. There is nobody left to be told, hence the ignored results.

use std::fmt::Display;
use std::io::{self, Write};

use deferd_config::one_line;

use crate::exit::Exit;

/// Writes text to standard output, as it is.
pub(crate) fn show(text: &str) {
    let _ = write(&mut io::stdout().lock(), text);
}

/// Writes the result of a command to standard output. Only a reader that went away is no failure: a result that a full disk did
/// not take must not look like one that it did.
pub(crate) fn show_result(text: &str) -> Exit {
    match write(&mut io::stdout().lock(), text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(format_args!("cannot write to standard output: {error}"));
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

/// Writes one problem to standard error: `Error: ...`, the form of the Collector. One line, whatever the text holds.
pub(crate) fn complain(problem: impl Display) {
    let _ = write(&mut io::stderr().lock(), &format!("Error: {}\n", one_line(&problem.to_string())));
}

/// Writes something to know to standard error, when there is no log yet.
pub(crate) fn warn(warning: impl Display) {
    let _ = write(&mut io::stderr().lock(), &format!("Warning: {}\n", one_line(&warning.to_string())));
}

fn write(stream: &mut impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
}
