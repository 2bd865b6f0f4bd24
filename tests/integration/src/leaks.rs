//! The Go program `leaks`: one of five bugs, which says where it is and leaks when it is told to.

use std::net::SocketAddr;
use std::process::Command;

use deferd_fixtures::{Mode, binary, newest};
use serde::Deserialize;

use crate::process::Running;
use crate::{http, wait};

/// Every bug there is.
pub const SCENARIOS: [&str; 5] = ["files", "closures", "consumer", "workers", "rangefunc"];

/// The program, running.
#[derive(Debug)]
pub struct Leak {
    running: Running,
    said: Announcement,
}

/// What it says first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Announcement {
    address: SocketAddr,
    kind: String,
    site: Site,
}

/// The statement at fault.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Site {
    /// The function that holds it.
    pub function: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
}

/// The program's own account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Counters {
    /// Deferred calls pending, at least.
    pub pending: u64,
    /// The same, at most.
    pub pending_at_most: u64,
}

impl Leak {
    /// Starts the program without letting it leak.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn ready(scenario: &str) -> Self {
        let mut command = Command::new(binary("leaks", newest(), Mode::Plain));
        command.args(["-paused", "-scenario", scenario]).env("OTEL_SERVICE_NAME", service(scenario));
        let mut running = Running::start(command);
        let (said, _) = wait::until("leaks says where it listens", || {
            assert!(running.is_running(), "leaks ended: {}", running.stderr());
            let said = running.stdout();
            let (line, _) = said.split_once('\n')?;
            Some(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        });
        Self { running, said }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The statement at fault.
    pub fn site(&self) -> &Site {
        &self.said.site
    }

    /// `heap` or `rangefunc`.
    pub fn kind(&self) -> &str {
        &self.said.kind
    }

    /// The account now.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn counters(&self) -> Counters {
        Self::decode(&http::get(self.said.address, "/counters").expect("leaks answers"))
    }

    /// `start` leaking, `pause`, or `stop` and let go of everything; the account afterwards.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn tell(&self, what: &str) -> Counters {
        Self::decode(&http::post(self.said.address, &format!("/{what}")).expect("leaks answers"))
    }

    fn decode(answer: &http::Answer) -> Counters {
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
    }

    /// Kills it and waits until it is gone.
    pub fn kill(self) {
        self.running.kill();
    }
}

/// The name under which a scenario's process is known.
pub fn service(scenario: &str) -> String {
    format!("leaks-{scenario}")
}
