//! Why a file cannot be used as a Go executable.

use std::io;

/// The first reason found. Each variant is something a caller tells its user
/// in other words or handles in another way.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file could not be read at all.
    #[error("cannot read the executable: {0}")]
    Io(#[from] io::Error),
    /// A pipe, a directory, a device: only regular files are read.
    #[error("not a regular file")]
    NotRegular,
    /// No ELF magic: a script, another platform's format, or garbage.
    #[error("not an ELF file")]
    NotElf,
    /// An ELF file for a machine whose Go code is not understood.
    #[error("executable is for {machine}; only linux/amd64 is supported")]
    UnsupportedMachine {
        /// Go's name of the machine where it has one, else its ELF number.
        machine: String,
    },
    /// An ELF header that contradicts itself or the length of the file.
    #[error("malformed ELF: {what}")]
    MalformedElf {
        /// The part that is wrong.
        what: &'static str,
    },
    /// No Go build information: written in another language, or packed.
    #[error("not a Go program: no Go build information found")]
    NotGo,
    /// Build information whose version does not name a Go 1 minor release.
    #[error("cannot tell the Go version from {text:?}: expected a form of go1.N")]
    UnknownVersion {
        /// The version as the linker wrote it.
        text: String,
    },
    /// Go 1.20 or older.
    #[error("built with {version}: before Go 1.21 the layout of runtime._defer differs; rebuild with 1.21 to 1.27")]
    GoTooOld {
        /// The version as the linker wrote it.
        version: String,
    },
    /// A minor release newer than those whose layouts were verified.
    #[error("built with {version}: layouts are known for Go 1.21 to 1.27 only, and are not guessed")]
    GoTooNew {
        /// The version as the linker wrote it.
        version: String,
    },
    /// The function table is missing or cannot be true.
    #[error("no usable Go function table (pclntab): {what}")]
    FunctionTable {
        /// What is missing or wrong.
        what: &'static str,
    },
    /// A variable of the runtime without which no goroutine can be found.
    #[error("runtime variable {name} not found")]
    GlobalNotFound {
        /// Its full name.
        name: &'static str,
    },
}
