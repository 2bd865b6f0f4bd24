//! `cargo xtask bpf`: from the programs in C to the object that is committed, and back to the proof that it is theirs.
//!
//! Users build without a C compiler for BPF, so the object is in the tree. That it was built from the sources beside it is shown
//! twice: by checksums, which need nothing, and by building it again, byte for byte, where the compiler is there (as in CI).

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use deferd_fixtures::command;
use sha2::{Digest, Sha256};

use crate::terminal::{complain, say};

/// The compiler is part of what the bytes depend on.
const CLANG: &str = "clang-19";
const STRIP: &str = "llvm-strip-19";
const DIRECTORY: &str = "receivers/bpf";
const SOURCES: &str = "programs";
const MAIN: &str = "programs/godefer.bpf.c";
const OBJECT: &str = "godefer.bpf.o";
const SUMS: &str = "godefer.bpf.o.sha256";

/// What the user asked for.
#[derive(Args)]
pub(crate) struct Options {
    /// Build into a temporary folder and compare with what is committed
    #[arg(long)]
    check: bool,
}

impl Options {
    pub(crate) fn checking() -> Self {
        Self { check: true }
    }
}

/// Why there is no object, or not the right one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Command(#[from] command::Error),
    #[error("{0} is not installed (Debian: apt-get install clang-19 llvm-19), and CI=true allows no gaps")]
    NoCompiler(&'static str),
    #[error("{path} is not what its checksum in {SUMS} says: run `cargo xtask bpf`, and commit what it writes")]
    Changed { path: String },
    #[error("{OBJECT} is not what {CLANG} makes of the sources: run `cargo xtask bpf`, and commit what it writes")]
    Differs,
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Error> {
    let directory = root.join(DIRECTORY);
    if !options.check {
        build(&directory, &directory.join(OBJECT))?;
        write(&directory.join(SUMS), &sums(&directory)?)?;
        say(&format!("{DIRECTORY}/{OBJECT} written"));
        return Ok(());
    }
    compare_sums(&directory)?;
    if let Some(missing) = [CLANG, STRIP].into_iter().find(|tool| command::output(Command::new(tool).arg("--version")).is_err()) {
        if std::env::var("CI").as_deref() == Ok("true") {
            return Err(Error::NoCompiler(missing));
        }
        complain(&format!("SKIPPED: {missing} is not installed; the committed object was NOT built again and compared"));
        return Ok(());
    }
    let scratch = tempfile::tempdir().map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
    let again = scratch.path().join(OBJECT);
    build(&directory, &again)?;
    if read(&again)? != read(&directory.join(OBJECT))? {
        return Err(Error::Differs);
    }
    say(&format!("{DIRECTORY}/{OBJECT} is what {CLANG} makes of its sources"));
    Ok(())
}

/// The same bytes in whatever folder it runs: all paths are relative, and the folder itself is not written down.
fn build(directory: &Path, object: &Path) -> Result<(), Error> {
    let warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-missing-field-initializers"];
    let target = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-fdebug-compilation-dir=."];
    let mut compile = Command::new(CLANG);
    compile.current_dir(directory).args(target).args(warnings).args(["-c", MAIN, "-o"]).arg(object);
    command::run(&mut compile)?;
    command::run(Command::new(STRIP).arg("-g").arg(object))?;
    Ok(())
}

/// A line for the object and for each source, as `sha256sum` writes them.
fn sums(directory: &Path) -> Result<String, Error> {
    let sources = directory.join(SOURCES);
    let failed = |source| Error::File { path: sources.clone(), source };
    let mut names = vec![OBJECT.to_owned()];
    for entry in fs::read_dir(&sources).map_err(failed)? {
        names.push(format!("{SOURCES}/{}", entry.map_err(failed)?.file_name().to_string_lossy()));
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        for byte in Sha256::digest(read(&directory.join(&name))?) {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = writeln!(text, "  {name}");
    }
    Ok(text)
}

fn compare_sums(directory: &Path) -> Result<(), Error> {
    let (is, should) = (sums(directory)?, String::from_utf8_lossy(&read(&directory.join(SUMS))?).into_owned());
    let changed = is.lines().find(|line| !should.lines().any(|known| known == *line));
    match changed.or_else(|| should.lines().find(|line| !is.lines().any(|known| known == *line))) {
        Some(line) => Err(Error::Changed { path: line.split_whitespace().last().unwrap_or_default().to_owned() }),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| Error::File { path: path.to_owned(), source })
}
