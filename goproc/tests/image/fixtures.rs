//! The fixture program `tests/go/image`, built by every Go that is there, in
//! every way.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use deferd_goproc::image::Image;

pub(crate) use deferd_fixtures::{Mode, Toolchain, toolchains};

/// The fixture's folder.
const PROGRAM: &str = "image";

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
            .current_dir(deferd_fixtures::source(PROGRAM))
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
        write!(f, "{} {}", self.toolchain.version, self.mode)
    }
}

/// Builds the fixture, unless the same sources were built before.
pub(crate) fn build(toolchain: &Toolchain, mode: Mode) -> Fixture {
    Fixture { toolchain: toolchain.clone(), mode, path: deferd_fixtures::binary(PROGRAM, toolchain, mode) }
}

/// Every toolchain with every mode of `modes`.
pub(crate) fn fixtures(modes: &[Mode]) -> impl Iterator<Item = Fixture> {
    toolchains().iter().flat_map(move |toolchain| modes.iter().map(|&mode| build(toolchain, mode)))
}

/// The sources by file name.
pub(crate) fn source(name: &str) -> String {
    fs::read_to_string(deferd_fixtures::source(PROGRAM).join(name)).expect("a fixture source")
}
