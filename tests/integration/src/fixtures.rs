//! The Go programs of `tests/go`, built as `cargo xtask fixtures` builds them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::missing::skip;

/// The Go minors that must be tested: those that deferd promises.
pub const SUPPORTED: std::ops::RangeInclusive<u32> = 21..=27;

/// A form in which Go programs are shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// As `go build` makes it.
    Plain,
    /// Without symbol table and DWARF.
    Stripped,
    /// Position independent.
    Pie,
    /// Position independent, without symbol table and DWARF.
    PieStripped,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Stripped, Self::Pie, Self::PieStripped];

    /// The name that the command line and the file names use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stripped => "stripped",
            Self::Pie => "pie",
            Self::PieStripped => "pie-stripped",
        }
    }
}

/// A Go version such as 1.26.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GoVersion {
    /// 26 in 1.26.6.
    pub minor: u32,
    /// 6 in 1.26.6.
    pub patch: u32,
}

impl GoVersion {
    fn parse(text: &str) -> Option<Self> {
        let (minor, patch) = text.strip_prefix("1.")?.split_once('.')?;
        Some(Self { minor: minor.parse().ok()?, patch: patch.parse().ok()? })
    }
}

impl fmt::Display for GoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}.{}", self.minor, self.patch)
    }
}

/// The newest toolchain of each supported minor that is installed. `cargo xtask fixtures` installs all of them; a minor that is
/// missing is said loudly, and a failure in CI.
pub fn versions() -> &'static [GoVersion] {
    static FOUND: LazyLock<Vec<GoVersion>> = LazyLock::new(|| {
        let cache = toolchains();
        let installed = fs::read_dir(&cache).into_iter().flatten().flatten();
        let mut newest = BTreeMap::new();
        for version in installed.filter_map(|entry| {
            let version = GoVersion::parse(entry.file_name().to_str()?)?;
            entry.path().join("bin/go").exists().then_some(version)
        }) {
            let known = newest.entry(version.minor).or_insert(version);
            *known = version.max(*known);
        }
        for minor in SUPPORTED.filter(|minor| !newest.contains_key(minor)) {
            let need = format!("no such toolchain in {} (cargo xtask fixtures installs it)", cache.display());
            skip(&format!("Go 1.{minor}"), &need);
        }
        newest.into_values().filter(|version| SUPPORTED.contains(&version.minor)).collect()
    });
    &FOUND
}

/// The newest installed version.
///
/// # Panics
/// If there is none.
pub fn newest() -> GoVersion {
    *versions().last().expect("a Go toolchain: run cargo xtask fixtures")
}

/// The `go` command of a version.
pub fn go(version: GoVersion) -> PathBuf {
    toolchains().join(version.to_string()).join("bin/go")
}

/// The built program, for instance `target/go/matrix/1.27.3-pie`. It is brought up to date at most once per test run.
///
/// # Panics
/// If it cannot be built.
pub fn binary(program: &str, version: GoVersion, mode: Mode) -> PathBuf {
    binaries(program, &[version], &[mode]).remove(0).2
}

/// All combinations, brought up to date in one go.
///
/// # Panics
/// If they cannot be built.
pub fn binaries(program: &str, versions: &[GoVersion], modes: &[Mode]) -> Vec<(GoVersion, Mode, PathBuf)> {
    let wanted = versions.iter().flat_map(|version| modes.iter().map(|mode| (*version, *mode)));
    let folder = workspace().join("target/go").join(program);
    build(program, versions, modes);
    wanted.map(|(version, mode)| (version, mode, folder.join(format!("{version}-{}", mode.name())))).collect()
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        root.canonicalize().expect("the workspace")
    });
    &ROOT
}

/// Runs `cargo xtask fixtures` for what was asked, once, and one at a time: test binaries and threads may want the same file.
fn build(program: &str, versions: &[GoVersion], modes: &[Mode]) {
    static DONE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let list = |items: Vec<String>| items.join(",");
    let arguments = [
        list(versions.iter().map(ToString::to_string).collect()),
        list(modes.iter().map(|mode| mode.name().to_owned()).collect()),
        program.to_owned(),
    ];
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if done.contains(&arguments.concat()) {
        return;
    }
    let folder = workspace().join("target/go");
    fs::create_dir_all(&folder).expect("target/go");
    let lock = File::create(folder.join(".lock")).expect("target/go/.lock");
    lock.lock().expect("the lock of target/go");
    let [versions, modes, program] = &arguments;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "--package", "xtask", "--", "fixtures"])
        .args(["--versions", versions, "--modes", modes, "--program", program])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo xtask fixtures: {}", String::from_utf8_lossy(&output.stderr));
    done.insert(arguments.concat());
}

/// Where `cargo xtask fixtures` keeps toolchains.
fn toolchains() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DEFERD_GO_CACHE").or_else(|| set("HOME").map(|home| home.join(".cache/deferd/go"))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        assert!(GoVersion::parse("1.25.13") > GoVersion::parse("1.25.5"));
        assert_eq!(GoVersion::parse("1.26.6").unwrap().to_string(), "1.26.6");
        assert_eq!(GoVersion::parse(".1.26.6.partial-12"), None);
    }
}
