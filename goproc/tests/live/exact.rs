//! A program that stands still is counted exactly, whatever built it.

use std::collections::BTreeMap;
use std::path::Path;

use deferd_goproc::snapshot::{DeferKind, Snapshot};

use crate::program::{Answer, by_function, look, look_until, start};
use deferd_fixtures::{Mode, Toolchain, toolchains};

fn parked_commands(toolchain: &Toolchain) -> Vec<&'static str> {
    let mut commands = vec!["loop 20 30", "loop 1 2000", "static 3 5", "stack 2", "open 3", "files 2 7", "locks 1 4"];
    if toolchain.version.minor >= 23 {
        commands.push("range 2 50");
    }
    commands.push("gc");
    commands
}

#[test]
fn every_pending_defer_is_counted_for_every_go_and_link_mode() {
    for toolchain in toolchains() {
        for mode in Mode::ALL {
            let what = format!("{} {mode}", toolchain.version);
            let mut program = start(toolchain, mode);
            for command in parked_commands(toolchain) {
                program.ask(command);
            }
            let truth = program.ask("count");
            let mut target = program.attach();
            // All but the one that reads standard input must have got from "ready" to their wait.
            let snapshot = look_until(&mut target, |snapshot| snapshot.open_coded.skipped <= 1);
            compare(&snapshot, &truth, &what);
            assert_eq!(target.process().go_version.split(' ').next(), Some(format!("go{}", toolchain.version).as_str()));
            assert_eq!(target.load_bias() != 0, mode.is_pie(), "{what}");
        }
    }
}

fn compare(snapshot: &Snapshot, truth: &Answer, what: &str) {
    assert_eq!(by_function(snapshot), truth.pending, "{what}");
    assert_eq!(snapshot.goroutines.total, truth.goroutines, "{what}: {:?}", snapshot.goroutines);
    assert_eq!(snapshot.unverified.goroutines, 0, "{what}: {:?}", snapshot.unverified);
    assert!(!snapshot.truncated, "{what}");
    let figures = snapshot.runtime;
    assert_eq!(figures.gc_cycles, Some(truth.gc_cycles), "{what}");
    assert_eq!(figures.gc_pause_total, Some(truth.gc_pause), "{what}");
    assert_eq!(figures.heap_goal, Some(truth.heap_goal), "{what}");
    assert!(figures.last_gc.is_some(), "{what}");
}

#[test]
fn sites_carry_callee_kind_and_line() {
    for toolchain in toolchains() {
        let mut program = start(toolchain, Mode::Stripped);
        for command in parked_commands(toolchain) {
            program.ask(command);
        }
        let snapshot = look_until(&mut program.attach(), |snapshot| snapshot.open_coded.skipped <= 1);
        let mut found = BTreeMap::new();
        for site in &snapshot.sites {
            assert!(Path::new(&site.name.file).is_absolute() && site.name.line > 0, "{:?}", site.name);
            let key = (site.name.function.as_str(), site.name.callee.as_str());
            found.insert(key, (site.name.kind, site.max_chain));
        }
        let mut expected = BTreeMap::from([
            (("main.loopDefers", "main.use"), (DeferKind::Heap, 2000)),
            (("main.staticDefers", "main.nothing"), (DeferKind::Heap, 5)),
            (("main.stackDefers", "main.use"), (DeferKind::Stack, 1)),
            (("main.openCoded", "main.use"), (DeferKind::OpenCoded, 1)),
            (("main.openCoded", "main.nothing"), (DeferKind::OpenCoded, 1)),
            (("main.closeFiles", "os.(*File).Close"), (DeferKind::Heap, 7)),
            (("main.unlockAll", "sync.(*Mutex).Unlock"), (DeferKind::Heap, 4)),
        ]);
        if toolchain.version.minor >= 23 {
            expected.insert(("main.rangeBody", "main.use"), (DeferKind::RangeFunc, 50));
        }
        assert_eq!(found, expected, "{}", toolchain.version);
    }
}

#[test]
fn each_defer_statement_has_the_line_it_stands_on() {
    for toolchain in toolchains() {
        let mut program = start(toolchain, Mode::PieStripped);
        program.ask("loop 1 3");
        program.ask("stack 1");
        program.ask("open 1");
        if toolchain.version.minor >= 23 {
            program.ask("range 1 3");
        }
        let snapshot = look_until(&mut program.attach(), |snapshot| snapshot.open_coded.skipped <= 1);
        for site in snapshot.sites.iter().filter(|site| site.name.callee == "main.use") {
            let source = std::fs::read_to_string(&site.name.file).expect("built here");
            let line = source.lines().nth(site.name.line as usize - 1).unwrap_or_default();
            assert!(line.trim().starts_with("defer use("), "{}: {:?} is {line:?}", toolchain.version, site.name);
        }
    }
}

#[test]
fn goroutines_are_grouped_by_what_they_wait_for() {
    for toolchain in toolchains() {
        let mut program = start(toolchain, Mode::Plain);
        program.ask("loop 25 1");
        program.ask("churn 10");
        let snapshot = look_until(&mut program.attach(), |snapshot| {
            let waiting = |reason| {
                let groups = &snapshot.goroutines.groups;
                groups.iter().find(|group| group.wait_reason == reason).map_or(0, |group| group.count)
            };
            waiting("chan receive") == 25 && waiting("sleep") == 10
        });
        assert_eq!(snapshot.goroutines.total, 36);
    }
}

#[test]
fn memory_is_a_lower_bound_of_what_the_program_allocated() {
    for toolchain in toolchains() {
        let mut program = start(toolchain, Mode::Plain);
        program.ask("gc");
        let mut target = program.attach();
        let before = look(&mut target).runtime.heap_live.expect("found");
        program.ask("loop 1 200000");
        program.ask("gc");
        let snapshot = look(&mut target);
        let grown = snapshot.runtime.heap_live.expect("found") - before;
        let counted = snapshot.sites[0].memory_bytes;
        // What was alive before, and has been freed since, is in neither.
        assert!(counted <= grown + grown / 50, "{}: {counted} of {grown}", toolchain.version);
        assert!(counted * 10 > grown * 8, "{}: {counted} of {grown}", toolchain.version);
    }
}
