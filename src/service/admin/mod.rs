//! The address on which a running service is administered: `service::admin`.
//!
//! Off unless configured, on the loopback interface unless asked otherwise, and never without a token: whoever can make the service
//! read its configuration again can also learn what it runs.

mod handler;
#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{Listener, SocketError, Sockets, Stopper};
use deferd_config::{Endpoint, FileState, Secret, service};
use deferd_net::http;
use tokio::sync::mpsc;

use super::request::Request;
use super::status::Status;
use handler::Handler;

/// The name under which the address is reserved: the key it is configured at.
const OWNER: &str = "service::admin";
/// Longest token, in bytes: what fits a request head with room to spare.
const MAX_TOKEN: u64 = 4 << 10;

/// What the address leads to.
#[derive(Debug, Clone)]
pub(crate) struct Doors {
    /// Where reloads are asked for.
    pub(crate) requests: mpsc::Sender<Request>,
    /// What is in force.
    pub(crate) status: Arc<Status>,
    /// What is degraded.
    pub(crate) health: Arc<Health>,
}

/// The admin address of the configuration in force.
#[derive(Debug)]
pub(crate) struct Admin {
    doors: Doors,
    telemetry: Arc<Telemetry>,
    sockets: Arc<Sockets>,
    token_file: Option<FileState>,
    serving: Option<Serving>,
}

#[derive(Debug)]
struct Serving {
    endpoint: Endpoint,
    #[cfg(test)]
    address: std::net::SocketAddr,
    token: Arc<ArcSwap<Secret>>,
    stopper: Stopper,
}

/// The address and token of another configuration, acquired and not yet in use.
#[derive(Debug)]
pub(crate) struct Staged(Option<StagedAddress>);

#[derive(Debug)]
struct StagedAddress {
    endpoint: Endpoint,
    listener: Arc<Listener>,
    token: Secret,
    token_file: Option<FileState>,
}

/// Why there is no admin address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// The address is not to be had.
    #[error("{0}")]
    Socket(#[from] SocketError),
    /// The file with the token cannot be read.
    #[error("token_file {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds nothing that can be a token.
    #[error("token_file {path}: holds no token; allowed: one line of 1 to {MAX_TOKEN} printable ASCII characters")]
    NoToken {
        /// The file.
        path: String,
    },
    /// A client could not send the token.
    #[error("token: cannot be sent in a header; allowed: 1 to {MAX_TOKEN} printable ASCII characters")]
    BadToken,
}

impl Admin {
    /// Nothing served yet.
    pub(crate) fn new(doors: Doors, telemetry: Arc<Telemetry>, sockets: Arc<Sockets>) -> Self {
        Self { doors, telemetry, sockets, token_file: None, serving: None }
    }

    /// Acquires what a configuration needs; an address that it keeps keeps its socket.
    pub(crate) fn stage(&self, admin: Option<&service::Admin>) -> Result<Staged, AdminError> {
        let Some(admin) = admin else { return Ok(Staged(None)) };
        let token = token(admin)?;
        let listener = self.sockets.reserve(OWNER, &admin.endpoint.to_string())?;
        let token_file = (!admin.token_file.is_empty()).then(|| FileState::now(Path::new(&admin.token_file)));
        Ok(Staged(Some(StagedAddress { endpoint: admin.endpoint.clone(), listener, token, token_file })))
    }

    /// Serves what was staged and nothing else. Cannot fail. An answer that is under way on an address that goes is still given.
    pub(crate) fn commit(&mut self, staged: Staged) {
        let Some(StagedAddress { endpoint, listener, token, token_file }) = staged.0 else {
            (self.serving, self.token_file) = (None, None);
            return;
        };
        self.token_file = token_file;
        match &self.serving {
            Some(serving) if serving.endpoint == endpoint => serving.token.store(Arc::new(token)),
            _ => self.serving = Some(self.serve(endpoint, listener, token)),
        }
    }

    /// The file the token came from, to be watched like those of the configuration.
    pub(crate) fn token_file(&self) -> Option<FileState> {
        self.token_file.clone()
    }

    fn serve(&self, endpoint: Endpoint, listener: Arc<Listener>, token: Secret) -> Serving {
        tracing::info!("Serving administration on http://{}", listener.address());
        #[cfg(test)]
        let address = listener.address();
        let (stopper, token) = (Stopper::new(), Arc::new(ArcSwap::from_pointee(token)));
        let handler = Arc::new(Handler::new(self.doors.clone(), Arc::clone(&token), &self.telemetry));
        let (stop, telemetry) = (stopper.listener(), Arc::clone(&self.telemetry));
        tokio::spawn(async move { http::serve(listener, handler, &telemetry, stop).await });
        Serving {
            endpoint,
            #[cfg(test)]
            address,
            token,
            stopper,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

/// The token that a client of this address must send.
pub(crate) fn token(admin: &service::Admin) -> Result<Secret, AdminError> {
    if admin.token_file.is_empty() {
        return if is_token(admin.token.expose()) { Ok(admin.token.clone()) } else { Err(AdminError::BadToken) };
    }
    token_from(&admin.token_file)
}

/// The token in a file, without the line break at its end.
pub(crate) fn token_from(path: &str) -> Result<Secret, AdminError> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_TOKEN + 2).read_to_string(&mut text));
    read.map_err(|source| AdminError::Unreadable { path: path.to_owned(), source })?;
    let token = text.trim_end_matches(['\r', '\n']);
    if is_token(token) { Ok(Secret::new(token)) } else { Err(AdminError::NoToken { path: path.to_owned() }) }
}

fn is_token(text: &str) -> bool {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    (1..=MAX_TOKEN).contains(&length) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
