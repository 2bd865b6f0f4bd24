//! The shipped files, and the programs that check them.

use std::path::{Path, PathBuf};
use std::process::Command;

use deferd_fixtures::{missing, workspace};
use deferd_integration::process::{self, Ended, is_installed};

/// A shipped file, by its path in the repository.
pub(crate) fn path(file: &str) -> PathBuf {
    workspace().join(file)
}

/// Its text.
pub(crate) fn text(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files of a folder with this extension, in order.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|file| file.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

/// Whether a program is there; if not, that is said loudly.
pub(crate) fn has(program: &str, package: &str) -> bool {
    let found = is_installed(program);
    if !found {
        missing::skip(program, &format!("not installed (apt-get install {package})"));
    }
    found
}

/// Runs a program to its end.
pub(crate) fn run(program: impl AsRef<Path>, arguments: &[&str]) -> Ended {
    let mut command = Command::new(program.as_ref());
    command.args(arguments);
    process::run(command)
}

/// Runs a program that must succeed, and returns what it printed.
pub(crate) fn succeed(program: &str, arguments: &[&str]) -> String {
    let ended = run(program, arguments);
    assert_eq!(ended.code, Some(0), "{program} {arguments:?}: {}{}", ended.stdout, ended.stderr);
    ended.stdout
}
