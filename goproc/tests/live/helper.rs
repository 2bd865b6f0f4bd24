//! A process that is looked at with what a helper opened of it.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use deferd_goproc::helper::{Client, serve, sockets};
use deferd_goproc::snapshot::SnapshotOptions;
use deferd_goproc::target::{ImageCache, Liveness, SnapshotError, Target};

use crate::program::{Program, by_function, look, newest, start};
use deferd_fixtures::{Mode, toolchains};

/// Attached by a thread that serves until the target is dropped.
fn attach(program: &Program) -> Target {
    program.attach();
    let (ours, theirs) = sockets().expect("sockets");
    std::thread::spawn(move || serve(theirs.as_fd()));
    let opener = Arc::new(Client::new(ours, Client::PATIENCE));
    Target::attach_through(program.pid(), &ImageCache::new(), opener).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_seen_does_not_depend_on_who_opened_it() {
    for mode in [Mode::Plain, Mode::PieStripped] {
        let mut program = start(toolchains().last().expect("a toolchain"), mode);
        let answer = program.ask("loop 20 30");
        let (mut own, mut helped) = (program.attach(), attach(&program));
        assert_eq!((helped.key(), helped.process(), helped.load_bias()), (own.key(), own.process(), own.load_bias()));
        let (by_own, by_helped) = (look(&mut own), look(&mut helped));
        assert_eq!((&by_own.sites, &by_own.goroutines), (&by_helped.sites, &by_helped.goroutines));
        assert_eq!(by_function(&by_helped), answer.pending);
        let types = helped.file_types(100).expect("it is ours");
        assert!(types.total() >= 3 && !types.cut, "{types:?}");
    }
}

#[test]
fn a_process_that_was_opened_by_another_is_over_when_it_ends_or_executes_another_program() {
    for (exec, expected) in [(true, Liveness::Replaced), (false, Liveness::Exited)] {
        let mut program = newest();
        let mut target = attach(&program);
        assert_eq!(target.still_same(), Liveness::Same);
        if exec {
            let file = std::fs::canonicalize("/bin/sleep").expect("coreutils");
            program.ask(&format!("exec {}", file.display()));
        } else {
            program.kill();
        }
        let error = loop {
            match target.snapshot(&SnapshotOptions::default()) {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error, SnapshotError::Over { pid: program.pid(), liveness: expected });
    }
}
