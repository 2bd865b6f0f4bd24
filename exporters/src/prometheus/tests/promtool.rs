//! Prometheus' own parser and linter on our text.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

#[tokio::test]
async fn promtool_finds_nothing_wrong() {
    let Ok(mut promtool) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        println!("SKIPPED: promtool is missing; install the Debian package prometheus");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "a skipped layer is a failure in CI");
        return;
    };
    let text = text_of("{endpoint: \"127.0.0.1:0\"}", &[everything()]);
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}\n{text}");
}
