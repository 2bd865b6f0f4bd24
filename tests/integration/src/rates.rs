//! The Go program `rates`: registers deferred calls at a rate, and counts them.

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use crate::process::{self, Ended};
use crate::teller::{self, Announced};

/// The program, running; its arguments are for instance `["-rate", "1000"]`. A service begins by itself.
pub type Rates = Announced<Announcement>;

/// What it says first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Announcement {
    /// Where the service listens, if it is one.
    pub address: Option<SocketAddr>,
    /// What registers.
    pub function: String,
    /// Its file.
    pub file: String,
    /// The lines of its `defer` statements. Each registers equally often.
    pub sites: Vec<u32>,
    /// Whether the function returns.
    pub returns: bool,
}

/// Its counters: the true number lies between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Counts {
    /// When.
    pub unix_nano: u64,
    /// At least.
    pub registrations: u64,
    /// At most.
    pub registrations_at_most: u64,
    /// Calls that returned.
    pub returns: u64,
    /// CPU time that the program has used.
    pub cpu_ns: u64,
    /// Objects allocated in the whole run; the last line tells.
    #[serde(default)]
    pub allocations: u64,
}

/// What the client of the service found.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Load {
    /// Answered well.
    pub requests: u64,
    /// Not answered, or not well.
    pub errors: u64,
    /// Answers per second.
    pub per_second: f64,
    /// Half of all answers took no longer.
    pub p50_ns: u64,
    /// 99 in 100 answers took no longer.
    pub p99_ns: u64,
}

impl Rates {
    /// What it has counted since the last call.
    ///
    /// # Panics
    /// If it does not count.
    pub fn counted(&mut self) -> Vec<Counts> {
        self.teller.rest().iter().map(|line| teller::decode(line)).collect()
    }

    /// Ends the program; its last line is that of the end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end(self) -> Ended {
        self.teller.end()
    }
}

/// Asks the service for so many seconds, over so many connections.
///
/// # Panics
/// If the client fails, or takes longer than the service is given.
pub fn load(file: &Path, service: SocketAddr, connections: u32, seconds: u32) -> Load {
    let (url, connections, seconds) = (format!("http://{service}/"), connections.to_string(), seconds.to_string());
    let mut client = std::process::Command::new(file);
    client.args(["-load", &url, "-conns", &connections, "-seconds", &seconds]);
    let ended = process::run(client);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    teller::decode(&ended.stdout)
}
