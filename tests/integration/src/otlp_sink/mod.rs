//! An OpenTelemetry backend for tests: takes OTLP by gRPC, keeps what arrived, and fails as it is told.
//!
//! Plain HTTP/2 with our own five-byte prefix, so that it can also answer what no gRPC server would. Requests are decoded with prost: the
//! second opinion on what deferd sends.

mod answer;
mod received;
mod serve;
mod thread;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

pub use answer::{Answer, retry_info};
pub use received::{Received, Request};

use crate::port;
use thread::Thread;

/// A backend on a port of its own, which it keeps.
pub struct Sink {
    port: u16,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    thread: Option<Thread>,
}

/// What the thread of a sink shares with the test.
#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Received>,
    script: Mutex<Script>,
    connections: AtomicUsize,
    open: AtomicUsize,
    /// Answers that wait for the sink to be told otherwise.
    changed: Notify,
}

/// One open connection.
#[derive(Debug)]
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is answered.
#[derive(Debug, Default)]
struct Script {
    /// To the next requests, one each.
    next: std::collections::VecDeque<Answer>,
    /// To those after.
    then: Answer,
}

impl Sink {
    /// Takes everything, in the clear.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Takes everything, over TLS where an acceptor is given.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let mut sink = Self { port: port::free(), tls, shared: Arc::default(), thread: None };
        sink.up();
        sink
    }

    /// `127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Closes the port and breaks every connection. What has arrived is kept.
    pub fn down(&mut self) {
        self.thread = None;
    }

    /// Listens on the same port again.
    ///
    /// # Panics
    /// If it cannot.
    pub fn up(&mut self) {
        self.thread = Some(Thread::start(self.port, self.tls.clone(), Arc::clone(&self.shared)));
    }

    /// Answers the next requests so, one each, and those after as before.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.script.lock().next.extend(answers);
    }

    /// Answers so from now on; requests that hang are answered so, too.
    pub fn answer(&self, answer: Answer) {
        self.shared.script.lock().then = answer;
        self.shared.changed.notify_waiters();
    }

    /// What has arrived so far and was taken.
    pub fn received(&self) -> Received {
        self.shared.received.lock().clone()
    }

    /// Looks at what has arrived without copying it.
    pub fn look<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(&self.shared.received.lock())
    }

    /// Connections taken so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// Counts a connection as open until what is returned is dropped.
    fn open(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    fn next_answer(&self) -> Answer {
        let mut script = self.script.lock();
        let next = script.next.pop_front();
        next.unwrap_or_else(|| script.then.clone())
    }

    /// The answer to one request, after the time that it takes.
    async fn decide(&self) -> Answer {
        match self.next_answer() {
            Answer::Slow(time) => {
                tokio::time::sleep(time).await;
                Answer::Accept
            }
            Answer::Hang => loop {
                let changed = self.changed.notified();
                let now = self.script.lock().then.clone();
                if now != Answer::Hang {
                    return now;
                }
                let _ = tokio::time::timeout(Duration::from_secs(1), changed).await;
            },
            answer => answer,
        }
    }
}
