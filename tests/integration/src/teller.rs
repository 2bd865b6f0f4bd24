//! A Go program that says on standard output what it is going to do, a line at a time, and begins when it is told to.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::process::{Ended, Running};
use crate::{apart, wait};

/// The program, running.
#[derive(Debug)]
pub struct Teller {
    running: Running,
    pid: u32,
    /// How much of what it said was listened to.
    heard: usize,
}

impl Teller {
    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(file: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(file);
        command.args(arguments);
        let running = Running::start(command);
        Self { pid: running.pid(), running, heard: 0 }
    }

    /// Starts it by a command of [`crate::apart`].
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start_apart(command: Command) -> Self {
        let running = Running::start(command);
        Self { pid: apart::inside(running.pid()), running, heard: 0 }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The next line; waits for it.
    ///
    /// # Panics
    /// If there is none: it ended, or says nothing for [`wait::PATIENCE`].
    pub fn line(&mut self) -> String {
        let heard = self.heard;
        let (line, _) = wait::until("the program says something", || {
            let running = self.running.is_running();
            let said = self.running.stdout();
            let rest = said.get(heard..).unwrap_or_default();
            let line = rest.split_once('\n').map(|(line, _)| line.to_owned());
            assert!(running || line.is_some(), "the program ended: {}", self.running.stderr());
            line
        });
        self.heard += line.len() + 1;
        line
    }

    /// [`Teller::line`], which is JSON.
    ///
    /// # Panics
    /// If it is something else, or as [`Teller::line`] does.
    pub fn told<T: DeserializeOwned>(&mut self) -> T {
        let line = self.line();
        decode(&line)
    }

    /// All whole lines that were not listened to yet, without waiting.
    pub fn rest(&mut self) -> Vec<String> {
        let said = self.running.stdout();
        let rest = said.get(self.heard..).unwrap_or_default();
        let whole = rest.rfind('\n').map_or(0, |end| end + 1);
        self.heard += whole;
        rest.get(..whole).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Lets it begin, or go on.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn go(&mut self) {
        writeln!(self.running.stdin()).expect("the program listens");
    }

    /// What it has complained about so far.
    pub fn complaints(&self) -> String {
        self.running.stderr()
    }

    /// Closes its standard input and waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end(mut self) -> Ended {
        self.running.close_stdin();
        self.running.end()
    }

    /// Kills it and waits until it is gone.
    pub fn kill(self) {
        self.running.kill();
    }
}

/// A program that announces once, in its first line, what it is going to do.
#[derive(Debug)]
pub struct Announced<S> {
    pub(crate) teller: Teller,
    said: S,
}

impl<S: DeserializeOwned> Announced<S> {
    /// Starts the program, which does nothing yet.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn ready(file: &Path, arguments: &[&str]) -> Self {
        let mut teller = Teller::start(file, arguments);
        let said = teller.told();
        Self { teller, said }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.teller.pid()
    }

    /// What it is going to do.
    pub fn said(&self) -> &S {
        &self.said
    }

    /// Lets it begin.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn begin(&mut self) {
        self.teller.go();
    }
}

/// One line of JSON.
///
/// # Panics
/// If it is something else.
pub fn decode<T: DeserializeOwned>(line: &str) -> T {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
