//! Programs in namespaces of their own: another number inside than outside, and a file that only they can reach by its name.

use std::collections::BTreeMap;

use deferd_fixtures::{Mode, binary, newest};
use deferd_integration::matrix::{Matrix, differences};
use deferd_integration::panics::{Case, Panics};
use deferd_integration::probing::Probing;
use deferd_integration::{apart, deferd, wait};

use super::breakpoints::{Breakpoints, OF_PANICS};
use super::panics::{Performance, all_cases, await_told};
use super::sums;

#[test]
fn what_is_pending_is_shown_truly_for_a_program_in_namespaces_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let Some(command) = apart::command(folder.path(), &binary("matrix", newest(), Mode::Plain), &[]) else { return };
    let matrix = Matrix::start_by(command);
    let pid = apart::inside(matrix.pid());
    check_is_apart(pid);
    let snapshot = deferd::snapshot(pid).unwrap();
    assert_eq!(differences(&matrix.announcement, &snapshot), Vec::<String>::new());
}

#[test]
fn every_panic_of_a_program_in_namespaces_of_its_own_is_counted_and_told_as_the_program_announced_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = binary("panics", newest(), Mode::Plain);
    let Some(command) = apart::command(folder.path(), &file, &["-case", "all"]) else { return };
    let mut panics = Panics::start_apart(command);
    let pid = panics.pid();
    let first = panics.announced();
    check_is_apart(pid);
    let Some(probing) = Probing::of(&[pid]) else { return };
    let service = probing.start("{panics: {exact: true}}");
    Breakpoints::of(pid, &OF_PANICS).await_set();
    let cases = all_cases(&mut panics, first);
    let expected = raised(&cases);
    await_told(&probing, &[Performance { name: "apart".into(), pid, cases }]);
    for (stage, count) in expected {
        let counted = || sums(&probing.recording().about(pid), "go.panic.count", &[("go.panic.stage", &stage)]).last().copied();
        let (what, first) = (format!("{count} {stage}"), counted());
        wait::until(&format!("{what}, {first:?} at first"), || counted().filter(|(_, seen)| (seen - count).abs() < 0.5));
    }
    assert!(probing.recording().events.iter().all(|event| event.process == pid), "nothing is told of anybody else");
    assert_eq!(service.stop().code, Some(0));
    assert_eq!(panics.end().code, Some(0));
}

/// How often each stage happens in all cases.
fn raised(cases: &[Case]) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    for case in cases {
        let times = f64::from(u32::try_from(case.times.max(1)).unwrap());
        for stage in case.stages.iter().filter(|stage| stage.event == "go.panic") {
            *counts.entry(stage.stage.clone()).or_default() += times;
        }
    }
    counts
}

/// It is the first of its own processes, and its file is not in our file system.
fn check_is_apart(pid: u32) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    let numbers: Vec<u32> = numbers.split_ascii_whitespace().map(|number| number.parse().unwrap()).collect();
    assert!(numbers.len() > 1 && numbers.contains(&pid) && numbers.last() == Some(&1), "{numbers:?}");
    let link = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    assert!(!link.exists(), "{} is here, too", link.display());
}
