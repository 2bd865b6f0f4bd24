//! `deferd snapshot` of what it cannot look at: one line on standard error and the documented exit code.

use std::fs;
use std::path::{Path, PathBuf};

use deferd_fixtures::{Mode, binary, newest};
use deferd_integration::deferd;
use deferd_integration::process::{Ended, run};
use deferd_integration::programs::{Healthy, Leaky, as_nobody, open_folder, start, write_program};

use crate::mixed_targets::patched;

/// Exit codes as `deferd --help` documents them.
const REFUSED: i32 = 3;
const GONE: i32 = 4;
const UNSUPPORTED: i32 = 5;

/// The one line that a refusal says.
fn refusal(pid: u32, code: i32) -> String {
    let ended = deferd::snapshot(pid).expect_err("a refusal");
    one_line(&ended, code)
}

fn one_line(ended: &Ended, code: i32) -> String {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.stderr.clone()
}

#[test]
fn a_process_that_has_ended_is_gone() {
    let leaky = Leaky::start(10);
    let pid = leaky.pid();
    leaky.kill();
    let line = refusal(pid, GONE);
    assert!(line.contains(&format!("process {pid} has ended")), "{line}");
}

#[test]
fn a_program_that_is_not_go_is_said_to_be_none() {
    let sleep = start(Path::new("/bin/sleep"), &["600"]);
    let line = refusal(sleep.pid(), UNSUPPORTED);
    assert!(line.contains("not a Go program") || line.contains("no Go"), "{line}");
}

#[test]
fn a_go_version_outside_the_supported_ones_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for minor in [20, 28] {
        let file = patched(folder.path(), minor);
        let leaky = Leaky::start_file(&file, 10, &[]);
        let line = refusal(leaky.pid(), UNSUPPORTED);
        assert!(line.contains(&format!("go1.{minor}")) && line.contains("1.21") && line.contains("1.27"), "{line}");
    }
}

#[test]
fn debians_prometheus_built_with_go_1_19_is_refused_with_the_reason() {
    let Some(prometheus) = deferd_integration::prometheus::Prometheus::start(9) else { return };
    let line = refusal(prometheus.pid(), UNSUPPORTED);
    assert!(line.contains("go1.19"), "{line}");
}

#[test]
fn a_deleted_executable_is_read_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = copied(folder.path(), "shop");
    let leaky = Leaky::start_file(&file, 100, &[]);
    fs::remove_file(&file).unwrap();
    let paused = leaky.tell("pause");
    let snapshot = deferd::snapshot(leaky.pid()).unwrap();
    assert_eq!(snapshot.pending_at(&paused.site), paused.pending);
    assert!(snapshot.process.executable_deleted);
    assert_eq!(snapshot.process.executable, file.to_string_lossy());
}

/// The kernel lets nobody change the file of a running program, so what can be hostile is what the kernel does not look at: all
/// that stands behind the program headers.
#[test]
fn an_executable_whose_section_headers_lie_is_read_or_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    // Offsets of fields in the ELF64 header: e_shoff, e_shentsize, e_shnum, e_shstrndx.
    for (what, at, bytes) in [
        ("e_shoff past the end", 0x28, &[0xff; 8][..]),
        ("e_shoff into the text", 0x28, &[0x00, 0x20, 0, 0, 0, 0, 0, 0]),
        ("e_shentsize of 1", 0x3a, &[1, 0]),
        ("e_shnum of 65535", 0x3c, &[0xff; 2]),
        ("e_shstrndx past the end", 0x3e, &[0xff; 2]),
    ] {
        let mut image = fs::read(leaky_binary()).unwrap();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        let file = write_program(folder.path(), &what.replace(' ', "-"), &image);
        let leaky = Leaky::start_file(&file, 100, &[]);
        let paused = leaky.tell("pause");
        match deferd::snapshot(leaky.pid()) {
            Ok(snapshot) => assert_eq!(snapshot.pending_at(&paused.site), paused.pending, "{what}"),
            Err(ended) => drop(one_line(&ended, UNSUPPORTED)),
        }
    }
}

/// A file cut off in the middle still runs for as long as nothing behind the cut is needed.
#[test]
fn an_executable_that_was_cut_short_is_read_or_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(leaky_binary()).unwrap();
    let end = end_of_segments(&whole);
    assert!(end < whole.len(), "symbols and DWARF stand behind the segments");
    let file = write_program(folder.path(), "cut", &whole[..end]);
    let leaky = Leaky::start_file(&file, 100, &[]);
    let paused = leaky.tell("pause");
    match deferd::snapshot(leaky.pid()) {
        Ok(snapshot) => assert_eq!(snapshot.pending_at(&paused.site), paused.pending),
        Err(ended) => drop(one_line(&ended, UNSUPPORTED)),
    }
}

#[test]
fn a_process_that_runs_another_program_now_is_looked_at_as_that() {
    let mut healthy = Healthy::start();
    assert!(deferd::snapshot(healthy.pid()).is_ok());
    healthy.exec(Path::new("/bin/sleep"), &["600"]);
    let line = refusal(healthy.pid(), UNSUPPORTED);
    assert!(line.contains("Go"), "{line}");
}

#[test]
fn a_process_of_another_user_needs_a_right_that_is_named_with_the_command_that_gives_it() {
    let folder = open_folder();
    let Some(mut command) = as_nobody(folder.path(), deferd::binary()) else { return };
    let leaky = Leaky::start(10);
    command.args(["snapshot", &leaky.pid().to_string()]);
    let ended = run(command);
    let line = one_line(&ended, REFUSED);
    assert!(line.contains("CAP_SYS_PTRACE") && line.contains("setcap cap_sys_ptrace+ep"), "{line}");
    assert!(line.contains(&leaky.pid().to_string()), "{line}");
}

#[test]
fn a_pid_that_is_no_number_is_a_usage_error() {
    let ended = deferd::run(["snapshot", "shop"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("shop"), "{}", ended.stderr);
}

fn leaky_binary() -> PathBuf {
    binary("leaky", newest(), Mode::Plain)
}

fn copied(folder: &Path, name: &str) -> PathBuf {
    write_program(folder, name, &fs::read(leaky_binary()).unwrap())
}

/// Where the last loaded segment ends in the file, by the ELF64 program headers.
fn end_of_segments(image: &[u8]) -> usize {
    let number = |at: usize, length: usize| {
        let bytes = &image[at..at + length];
        bytes.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (offset, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    let ends = (0..count).map(|index| {
        let header = offset + index * size;
        number(header + 8, 8) + number(header + 0x20, 8)
    });
    ends.max().unwrap()
}
