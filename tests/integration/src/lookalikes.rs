//! The Go program `lookalikes`: ten ways to look like a leak and be none.

use std::process::Command;

use deferd_fixtures::{Mode, binary, newest};
use serde::Deserialize;

use crate::process::Running;
use crate::wait;

/// All ten.
pub const SCENARIOS: [&str; 10] =
    ["bursts", "recursion", "workers", "parked", "warmup", "server", "connections", "batches", "panics", "churn"];

/// The program, running.
#[derive(Debug)]
pub struct LookAlike {
    running: Running,
    said: Announcement,
}

/// What it says first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Announcement {
    scenario: String,
}

impl LookAlike {
    /// Starts it; from then on it works.
    ///
    /// # Panics
    /// If it does not come up, or does something else.
    pub fn start(scenario: &str) -> Self {
        let mut command = Command::new(binary("lookalikes", newest(), Mode::Plain));
        command.args(["-scenario", scenario]).env("OTEL_SERVICE_NAME", scenario);
        let mut running = Running::start(command);
        let (said, _): (Announcement, _) = wait::until("lookalikes says what it does", || {
            assert!(running.is_running(), "lookalikes ended: {}", running.stderr());
            let said = running.stdout();
            let (line, _) = said.split_once('\n')?;
            Some(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        });
        assert_eq!(said.scenario, scenario);
        Self { running, said }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Which one it is.
    pub fn scenario(&self) -> &str {
        &self.said.scenario
    }

    /// It ends by itself if it can no longer do what it should.
    ///
    /// # Panics
    /// If it has.
    pub fn check(&mut self) {
        assert!(self.running.is_running(), "{} ended: {}", self.said.scenario, self.running.stderr());
    }
}
