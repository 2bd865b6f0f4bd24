//! `deferd demo`, whole: it builds, starts, watches, compares and cleans up.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::deferd;

#[test]
fn the_demo_finds_the_leak_and_every_look_agrees_with_the_program() {
    let temporary = tempfile::tempdir().unwrap();
    let output = deferd(&["demo", "--duration", "4s"]).env("TMPDIR", temporary.path()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
    assert!(stdout.contains("main.go:33 main.(*shipper).ship defers os.(*File).Close"), "{stdout}");
    assert!(stdout.contains("the program pauses"), "{stdout}");
    let told = |text: &str| stdout.find(text).unwrap_or_else(|| panic!("{text:?} is not in {stdout}"));
    assert!(told("critical alert DeferPendingGrows FIRES") < told("the leaking function returns"), "{stdout}");
    assert!(told("the leaking function returns") < told("critical alert DeferPendingGrows IS RESOLVED"), "{stdout}");
    assert!(stdout.contains("agrees") && !stdout.contains("DISAGREES"), "{stdout}");
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn ctrl_c_ends_the_demo_and_its_program() {
    let mut demo = deferd(&["demo", "--duration", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let started = lines.by_ref().find(|line| line.contains("started it as process")).unwrap();
    let program = started.split("process ").nth(1).unwrap().split(';').next().unwrap();
    let program = std::path::Path::new("/proc").join(program);
    assert!(program.exists());
    lines.by_ref().find(|line| line.ends_with(": agrees")).unwrap();
    kill_process(Pid::from_child(&demo), Signal::INT).unwrap();
    assert!(lines.any(|line| line.contains("looks agree")));
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert!(!program.exists());
}
