//! One connection, made when it is first needed and again when it is lost, and the tasks that serve it.
//!
//! tonic's `Channel` does that; it is used as the plain HTTP service that it is, without tonic's codecs (see `request` and `status`).

use std::future::{Future, poll_fn};
use std::time::Duration;

use deferd_component::ExportError;
use hyper::rt::Executor;
use hyper::{Request, Response};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower_service::Service;

use super::answer::{causes, chain};
use super::connect::{ConnectError, Connector};

/// Largest header block of an answer.
const MAX_HEADERS: u32 = 64 << 10;

/// How long the connection may take to end in order, once no request is under way.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long requests under way are waited for where their time has no limit of its own.
const LONGEST_REQUEST: Duration = Duration::from_mins(5);

/// A connection to one destination.
#[derive(Debug)]
pub(super) struct Connection {
    endpoint: Endpoint,
    connector: Connector,
    tasks: Tasks,
    channel: Mutex<Option<Channel>>,
    /// Longest time of a request.
    limit: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// There is no connection.
    NotConnected(ConnectError),
    /// The connection, or the request on it, broke.
    Broken(String),
}

impl Unanswered {
    pub(super) fn failure(self, target: &str) -> ExportError {
        ExportError::retryable(match self {
            Self::NotConnected(error) => error.to_string(),
            Self::Broken(what) => format!("{target}: {what}"),
        })
    }
}

impl Connection {
    /// Nothing is connected or spawned yet. No request takes longer than `limit`.
    pub(super) fn new(endpoint: Endpoint, connector: Connector, limit: Option<Duration>) -> Self {
        let tasks = Tasks::default();
        let endpoint = endpoint.http2_max_header_list_size(MAX_HEADERS).executor(tasks.clone());
        Self { endpoint, connector, tasks, channel: Mutex::default(), limit: limit.unwrap_or(LONGEST_REQUEST) }
    }

    /// Sends a request, and returns the head of its answer.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Unanswered> {
        let mut channel = self.channel();
        poll_fn(|context| channel.poll_ready(context)).await.map_err(|error| unanswered(&error))?;
        channel.call(request).await.map_err(|error| unanswered(&error))
    }

    fn channel(&self) -> Channel {
        let mut channel = self.channel.lock();
        channel.get_or_insert_with(|| self.endpoint.connect_with_connector_lazy(self.connector.clone())).clone()
    }

    /// Lets go of the connection and waits for its tasks: for requests under way, then for the farewell.
    pub(super) async fn close(&self) {
        drop(self.channel.lock().take());
        self.tasks.tracker.close();
        if tokio::time::timeout(self.limit.saturating_add(FAREWELL), self.tasks.tracker.wait()).await.is_err() {
            self.tasks.abort.cancel();
            self.tasks.tracker.wait().await;
        }
    }
}

fn unanswered(error: &tonic::transport::Error) -> Unanswered {
    match chain(error).find_map(|error| error.downcast_ref::<ConnectError>()) {
        Some(error) => Unanswered::NotConnected(error.clone()),
        None => Unanswered::Broken(causes(error)),
    }
}

/// The tasks of a connection. They end when the last handle to it goes.
#[derive(Debug, Clone, Default)]
struct Tasks {
    tracker: TaskTracker,
    abort: CancellationToken,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, future: F) {
        let abort = self.abort.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = future => {}
                () = abort.cancelled() => {}
            }
        });
    }
}
