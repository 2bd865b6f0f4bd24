//! Signals as requests.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::request::{Request, Trigger};

/// The signals a service listens to. Several of a kind that arrive while one is handled count as one.
#[derive(Debug)]
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen; from here on none of these signals ends the process by itself. Needs a Tokio runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Request::Stop("terminated"),
            _ = self.interrupt.recv() => Request::Stop("interrupt"),
            _ = self.hangup.recv() => Request::Reload(Trigger::Sighup, None),
        }
    }

    /// The next request to stop; others are ignored.
    pub(crate) async fn stop(&mut self) -> &'static str {
        loop {
            if let Request::Stop(name) = self.next().await {
                return name;
            }
        }
    }
}
