//! Connecting as every client of the service does, or to a socket of this machine, with a pause after each failure.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use deferd_net::client::{self, Stream};
use hyper::Uri;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::UnixStream;
use tokio::time::Instant;
use tower_service::Service;

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause. gRPC's own is two minutes, which is long after a backend is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why there is no connection, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConnectError(String);

/// Something that can be spoken on.
pub(super) trait Io: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Io for T {}

/// Makes connections to one destination. Clones share the pause.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    way: Way,
    pause: Arc<Mutex<Pause>>,
}

/// How the destination is reached.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// TCP, with TLS or without.
    Net(client::Connector),
    /// A socket of this machine.
    Unix(PathBuf),
}

/// Until when no further attempt is made, and why. Every request of every consumer would be an attempt otherwise.
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
    pub(super) fn new(way: Way) -> Self {
        Self { way, pause: Arc::default() }
    }

    async fn connect(mut self, to: Uri) -> Result<Box<dyn Io>, ConnectError> {
        if let Some(error) = self.pause.lock().reason(Instant::now()) {
            return Err(error);
        }
        let connected: Result<Box<dyn Io>, String> = match &mut self.way {
            Way::Net(connector) => {
                let stream: Result<Stream, _> = connector.call(to).await;
                stream.map(|stream| Box::new(stream) as Box<dyn Io>).map_err(|error| error.to_string())
            }
            Way::Unix(path) => {
                let stream = UnixStream::connect(&path).await;
                let failed = |error| format!("cannot connect to unix:{}: {error}", path.display());
                stream.map(|stream| Box::new(TokioIo::new(stream)) as Box<dyn Io>).map_err(failed)
            }
        };
        let mut pause = self.pause.lock();
        match connected {
            Ok(io) => {
                *pause = Pause::default();
                Ok(io)
            }
            Err(what) => {
                let error = ConnectError(deferd_config::one_line(&what));
                pause.failed(error.clone(), Instant::now());
                Err(error)
            }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Box<dyn Io>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Box<dyn Io>, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_longest_and_says_why() {
        let now = Instant::now();
        let mut pause = Pause::default();
        assert_eq!(pause.reason(now), None);
        let error = ConnectError("refused".into());
        let mut lengths = Vec::new();
        for _ in 0..8 {
            pause.failed(error.clone(), now);
            lengths.push(pause.length.as_millis());
        }
        assert_eq!(lengths, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pause.reason(now + LONGEST_PAUSE.saturating_sub(FIRST_PAUSE)), Some(error));
        assert_eq!(pause.reason(now + LONGEST_PAUSE), None);
    }
}
