//! Fixture programs under `tests/go`, built by every Go that is there, in every way.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The minor releases that must be tested before a release of this crate.
pub(crate) const SUPPORTED: std::ops::RangeInclusive<u8> = 21..=27;

/// A way to link the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    Plain,
    Stripped,
    Pie,
    PieStripped,
    Cgo,
    CgoStripped,
    CgoPie,
    CgoPieStripped,
    StaticPie,
    /// Compiled without optimisation or inlining, as debuggers want it.
    Unoptimised,
}

impl Mode {
    pub(crate) const ALL: [Self; 10] = [
        Self::Plain,
        Self::Stripped,
        Self::Pie,
        Self::PieStripped,
        Self::Cgo,
        Self::CgoStripped,
        Self::CgoPie,
        Self::CgoPieStripped,
        Self::StaticPie,
        Self::Unoptimised,
    ];

    pub(crate) fn is_pie(self) -> bool {
        self.arguments().contains(&"-buildmode=pie")
    }

    fn is_cgo(self) -> bool {
        self.arguments().contains(&"-tags=withc")
    }

    /// What `go build` is given.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Stripped => &["-ldflags=-s -w"],
            Self::Pie => &["-buildmode=pie"],
            Self::PieStripped => &["-buildmode=pie", "-ldflags=-s -w"],
            Self::Cgo => &["-tags=withc"],
            Self::CgoStripped => &["-tags=withc", "-ldflags=-s -w"],
            Self::CgoPie => &["-tags=withc", "-buildmode=pie"],
            Self::CgoPieStripped => &["-tags=withc", "-buildmode=pie", "-ldflags=-s -w"],
            Self::StaticPie => &["-tags=withc", "-buildmode=pie", "-ldflags=-linkmode=external -extldflags=-static-pie"],
            Self::Unoptimised => &["-gcflags=all=-N -l"],
        }
    }
}

/// One Go installation.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    /// As `go env GOVERSION` says: `go1.26.6`.
    pub(crate) version: String,
    pub(crate) minor: u8,
    go: PathBuf,
}

impl Toolchain {
    fn new(go: PathBuf) -> Option<Self> {
        let mut this = Self { version: String::new(), minor: 0, go };
        let output = this.command().args(["env", "GOVERSION"]).output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?;
        version.trim().clone_into(&mut this.version);
        let minor = this.version.strip_prefix("go1.")?.split('.').next()?;
        this.minor = minor.parse().ok()?;
        Some(this)
    }

    /// The `go` command, set to use nothing but itself.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.go);
        command.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod").env("GOWORK", "off").env_remove("GOROOT");
        command
    }

    /// Builds the program in `tests/go/PROGRAM`, unless the same sources were built before; returns the file.
    pub(crate) fn build(&self, program: &str, mode: Mode) -> PathBuf {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program);
        fs::create_dir_all(&folder).expect("a folder for fixtures");
        let mut hasher = DefaultHasher::new();
        (source_hash(program), mode.arguments()).hash(&mut hasher);
        let name = format!("{}-{mode:?}-{:016x}", self.version, hasher.finish());
        let path = folder.join(name);
        if !path.exists() {
            let unfinished = path.with_extension("unfinished");
            let status = self
                .command()
                .current_dir(sources(program))
                .env("CGO_ENABLED", if mode.is_cgo() { "1" } else { "0" })
                .arg("build")
                .args(mode.arguments())
                .arg("-o")
                .arg(&unfinished)
                .arg(".")
                .status()
                .expect("go build starts");
            assert!(status.success(), "go build {mode:?} with {}", self.version);
            fs::rename(&unfinished, &path).expect("same folder");
        }
        path
    }
}

/// The Go installations: the machine's own and those in the cache.
pub(crate) fn toolchains() -> &'static [Toolchain] {
    static FOUND: LazyLock<Vec<Toolchain>> = LazyLock::new(find_toolchains);
    &FOUND
}

fn find_toolchains() -> Vec<Toolchain> {
    let cache = env::var_os("DEFERD_GO_CACHE")
        .map_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache/deferd/go"), PathBuf::from);
    let cached = fs::read_dir(&cache)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/go")))
        .filter(|go| go.exists());
    let by_version: BTreeMap<(u8, String), Toolchain> = std::iter::once(PathBuf::from("go"))
        .chain(cached)
        .filter_map(Toolchain::new)
        .filter(|toolchain| SUPPORTED.contains(&toolchain.minor))
        .map(|toolchain| ((toolchain.minor, toolchain.version.clone()), toolchain))
        .collect();
    let missing: Vec<u8> = SUPPORTED.filter(|minor| !by_version.keys().any(|(found, _)| found == minor)).collect();
    if !missing.is_empty() {
        // Written past the test harness, which hides what a passing test prints.
        writeln!(std::io::stderr(), "SKIPPED: no Go 1.{missing:?} in {} (set DEFERD_GO_CACHE)", cache.display())
            .expect("standard error");
        let is_ci = env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_ci, "CI must test every supported Go release");
    }
    by_version.into_values().collect()
}

/// The folder of a fixture program.
pub(crate) fn sources(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/go").join(program)
}

fn source_hash(program: &str) -> u64 {
    static KNOWN: LazyLock<Mutex<HashMap<String, u64>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(program.to_owned()).or_insert_with(|| {
        let mut files: Vec<PathBuf> =
            fs::read_dir(sources(program)).expect("fixture sources").map(|entry| entry.expect("a name").path()).collect();
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in files {
            fs::read(&file).expect("a fixture source").hash(&mut hasher);
        }
        hasher.finish()
    })
}
