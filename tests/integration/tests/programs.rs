//! The Go programs that probes are measured with say the truth about themselves: seen from outside, without deferd.

use std::path::Path;

use deferd_fixtures::{Mode, Toolchain, binaries, binary, newest, toolchains};
use deferd_integration::files::Files;
use deferd_integration::panics::Panics;
use deferd_integration::rates::{self, Counts, Rates};
use deferd_integration::{process, teller, wait};

/// What kills the program `panics`, in the words that Go ends it with.
const DEATHS: [(&str, &str); 7] = [
    ("die-string", "panic: the last words"),
    ("die-error", "panic: reading on: file already closed"),
    ("die-method-error", "panic: rejected: no hope (500)"),
    ("die-nil", "panic: runtime error: invalid memory address"),
    ("die-replaced", "\tpanic: the last words after all"),
    ("die-map", "fatal error: concurrent map writes"),
    ("die-unlock", "fatal error: sync: unlock of unlocked mutex"),
];

#[test]
fn every_panic_happens_as_it_was_announced() {
    for (toolchain, mode, file) in binaries("panics", toolchains(), &[Mode::Plain, Mode::Unoptimised]) {
        let listed = process::run(arguments(&file, &["-list"]));
        let names: Vec<&str> = listed.stdout.lines().filter(|name| !name.starts_with("die-")).collect();
        let mut panics = Panics::start(&file, &["-case", "all"]);
        for name in names {
            let case = panics.announced();
            assert_eq!((case.name.as_str(), case.dies), (name, false));
            for stage in &case.stages {
                let place = (!stage.function.is_empty(), stage.line > 0);
                // Of a panic inside a library only the function is known.
                assert_eq!(place, (true, !stage.internal), "{toolchain:?} {mode}: {name}: {stage:?}");
            }
            panics.perform(&case);
        }
        assert_eq!(panics.end().code, Some(0), "{toolchain:?} {mode}");
    }
}

#[test]
fn every_death_is_the_one_that_was_announced() {
    for (toolchain, mode, file) in binaries("panics", toolchains(), &[Mode::Plain]) {
        for (name, words) in DEATHS {
            let mut panics = Panics::start(&file, &["-case", name]);
            let case = panics.announced();
            let last = case.stages.last().unwrap();
            assert!(case.dies && ended_by(&last.message, words), "{case:?}");
            let ended = panics.die();
            assert!(ended.stderr.contains(words), "{toolchain:?} {mode}: {name}: {}", ended.stderr);
            if last.line > 0 {
                let line = format!("{}:{}", last.file.rsplit('/').next().unwrap(), last.line);
                assert!(ended.stderr.contains(&line), "{toolchain:?} {mode}: {name}: {line} is not in {}", ended.stderr);
            }
            assert_eq!(ended.code, Some(2), "{toolchain:?} {mode}: {name}");
        }
    }
}

#[test]
fn a_flood_has_the_rate_that_was_asked_for() {
    for (toolchain, _, file) in binaries("panics", some(), &[Mode::Plain]) {
        let mut panics = Panics::start(&file, &["-flood", "10000", "-goroutines", "2", "-every", "100ms"]);
        assert!(panics.announced().stages.iter().all(|stage| stage.internal));
        panics.begin();
        let first = panics.counted();
        let last = (0..10).map(|_| panics.counted()).last().unwrap();
        assert!(first.panics <= first.panics_at_most && last.panics <= last.panics_at_most);
        let rate = per_second(last.panics - first.panics, last.unix_nano - first.unix_nano);
        assert!((8_000.0..12_000.0).contains(&rate), "{toolchain:?}: {rate} a second");
        assert_eq!(panics.end().code, Some(0));
    }
}

