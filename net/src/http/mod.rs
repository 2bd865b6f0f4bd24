//! Serving HTTP/1.1 on a listener of the service.
//!
//! Our own accept loop over hyper's connections: each connection is a task that [`serve`] owns and joins, so that stopping is
//! complete when it returns. Everything a client can make us hold is bounded: connections, header bytes, time.

pub mod body;
mod gzip;
mod pages;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deferd_component::telemetry::{Counter, Telemetry};
use deferd_component::{Listener, Stop};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub use http_body_util::Full;
pub use hyper::body::Incoming as Body;
pub use hyper::header;
pub use hyper::{Method, Request, Response, StatusCode};
pub use pages::{Page, Pages};

/// Connections served at once by one [`serve`]; one more is closed at once and counted. A scrape endpoint has a handful of clients.
const MAX_CONNECTIONS: usize = 256;
/// Time for a client to send a whole request head, and thereby also how long a connection may idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest request head, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// A connection is closed after this, at the end of a response. Bounds how long a client that does not read its response can make us keep it.
const MAX_AGE: Duration = Duration::from_mins(2);
/// Time for responses under way when stopping or when a connection has reached its age.
const GRACE: Duration = Duration::from_secs(5);
/// Pause after a failed accept. Out of file descriptors is a state that lasts; without a pause the loop would spin on it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. A body that is not read (see [`body::read`]) is thrown away.
    fn handle(&self, request: Request<Body>) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Serves `listener` until `stop`, then ends idle connections, waits up to 5 s for responses under way and returns. Several may serve
/// one listener at once, as an old and a new component do during a reload.
pub async fn serve(listener: Arc<Listener>, handler: Arc<impl Handler>, telemetry: &Telemetry, stop: Stop) {
    let counters = Counters::new(telemetry, &listener);
    let mut connections = JoinSet::new();
    while let Some(accepted) = next(&listener, &mut connections, &stop).await {
        match accepted {
            Ok(_) if connections.len() >= MAX_CONNECTIONS => counters.rejected.add(1),
            Ok(stream) => {
                let (handler, stop) = (Arc::clone(&handler), stop.clone());
                connections.spawn(converse(stream, handler, stop));
            }
            Err(error) => {
                counters.failed.add(1);
                tracing::warn!(address = %listener.address(), %error, "cannot accept connections");
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    () = stop.wait() => {}
                }
            }
        }
    }
    while connections.join_next().await.is_some() {}
}

/// The next connection, or `None` once stopping was asked for. Meanwhile collects connections that ended.
async fn next(listener: &Listener, connections: &mut JoinSet<()>, stop: &Stop) -> Option<io::Result<TcpStream>> {
    loop {
        tokio::select! {
            biased;
            () = stop.wait() => return None,
            Some(ended) = connections.join_next() => {
                if let Err(panicked) = ended {
                    tracing::error!(address = %listener.address(), error = %panicked, "a request handler failed");
                }
            }
            accepted = listener.accept() => match accepted {
                // The client was gone before it was accepted: nothing is wrong with us.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                accepted => return Some(accepted.map(|(stream, _)| stream)),
            },
        }
    }
}

async fn converse(stream: TcpStream, handler: Arc<impl Handler>, stop: Stop) {
    let service = service_fn(|request: Request<_>| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.handle(request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // What a client does wrong (a reset, a malformed head) ends its connection and is nobody else's business.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.wait() => {}
        () = tokio::time::sleep(MAX_AGE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(GRACE, connection).await;
}

struct Counters {
    rejected: Counter,
    failed: Counter,
}

impl Counters {
    fn new(telemetry: &Telemetry, listener: &Listener) -> Self {
        let labels = || vec![("address", listener.address().to_string())];
        let rejected = "Connections closed at once because too many were open";
        let failed = "Connections that the system could not give us";
        Self {
            rejected: telemetry.counter("deferd_http_rejected_connections", rejected, labels()),
            failed: telemetry.counter("deferd_http_failed_accepts", failed, labels()),
        }
    }
}
