//! The one place that prints.

/// Prints a line of progress or result.
#[expect(clippy::print_stdout, reason = "a developer's command talks on its terminal")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Prints a line about something that is wrong.
#[expect(clippy::print_stderr, reason = "a developer's command talks on its terminal")]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}
