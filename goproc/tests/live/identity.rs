//! Who a process is, and that it still is.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;

use deferd_goproc::snapshot::SnapshotOptions;
use deferd_goproc::target::{AttachError, ImageCache, Liveness, SnapshotError, Target, discover};

use crate::program::{Program, look, newest};
use deferd_fixtures::{Mode, binary, toolchains};

#[test]
fn a_process_says_who_it_is() {
    let path = binary("walk", &toolchains()[0], Mode::Plain);
    let mut command = Command::new(&path);
    command.arg("an argument").env("OTEL_SERVICE_NAME", "checkout").env("OTEL_RESOURCE_ATTRIBUTES", "a=b");
    let program = Program::start_with(command);
    let target = program.attach();
    let info = target.process();
    assert_eq!(info.pid, program.pid());
    assert_eq!(info.executable_path, path.canonicalize().expect("it exists"));
    assert_eq!(info.executable_name, path.file_name().expect("a name").to_string_lossy());
    assert_eq!(info.command_line.last().map(String::as_str), Some("an argument"));
    assert_eq!(info.otel_service_name.as_deref(), Some("checkout"));
    assert_eq!(info.otel_resource_attributes.as_deref(), Some("a=b"));
    assert_eq!(info.module_path.as_deref(), Some("walk"));
    assert!(info.started.is_some() && info.uid.is_some() && !info.host_name.is_empty());
    assert!(info.build_id.is_some());
    assert!(target.key().to_string().contains(&format!("/{}/", program.pid())));
}

#[test]
fn discovery_finds_the_program_and_no_kernel_thread() {
    let program = newest();
    program.attach();
    let found: Vec<_> = discover().collect();
    let own = found.iter().find(|candidate| candidate.pid == program.pid()).expect("it runs");
    assert!(own.executable.is_some() && own.started.is_some());
    // Process 2 is kthreadd wherever kernel threads can be seen at all.
    let kthreadd = fs::read_to_string("/proc/2/comm").is_ok_and(|name| name.trim() == "kthreadd");
    assert!(!kthreadd || !found.iter().any(|candidate| candidate.pid == 2));
    assert!(!found.iter().any(|candidate| candidate.pid == std::process::id()));
}

#[test]
fn a_deleted_executable_can_be_watched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gone");
    fs::copy(binary("walk", &toolchains()[0], Mode::PieStripped), &path).expect("a copy");
    let mut program = Program::start(&path);
    program.ask("loop 4 5");
    fs::remove_file(&path).expect("it is ours");
    let mut target = program.attach();
    assert_eq!(look(&mut target).sites[0].pending, 20);
    assert_eq!(target.process().executable_name, "gone");
    assert!(target.process().executable_deleted);
}

#[test]
fn an_image_is_shared_by_processes_of_one_file() {
    let images = ImageCache::new();
    let (one, other) = (newest(), newest());
    one.attach();
    other.attach();
    let [one, other] = [one, other].map(|program| {
        let target = Target::attach_with(program.pid(), &images).expect("it is up");
        (Arc::clone(target.image()), target.key().clone())
    });
    assert!(Arc::ptr_eq(&one.0, &other.0));
    assert_ne!(one.1, other.1);
}

#[test]
fn an_executable_is_held_open_for_as_long_as_a_process_that_runs_it_is_attached() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("held");
    fs::copy(binary("walk", &toolchains()[0], Mode::Plain), &path).expect("a copy");
    let images = ImageCache::new();
    let (one, other) = (Program::start(&path), Program::start(&path));
    let held = || {
        let own = fs::read_dir("/proc/self/fd").expect("our files").flatten();
        own.filter(|file| fs::read_link(file.path()).is_ok_and(|link| link == path)).count()
    };
    one.attach();
    other.attach();
    let [one, other] = [one, other].map(|program| Target::attach_with(program.pid(), &images).expect("it is up"));
    assert!(Arc::ptr_eq(one.image(), other.image()));
    drop(one);
    assert_eq!(held(), 1);
    drop(other);
    assert_eq!(held(), 0);
}

#[test]
fn a_process_that_ended_is_over() {
    let mut program = newest();
    let mut target = program.attach();
    assert_eq!(target.still_same(), Liveness::Same);
    program.kill();
    assert_eq!(target.still_same(), Liveness::Exited);
    let error = target.snapshot(&SnapshotOptions::default()).expect_err("it ended");
    assert_eq!(error, SnapshotError::Over { pid: program.pid(), liveness: Liveness::Exited });
    assert!(matches!(Target::attach(program.pid()), Err(AttachError::Gone { .. })));
}

#[test]
fn a_process_that_executes_another_program_is_another() {
    let mut program = newest();
    let mut target = program.attach();
    let program_file = fs::canonicalize("/bin/sleep").expect("coreutils");
    program.ask(&format!("exec {}", program_file.display()));
    let error = loop {
        match target.snapshot(&SnapshotOptions::default()) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error, SnapshotError::Over { pid: program.pid(), liveness: Liveness::Replaced });
    assert!(matches!(Target::attach(program.pid()), Err(AttachError::NotGo { .. })));
}

#[test]
fn a_program_in_another_language_is_not_go() {
    let mut sleep = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().expect("coreutils");
    let error = Target::attach(sleep.id()).expect_err("it is not Go");
    sleep.kill().expect("it is ours");
    sleep.wait().expect("it ended");
    assert!(matches!(error, AttachError::NotGo { .. }), "{error}");
}

#[test]
fn a_program_that_is_just_starting_is_never_misread() {
    for _ in 0..30 {
        let program = newest();
        let mut target = program.attach_when_ready().unwrap_or_else(|error| panic!("{error}"));
        let snapshot = look(&mut target);
        assert!(snapshot.goroutines.total >= 1 && snapshot.sites.len() <= 8, "{snapshot:?}");
    }
}
