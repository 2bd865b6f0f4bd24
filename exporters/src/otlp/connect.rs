//! Connecting, with errors that say what is wrong, and a pause after each failure.
//!
//! tonic's own connector would do the same, but its errors have to be dug out of three layers, and it tries again at every request.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use deferd_config::Endpoint;
use hyper::Uri;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::Instant;
use tower_service::Service;

use super::target::{Address, Target};

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause. gRPC's own is two minutes, which is long after a backend is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why there is no connection, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectError(String);

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConnectError {}

/// A connection, encrypted or not.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Makes connections to one destination. Clones share the pause.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    target: Arc<Target>,
    /// Longest time for one attempt, from the name to the end of the handshake.
    deadline: Duration,
    pause: Arc<Mutex<Pause>>,
}

/// Until when no further attempt is made, and why.
#[derive(Debug, Default)]
struct Pause {
    length: Duration,
    until: Option<(Instant, ConnectError)>,
}

impl Pause {
    /// What went wrong last, if it is too early to try again.
    fn reason(&self, now: Instant) -> Option<ConnectError> {
        self.until.as_ref().filter(|(until, _)| now < *until).map(|(_, error)| error.clone())
    }

    fn failed(&mut self, error: ConnectError, now: Instant) {
        self.length = (self.length * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.until = Some((now + self.length, error));
    }
}

impl Connector {
    pub(super) fn new(target: Target, deadline: Duration) -> Self {
        Self { target: Arc::new(target), deadline, pause: Arc::default() }
    }

    async fn connect(self) -> Result<TokioIo<Box<dyn Io>>, ConnectError> {
        if let Some(error) = self.pause.lock().reason(Instant::now()) {
            return Err(error);
        }
        let dialed = tokio::time::timeout(self.deadline, self.dial()).await;
        let dialed = dialed.unwrap_or_else(|_elapsed| Err(format!("no connection within {:?}", self.deadline)));
        match dialed {
            Ok(io) => {
                *self.pause.lock() = Pause::default();
                Ok(TokioIo::new(io))
            }
            Err(what) => {
                let error = ConnectError(format!("{}: {what}", self.target));
                self.pause.lock().failed(error.clone(), Instant::now());
                Err(error)
            }
        }
    }

    async fn dial(&self) -> Result<Box<dyn Io>, String> {
        match &self.target.address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| plain(&error))?;
                Ok(Box::new(stream))
            }
            Address::Tcp(endpoint) => Ok(Box::new(tcp(endpoint).await?)),
        }
    }
}

/// The first address of the name that answers.
async fn tcp(endpoint: &Endpoint) -> Result<TcpStream, String> {
    let found = lookup_host((endpoint.host(), endpoint.port())).await;
    let addresses = found.map_err(|error| format!("the name cannot be resolved: {}", plain(&error)))?;
    let mut last = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A request is written in few large pieces; waiting for more would only delay it.
                stream.set_nodelay(true).map_err(|error| plain(&error))?;
                return Ok(stream);
            }
            Err(error) => last = format!("{} ({address})", plain(&error)),
        }
    }
    Err(last)
}

/// The kernel's words without the number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}
