//! `deferd probe` on what cannot be probed. What it says of Go programs is tested where those are built.

use crate::support::output;

#[test]
fn a_process_that_is_not_there_is_one_line_and_code_4() {
    // Above the largest pid that Linux gives out (2^22).
    let (code, stdout, stderr) = output(&["probe", "4194305"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (4, "", "Error: process 4194305 has ended\n"));
}

#[test]
fn a_program_that_is_not_go_is_one_line_and_code_5() {
    let own = std::process::id().to_string();
    let (code, stdout, stderr) = output(&["probe", &own, "--format", "json"]);
    assert_eq!((code, stdout.as_str()), (5, ""));
    assert_eq!(stderr, format!("Error: process {own}: not a Go program: no Go build information found\n"));
}

#[test]
fn a_budget_that_is_no_share_is_wrong_usage() {
    for wrong in ["101%", "-1%", "much"] {
        let (code, stdout, stderr) = output(&["probe", "1", &format!("--max-target-overhead={wrong}")]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn help_says_what_each_probe_is() {
    let (code, stdout, _) = output(&["probe", "--help"]);
    assert_eq!(code, 0);
    for taught in ["panics", "rates", "files", "timer", "deferd probe 4711", "--max-target-overhead"] {
        assert!(stdout.contains(taught), "{taught} is not in {stdout}");
    }
}
