//! The Go program `panics`: says of each panic what will be seen of it, and then raises it.

mod compare;

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::process::Ended;
use crate::teller::{self, Teller};

pub use compare::differences;

/// The program, running.
#[derive(Debug)]
pub struct Panics(Teller);

/// What it is going to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Case {
    /// Its name.
    #[serde(rename = "case")]
    pub name: String,
    /// On which goroutine.
    #[serde(default)]
    pub goroutine: u64,
    /// How often all of `stages` happens; 0 if it is a flood.
    #[serde(default)]
    pub times: u64,
    /// Whether the program dies of it.
    #[serde(default)]
    pub dies: bool,
    /// What happens, in this order. Stages of one panic have its number.
    pub stages: Vec<Stage>,
}

/// One thing that a panic goes through. Text is empty, and the line 0, where nothing is promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Stage {
    /// `go.panic` or `go.fatal`.
    pub event: String,
    /// The panic's number in its case.
    pub panic: u32,
    /// `raised`, `recovered`, `replaced`, `fatal` or `goexit`; none of a `go.fatal`.
    pub stage: String,
    /// Of the value, as `%T` prints it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value as text.
    pub message: String,
    /// Of the first frame outside of package runtime.
    pub function: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Whether one package of the standard library raises and recovers.
    pub internal: bool,
}

/// How often the flood has panicked so far: truly between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Flood {
    /// When.
    pub unix_nano: u64,
    /// At least.
    pub panics: u64,
    /// At most.
    pub panics_at_most: u64,
    /// CPU time that the program has used.
    pub cpu_ns: u64,
    /// Whether it is over.
    #[serde(default)]
    pub end: bool,
}

impl Panics {
    /// Starts the program; `arguments` are for instance `["-case", "all"]`.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(file: &Path, arguments: &[&str]) -> Self {
        Self(Teller::start(file, arguments))
    }

    /// Starts the program by a command of [`crate::apart`].
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start_apart(command: Command) -> Self {
        Self(Teller::start_apart(command))
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// What it will do next. Of a flood only name and stages are said.
    ///
    /// # Panics
    /// If it says nothing.
    pub fn announced(&mut self) -> Case {
        self.0.told()
    }

    /// Lets it happen, and waits until it has.
    ///
    /// # Panics
    /// If it did not happen as it was announced.
    pub fn perform(&mut self, case: &Case) {
        assert!(!case.dies, "{} ends the program", case.name);
        self.0.go();
        assert_eq!(self.0.line(), format!("done {}", case.name));
    }

    /// Lets it die, and waits for its end.
    ///
    /// # Panics
    /// If it lives on.
    pub fn die(mut self) -> Ended {
        self.0.go();
        self.0.end()
    }

    /// Lets the flood begin.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn begin(&mut self) {
        self.0.go();
    }

    /// The next count of the flood, up to the one of its end.
    ///
    /// # Panics
    /// If it does not count.
    pub fn counted(&mut self) -> Flood {
        self.0.told()
    }

    /// Counts of the flood that were told since the last call.
    ///
    /// # Panics
    /// If it says something else.
    pub fn counted_so_far(&mut self) -> Vec<Flood> {
        let lines = self.0.rest();
        lines.iter().filter(|line| line.starts_with('{')).map(|line| teller::decode(line)).collect()
    }

    /// Ends the program.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end(self) -> Ended {
        self.0.end()
    }
}
