//! How a running service is changed: what makes it read its configuration again, and who may ask it to.
//!
//! Both sections are ours; the Collector knows SIGHUP alone.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::{Issues, Validate};
use crate::value::{Duration, Endpoint, Secret};

/// The port of the admin address: beside the Collector's health check (13133), and used by none of its components.
pub const ADMIN_PORT: u16 = 13134;

/// Shortest interval between two looks at the files.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// `service::reload`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// Reads the configuration again when one of its files has changed and has stayed the same for one interval.
    pub watch_files: bool,
    /// Pause between two looks at the files.
    pub interval: Duration,
}

impl Default for Reload {
    fn default() -> Self {
        Self { watch_files: false, interval: Duration::from_secs(1) }
    }
}

impl Validate for Reload {
    fn validate(&self, problems: &mut Issues) {
        if self.interval < MIN_INTERVAL {
            problems.push("interval", format!("{} is too short", self.interval), format!("{MIN_INTERVAL} or more"));
        }
    }
}

/// `service::admin`: an HTTP address on which a running service is asked to reload, and says what it runs. Off unless the section
/// is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address to listen on.
    pub endpoint: Endpoint,
    /// What a client must send as `Authorization: Bearer TOKEN`.
    pub token: Secret,
    /// A file with the token in place of `token`; read again on each reload.
    pub token_file: String,
    /// Lets `endpoint` be an address that other machines reach. The token then travels in the clear unless something in front of
    /// the service adds TLS.
    pub allow_remote: bool,
}

impl Default for Admin {
    fn default() -> Self {
        let (token, token_file) = (Secret::default(), String::new());
        Self { endpoint: Endpoint::localhost(ADMIN_PORT), token, token_file, allow_remote: false }
    }
}

impl Admin {
    fn is_loopback(&self) -> bool {
        let host = self.endpoint.host();
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl Validate for Admin {
    fn validate(&self, problems: &mut Issues) {
        match (self.token.is_empty(), self.token_file.is_empty()) {
            (true, true) => problems.push("token", "is missing: who may reload the service must prove it", "token or token_file"),
            (false, false) => problems.push("token_file", "is given beside token", "one of the two"),
            _ => {}
        }
        if !self.token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.push("token", "cannot be sent in a header", "printable ASCII characters without spaces");
        }
        if !self.allow_remote && !self.is_loopback() {
            let message = format!("{} can be reached from other machines", self.endpoint);
            problems.push("endpoint", message, "a loopback address such as localhost:13134, or allow_remote: true");
        }
    }
}
