//! Probes in live Go programs, by the running kernel, held to what the programs say of themselves.

mod breakpoints;
mod file_alerts;
mod files;
mod floods;
mod harmless;
mod keeper;
mod namespaces;
mod panics;
mod rates;
mod reload;

use std::path::PathBuf;

use deferd_fixtures::{Mode, Toolchain, binaries, toolchains};
use deferd_integration::recording::{Point, Recording};

/// Every supported Go plain, and the oldest and the newest in forms that keep less.
fn every_go(program: &str) -> Vec<(String, PathBuf)> {
    let all = toolchains();
    let stripped = [Mode::Stripped, Mode::PieStripped];
    let mut found = named(binaries(program, all, &[Mode::Plain]));
    let ends = [all.first(), all.last()];
    found.extend(ends.into_iter().flatten().flat_map(|one| named(binaries(program, std::slice::from_ref(one), &stripped))));
    found
}

fn named(binaries: Vec<(&Toolchain, Mode, PathBuf)>) -> Vec<(String, PathBuf)> {
    binaries.into_iter().map(|(toolchain, mode, file)| (format!("{} {}", toolchain.version, mode.name()), file)).collect()
}

/// The newest Go of a minor.
fn go(minor: u8) -> Option<&'static Toolchain> {
    toolchains().iter().rev().find(|toolchain| toolchain.version.minor == minor)
}

/// Whether a point has all of these attributes.
fn has(point: &Point, attributes: &[(&str, &str)]) -> bool {
    attributes.iter().all(|(key, value)| point.attributes.get(*key).is_some_and(|found| found == value))
}

/// Values of a metric by time, those of all series with these attributes added up.
fn sums(recording: &Recording, metric: &str, attributes: &[(&str, &str)]) -> Vec<(u64, f64)> {
    let mut sums: Vec<(u64, f64)> = Vec::new();
    for point in recording.of(metric).filter(|point| has(point, attributes)) {
        match sums.last_mut().filter(|(time, _)| *time == point.time) {
            Some((_, sum)) => *sum += point.value,
            None => sums.push((point.time, point.value)),
        }
    }
    sums
}
