//! `deferd snapshot` on what cannot be looked at. What it shows of Go programs is tested where those are built.

use crate::support::output;

#[test]
fn a_process_that_is_not_there_is_one_line_and_code_4() {
    // Above the largest pid that Linux gives out (2^22).
    let (code, stdout, stderr) = output(&["snapshot", "4194305"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (4, "", "Error: process 4194305 has ended\n"));
}

#[test]
fn a_program_that_is_not_go_is_one_line_and_code_5() {
    let own = std::process::id().to_string();
    let (code, stdout, stderr) = output(&["snapshot", &own, "--json"]);
    assert_eq!((code, stdout.as_str()), (5, ""));
    assert_eq!(stderr, format!("Error: process {own}: not a Go program: no Go build information found\n"));
}