#[test]
fn registrations_have_the_rate_that_was_asked_for_and_do_not_allocate() {
    for (toolchain, _, file) in binaries("rates", some(), &[Mode::Plain]) {
        for (kind, shape, sites) in
            [("noalloc", "steady", 1), ("closure", "steady", 1), ("stack", "steady", 10), ("noalloc", "bursty", 1)]
        {
            let mut rates = Rates::ready(&file, &["-rate", "100000", "-kind", kind, "-shape", shape, "-every", "100ms"]);
            assert_eq!((rates.said().sites.len(), rates.said().returns), (sites, true));
            rates.begin();
            // Whole seconds, so that a bursty one has had its burst.
            let counted = counts(&mut rates, 21);
            let (first, last) = (counted[0], counted[20]);
            let rate = per_second(last.registrations - first.registrations, last.unix_nano - first.unix_nano);
            assert!((85_000.0..115_000.0).contains(&rate), "{toolchain:?} {kind} {shape}: {rate} a second");
            assert!(counted.iter().all(|count| count.registrations <= count.registrations_at_most));
            let ended = rates.end();
            let end: Counts = teller::decode(ended.stdout.lines().last().unwrap());
            assert_eq!((end.registrations, end.returns * 10), (end.registrations_at_most, end.registrations));
            assert_eq!(end.allocations >= end.registrations, kind == "closure", "{toolchain:?} {kind}: {end:?}");
        }
    }
}

#[test]
fn the_service_counts_what_its_client_asks_for() {
    let file = binary("rates", newest(), Mode::Plain);
    let service = Rates::ready(&file, &["-serve", "127.0.0.1:0"]);
    let load = rates::load(&file, service.said().address.unwrap(), 4, 1);
    assert!(load.requests > 100 && load.errors == 0 && load.p50_ns <= load.p99_ns, "{load:?}");
    let end: Counts = teller::decode(service.end().stdout.lines().last().unwrap());
    assert_eq!((end.returns, end.registrations), (load.requests, 10 * load.requests));
}

#[test]
fn descriptors_are_held_as_told() {
    let file = binary("files", newest(), Mode::Plain);
    for (arguments, kind, fault) in [
        (&["-leak", "missing", "-rate", "100"][..], "regular", "missing"),
        (&["-leak", "deferred", "-rate", "100"], "regular", "deferred"),
        (&["-leak", "net", "-rate", "100"], "socket", ""),
        (&["-warm", "200", "-over", "500ms"], "regular", ""),
    ] {
        let mut files = Files::ready(&file, arguments);
        assert_eq!((files.said().kind.as_str(), files.said().fault.as_str()), (kind, fault));
        assert_eq!(files.said().defer_line > 0, fault == "deferred");
        files.begin();
        let (held, _) = wait::until("it has told what it holds", || files.held().pop());
        let open = std::fs::read_dir(format!("/proc/{}/fd", files.pid())).unwrap().count() as u64;
        // Three streams, one or two of the runtime's, a listener, and what was opened since.
        assert!(held.open > 50 && open > held.open && open < held.open + 100, "{arguments:?}: {held:?}, {open} open");
        files.kill();
    }
}

/// The newest Go; with `DEFERD_SLOW` all of them.
fn some() -> &'static [Toolchain] {
    let all = toolchains();
    let first = if std::env::var_os("DEFERD_SLOW").is_some() { 0 } else { all.len().saturating_sub(1) };
    all.get(first..).unwrap_or_default()
}

/// Whether Go's last words, of which the end may be missing here, say what was announced.
fn ended_by(message: &str, words: &str) -> bool {
    let said = words.trim_start().split_once(": ").map(|(_, said)| said);
    !message.is_empty() && said.is_some_and(|said| message.starts_with(said))
}

fn counts(rates: &mut Rates, number: usize) -> Vec<Counts> {
    let mut counted = Vec::new();
    wait::until("it has counted", || {
        counted.extend(rates.counted());
        (counted.len() >= number).then_some(())
    });
    counted
}

#[expect(clippy::cast_precision_loss, reason = "no count here has 2^53")]
fn per_second(number: u64, nanoseconds: u64) -> f64 {
    number as f64 / (nanoseconds as f64 / 1e9)
}

fn arguments(file: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(file);
    command.args(arguments);
    command
}
