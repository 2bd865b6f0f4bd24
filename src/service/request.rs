//! What others ask of a running service: signals, a watched file, the admin address. All of it comes as one kind of request, one
//! after the other, so that two reloads can never meet.

use std::fmt;
use std::io;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::report::Report;
use super::signals::Signals;

/// Requests that wait for their turn. More are refused where they come from.
const WAITING: usize = 8;

/// A request from outside.
#[derive(Debug)]
pub(crate) enum Request {
    /// Read the configuration again and put it in place.
    Reload(Trigger, Option<oneshot::Sender<Report>>),
    /// Say what a reload would do, and do nothing. The text stands for the configuration, if there is one.
    Plan(Option<Bytes>, oneshot::Sender<Report>),
    /// Deliver what was accepted, then end.
    Stop(&'static str),
}

/// Who asked for a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Nobody: the service started.
    Start,
    /// The signal.
    Sighup,
    /// A file changed.
    File,
    /// A client of the admin address.
    Api,
}

impl Trigger {
    /// Those that can happen to a service that runs.
    pub(crate) const RELOADS: [Self; 3] = [Self::Sighup, Self::File, Self::Api];

    /// Its name in metrics and answers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Sighup => "sighup",
            Self::File => "file",
            Self::Api => "api",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Everything that is asked of the service, in the order in which it is answered.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) signals: Signals,
    inbox: mpsc::Receiver<Request>,
}

impl Requests {
    /// Begins to listen to signals; the sender is for whoever else has something to ask. Needs a Tokio runtime.
    pub(crate) fn listen() -> io::Result<(mpsc::Sender<Request>, Self)> {
        let (sender, inbox) = mpsc::channel(WAITING);
        Ok((sender, Self { signals: Signals::listen()?, inbox }))
    }

    /// The next request. Signals go first: a stop must not wait behind reloads.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            biased;
            request = self.signals.next() => request,
            Some(request) = self.inbox.recv() => request,
        }
    }
}
