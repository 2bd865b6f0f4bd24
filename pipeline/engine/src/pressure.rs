//! How much accepted data of one pipeline is waiting outside its buffers.
//!
//! Data that was accepted is never dropped because a queue is full; it waits in a task of the engine. So that this waiting room is
//! bounded, a pipeline refuses new data at its entrance while [`LIMIT`] batches are in its own, or in that of a pipeline it feeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Batches that may wait per pipeline before its receivers are refused.
const LIMIT: usize = 16;

/// The waiting room of one pipeline; kept over reloads.
#[derive(Debug, Default)]
pub(crate) struct Pressure(AtomicUsize);

/// One batch in the waiting room, until dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<Pressure>);

impl Pressure {
    /// Whether new data must be refused.
    pub(crate) fn is_high(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= LIMIT
    }

    /// Whether anything waits.
    pub(crate) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn enter(self: &Arc<Self>) -> Waiting {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
