//! `deferd snapshot` against the program that holds one site of every kind, for every Go version and form of binary.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use deferd_fixtures::{GoVersion, Mode, Toolchain, binaries, missing, toolchains};
use deferd_integration::deferd;
use deferd_integration::matrix::{Matrix, differences};

/// Binaries looked at side by side; CI has two cores.
const PARALLEL: usize = 2;

type Binary<'a> = (&'a Toolchain, Mode, PathBuf);

/// Per binary the number of sites checked, or what was wrong.
type Results = BTreeMap<(GoVersion, Mode), Result<usize, Vec<String>>>;

#[test]
fn every_site_of_every_go_version_and_form_of_binary_is_reported_exactly() {
    let all = binaries("matrix", toolchains(), &Mode::WITHOUT_C);
    let results = check_all(&all);
    missing::report(&table(&results));
    let wrong: Vec<String> = results
        .iter()
        .filter_map(|((version, mode), result)| {
            let lines = result.as_ref().err()?;
            Some(format!("{version} {}:\n  {}", mode.name(), lines.join("\n  ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(results.len(), toolchains().len() * Mode::WITHOUT_C.len());
}

fn check_all(all: &[Binary<'_>]) -> Results {
    let (queue, results) = (Mutex::new(all.iter()), Mutex::new(Results::new()));
    let worker = || {
        loop {
            // In a statement of its own: the lock is not held while a program runs.
            let next = queue.lock().unwrap().next();
            let Some((toolchain, mode, file)) = next else { return };
            let result = check(file);
            results.lock().unwrap().insert((toolchain.version, *mode), result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(worker);
        }
    });
    results.into_inner().unwrap()
}

fn check(file: &std::path::Path) -> Result<usize, Vec<String>> {
    let matrix = Matrix::start(file);
    let seen = deferd::snapshot(matrix.pid()).map_err(|ended| vec![ended.stderr])?;
    let differences = differences(&matrix.announcement, &seen);
    if differences.is_empty() { Ok(matrix.announcement.sites.len()) } else { Err(differences) }
}

fn table(results: &Results) -> String {
    let heading = Mode::WITHOUT_C.map(|mode| format!("{:>14}", mode.name())).concat();
    let mut lines = vec![format!("{:<10}{heading}", "sites")];
    let mut sum = 0;
    for version in toolchains().iter().map(|toolchain| toolchain.version) {
        let cells = Mode::WITHOUT_C.map(|mode| {
            let cell = match results.get(&(version, mode)) {
                Some(Ok(sites)) => {
                    sum += sites;
                    sites.to_string()
                }
                Some(Err(wrong)) => format!("{} WRONG", wrong.len()),
                None => "-".into(),
            };
            format!("{cell:>14}")
        });
        lines.push(format!("{:<10}{}", version.to_string(), cells.concat()));
    }
    format!("{}\n{sum} sites exact in {} binaries", lines.join("\n"), results.len())
}
