//! Panics of every kind, and the programs that die of one: the record outlives them.

use std::time::{Duration, Instant};

use deferd_integration::panics::{Case, Panics, differences};
use deferd_integration::probing::Probing;
use deferd_integration::{process, wait};

use super::breakpoints::{Breakpoints, OF_PANICS};
use super::every_go;

/// Cases that end the program.
const DEATHS: [&str; 7] = ["die-string", "die-error", "die-method-error", "die-nil", "die-replaced", "die-map", "die-unlock"];
/// From a panic to its record in the file; two cores work for everybody.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// What one program did.
pub(super) struct Performance {
    pub(super) name: String,
    pub(super) pid: u32,
    pub(super) cases: Vec<Case>,
}

#[test]
fn every_panic_of_every_go_and_form_of_binary_is_told_as_the_program_announced_it() {
    let mut programs: Vec<(String, Panics)> =
        every_go("panics").into_iter().map(|(name, file)| (name, Panics::start(&file, &["-case", "all"]))).collect();
    // Having said this, each has rehearsed: what it raises from now on counts.
    let first: Vec<Case> = programs.iter_mut().map(|(_, panics)| panics.announced()).collect();
    let pids: Vec<u32> = programs.iter().map(|(_, panics)| panics.pid()).collect();
    let Some(probing) = Probing::of(&pids) else { return };
    // A hundred panics in a millisecond are more than the budget of an idle process pays for.
    let service = probing.start("{panics: {exact: true}}");
    Breakpoints::of_all(&pids, &OF_PANICS).iter().for_each(Breakpoints::await_set);
    let mut performances = Vec::new();
    for ((name, panics), first) in programs.iter_mut().zip(first) {
        let cases = all_cases(panics, first);
        assert!(cases.len() > 25, "{name}: {} cases", cases.len());
        performances.push(Performance { name: name.clone(), pid: panics.pid(), cases });
    }
    await_told(&probing, &performances);
    assert_eq!(service.stop().code, Some(0));
    for (name, panics) in programs {
        assert_eq!(panics.end().code, Some(0), "{name}");
    }
}

#[test]
fn every_death_of_every_go_and_form_of_binary_is_told_as_the_program_announced_it() {
    let mut programs: Vec<(String, Panics)> = Vec::new();
    for (name, file) in every_go("panics") {
        programs.extend(DEATHS.map(|case| (name.clone(), Panics::start(&file, &["-case", case]))));
    }
    let cases: Vec<Case> = programs.iter_mut().map(|(_, panics)| panics.announced()).collect();
    let pids: Vec<u32> = programs.iter().map(|(_, panics)| panics.pid()).collect();
    let Some(probing) = Probing::of(&pids) else { return };
    let service = probing.start("{}");
    Breakpoints::of_all(&pids, &OF_PANICS).iter().for_each(Breakpoints::await_set);
    let mut performances = Vec::new();
    for (((name, panics), pid), case) in programs.into_iter().zip(pids).zip(cases) {
        assert_eq!(panics.die().code, Some(2), "{name}: {}", case.name);
        performances.push(Performance { name, pid, cases: vec![case] });
    }
    await_told(&probing, &performances);
    assert_eq!(service.stop().code, Some(0));
}

/// Lets all of them happen, of which the first was announced.
pub(super) fn all_cases(panics: &mut Panics, first: Case) -> Vec<Case> {
    let mut list = std::process::Command::new(format!("/proc/{}/exe", panics.pid()));
    list.arg("-list");
    let listed = process::run(list);
    let number = listed.stdout.lines().filter(|case| !case.starts_with("die-")).count();
    let mut cases = vec![first];
    loop {
        panics.perform(cases.last().unwrap());
        if cases.len() == number {
            return cases;
        }
        cases.push(panics.announced());
    }
}

/// Waits until what is told is what was announced.
pub(super) fn await_told(probing: &Probing, performances: &[Performance]) {
    let begin = Instant::now();
    let (wrong, _) = wait::until("all is told", || {
        let wrong = wrong(probing, performances);
        (wrong.is_empty() || begin.elapsed() > TOLD_WITHIN).then_some(wrong)
    });
    assert!(wrong.is_empty(), "{} differences, of {} programs:\n{}", wrong.len(), performances.len(), wrong.join("\n"));
}

fn wrong(probing: &Probing, performances: &[Performance]) -> Vec<String> {
    let recording = probing.recording();
    let mut all = Vec::new();
    for Performance { name, pid, cases } in performances {
        let events = recording.about(*pid).events;
        for case in cases {
            all.extend(differences(case, &events).into_iter().map(|line| format!("{name}: {}: {line}", case.name)));
        }
    }
    all
}
