//! What a test needs and the machine does not have: said loudly here, and a failure in CI.

use std::io::Write as _;

/// Says that `what` is not tested for want of `need`. Returns, so that the test can end.
///
/// # Panics
/// With `CI=true`, where a skipped test would pass for a passed one.
pub fn skip(what: &str, need: &str) {
    let line = format!("SKIPPED: {what}: {need}");
    // Written past the test harness, which hides what a passing test prints.
    writeln!(std::io::stderr(), "{line}").expect("standard error");
    assert!(!is_ci(), "{line} (CI=true allows no gaps)");
}

/// Whether a skipped test is a failure.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Prints figures for people, past the test harness.
///
/// # Panics
/// If standard error is closed.
pub fn report(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error");
}
