//! The fixture program, built by every Go that is there, in every way.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use deferd_goproc::image::Image;

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

    pub(crate) fn is_stripped(self) -> bool {
        self.arguments().contains(&"-ldflags=-s -w")
    }

    pub(crate) fn is_pie(self) -> bool {
        self.arguments().contains(&"-buildmode=pie")
    }

    pub(crate) fn is_cgo(self) -> bool {
        self.arguments().contains(&"-tags=withc")
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Stripped => &["-ldflags=-s -w"],
            Self::Pie => &["-buildmode=pie"],
            Self::PieStripped => &["-buildmode=pie", "-ldflags=-s -w"],
            Self::Cgo => &["-tags=withc"],
            Self::CgoStripped => &["-tags=withc", "-ldflags=-s -w"],
            Self::CgoPie => &["-tags=withc", "-buildmode=pie"],
            Self::CgoPieStripped => &["-tags=withc", "-buildmode=pie", "-ldflags=-s -w"],
            Self::StaticPie => &[
                "-tags=withc",
                "-buildmode=pie",
                "-ldflags=-linkmode=external -extldflags=-static-pie",
            ],
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

/// One built program.
pub(crate) struct Fixture {
    pub(crate) toolchain: Toolchain,
    pub(crate) mode: Mode,
    pub(crate) path: PathBuf,
}

impl Fixture {
    pub(crate) fn image(&self) -> Image {
        let file = fs::File::open(&self.path).expect("a built fixture");
        Image::read(&file).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// Runs `go tool ARGUMENTS...` of the toolchain that built it.
    pub(crate) fn tool(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self
            .toolchain
            .command()
            .arg("tool")
            .args(arguments)
            .arg(&self.path)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("go tool starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("go tool ends");
        writer.join().expect("no panic").expect("input taken");
        assert!(output.status.success(), "go tool {arguments:?} on {self}");
        String::from_utf8(output.stdout).expect("text")
    }
}

impl std::fmt::Display for Fixture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.toolchain.version, self.mode)
    }
}

impl Toolchain {
    fn new(go: PathBuf) -> Option<Self> {
        let mut this = Self {
            version: String::new(),
            minor: 0,
            go,
        };
        let output = this.command().args(["env", "GOVERSION"]).output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?;
        version.trim().clone_into(&mut this.version);
        let minor = this.version.strip_prefix("go1.")?.split('.').next()?;
        this.minor = minor.parse().ok()?;
        Some(this)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.go);
        command
            .current_dir(sources())
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=mod")
            .env("GOWORK", "off")
            .env_remove("GOROOT");
        command
    }

    /// Builds the program, unless the same sources were built before.
    pub(crate) fn build(&self, mode: Mode) -> Fixture {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image");
        fs::create_dir_all(&folder).expect("a folder for fixtures");
        let mut hasher = DefaultHasher::new();
        (*SOURCE_HASH, mode.arguments()).hash(&mut hasher);
        let name = format!("{}-{mode:?}-{:016x}", self.version, hasher.finish());
        let path = folder.join(name);
        if !path.exists() {
            // Another test process may be building the same.
            let unfinished = path.with_extension(std::process::id().to_string());
            let status = self
                .command()
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
        Fixture {
            toolchain: self.clone(),
            mode,
            path,
        }
    }
}

/// The Go installations: the machine's own and those in the cache.
pub(crate) fn toolchains() -> &'static [Toolchain] {
    static FOUND: LazyLock<Vec<Toolchain>> = LazyLock::new(find_toolchains);
    &FOUND
}

/// Every toolchain with every mode of `modes`.
pub(crate) fn fixtures(modes: &[Mode]) -> impl Iterator<Item = Fixture> {
    toolchains()
        .iter()
        .flat_map(move |toolchain| modes.iter().map(|&mode| toolchain.build(mode)))
}

fn find_toolchains() -> Vec<Toolchain> {
    let cache = env::var_os("DEFERD_GO_CACHE").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache/deferd/go"),
        PathBuf::from,
    );
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
    let missing: Vec<u8> = SUPPORTED
        .filter(|minor| !by_version.keys().any(|(found, _)| found == minor))
        .collect();
    if !missing.is_empty() {
        // Written past the test harness, which hides what a passing test prints.
        writeln!(
            std::io::stderr(),
            "SKIPPED: no Go 1.{missing:?} in {} (set DEFERD_GO_CACHE)",
            cache.display()
        )
        .expect("standard error");
        let is_ci = env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_ci, "CI must test every supported Go release");
    }
    by_version.into_values().collect()
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/go/image")
}

/// The sources by file name.
pub(crate) fn source(name: &str) -> String {
    fs::read_to_string(sources().join(name)).expect("a fixture source")
}

static SOURCE_HASH: LazyLock<u64> = LazyLock::new(|| {
    let mut files: Vec<PathBuf> = fs::read_dir(sources())
        .expect("fixture sources")
        .map(|entry| entry.expect("a name").path())
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(&file).expect("a fixture source").hash(&mut hasher);
    }
    hasher.finish()
});
