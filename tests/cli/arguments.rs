//! What the command line itself says.

use crate::support::{deferd, output};

#[test]
fn help_and_version_are_asked_for_and_so_no_error() {
    for form in ["--version", "-v"] {
        let (code, stdout, stderr) = output(&[form]);
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, concat!("deferd ", env!("CARGO_PKG_VERSION"), "\n"), ""));
    }
    let (code, stdout, _) = output(&["--help"]);
    assert_eq!(code, 0);
    for taught in ["Examples:", "Exit codes:", "SIGHUP", "deferd snapshot 4711"] {
        assert!(stdout.contains(taught), "{taught} is not in {stdout}");
    }
}

#[test]
fn wrong_usage_has_its_own_code() {
    for wrong in [&["snapshot"][..], &["snapshot", "x"], &["--confg", "a.yaml"], &["frobnicate"], &["demo", "--duration", "5"]] {
        let (code, stdout, stderr) = output(wrong);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong:?}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn components_are_listed_as_the_collector_lists_them() {
    let (code, stdout, _) = output(&["components"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("buildinfo:\n    command: deferd\n"), "{stdout}");
    let godefer = stdout.split("    - name: ").find(|part| part.starts_with("godefer\n")).unwrap();
    let stability = "      stability:\n        logs: Alpha\n        metrics: Alpha\n        traces: Undefined\n";
    assert!(godefer.contains(stability), "{godefer}");
    for section in ["receivers:", "processors:", "exporters:", "connectors:", "extensions:", "providers:"] {
        assert!(stdout.lines().any(|line| line.starts_with(section)), "{section} is missing in {stdout}");
    }
}

#[test]
fn feature_gates_of_the_collector_are_accepted_with_a_warning() {
    let (code, _, stderr) = output(&["validate", "--feature-gates=service.AllowNoPipelines", "--config", "yaml:a: 1"]);
    assert_eq!(code, 1, "for the configuration");
    assert!(stderr.starts_with("Warning: --feature-gates=service.AllowNoPipelines has no effect"), "{stderr}");
}

#[test]
fn a_result_that_a_full_disk_does_not_take_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = deferd(&["components"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("Error: cannot write to standard output: No space left on device"), "{told}");
}
