//! `deferd demo`, whole: it builds, starts, watches, compares and cleans up.

use crate::support::deferd;

#[test]
fn the_demo_finds_the_leak_and_every_look_agrees_with_the_program() {
    let temporary = tempfile::tempdir().unwrap();
    let output = deferd(&["demo", "--duration", "4s"]).env("TMPDIR", temporary.path()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
    assert!(stdout.contains("main.go:33 main.(*shipper).ship defers os.(*File).Close"), "{stdout}");
    assert!(stdout.contains("the program pauses"), "{stdout}");
    assert!(stdout.contains("agrees") && !stdout.contains("DISAGREES"), "{stdout}");
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
