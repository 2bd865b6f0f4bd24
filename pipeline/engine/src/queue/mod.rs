//! The bounded queue in front of an exporter.
//!
//! It lives outside the snapshot of stages, so swapping anything else touches neither queue nor connection. Room is reserved
//! before data is committed: a fan-out asks every queue first, then commits to all. The queue ends when the last [`Sender`] is
//! gone, which is how a removed exporter learns that nothing more can come.

mod permit;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deferd_component::telemetry::{Gauge, Telemetry, integer};
use deferd_component::{Batch, QueueSettings, Sizer};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use permit::{NoRoom, Permit, Sender};

/// A bounded, named, measured queue of batches.
#[derive(Debug)]
pub(crate) struct Queue {
    name: String,
    inner: Mutex<Inner>,
    /// Copies of two settings that every fan-out asks for, so that asking needs no lock.
    blocks: AtomicBool,
    waits: AtomicBool,
    /// Woken when room appears.
    room: Notify,
    /// Woken when a batch is committed or the last sender goes.
    filled: Notify,
    gauges: Gauges,
}

#[derive(Debug)]
struct Inner {
    settings: QueueSettings,
    batches: VecDeque<Batch>,
    /// Queued and reserved, in every unit: a reload may change the sizer while permits are out.
    used: Cost,
    senders: usize,
    closed: bool,
}

#[derive(Debug)]
struct Gauges {
    size: Gauge,
    capacity: Gauge,
    bytes: Gauge,
}

enum Polled {
    Batch(Batch),
    Empty,
    Ended,
}

/// What one batch, or several, take of a queue's room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    requests: u64,
    items: u64,
    bytes: u64,
}

impl Cost {
    pub(crate) fn of(batch: &Batch) -> Self {
        Self { requests: 1, items: batch.items() as u64, bytes: batch.bytes() as u64 }
    }

    const fn in_units(self, sizer: Sizer) -> u64 {
        match sizer {
            Sizer::Requests => self.requests,
            Sizer::Items => self.items,
            Sizer::Bytes => self.bytes,
        }
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            items: self.items.saturating_add(other.items),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            items: self.items.saturating_sub(other.items),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Inner {
    fn room_for(&self, cost: Cost) -> Result<(), NoRoom> {
        let QueueSettings { sizer, queue_size, ref max_bytes, .. } = self.settings;
        let fits = |cost: Cost| cost.in_units(sizer) <= queue_size && cost.bytes <= max_bytes.get();
        if self.closed {
            Err(NoRoom::Closed)
        } else if !fits(cost) {
            Err(NoRoom::TooLarge)
        } else if fits(self.used.plus(cost)) {
            Ok(())
        } else {
            Err(NoRoom::Full)
        }
    }
}

impl Queue {
    pub(crate) fn new(name: &str, data_type: &str, settings: QueueSettings, telemetry: &Telemetry) -> Arc<Self> {
        let labels = || vec![("exporter", name.to_owned()), ("data_type", data_type.to_owned())];
        let gauges = Gauges {
            size: telemetry.gauge("otelcol_exporter_queue_size", "Current size of the queue, in units of its sizer", labels()),
            capacity: telemetry.gauge("otelcol_exporter_queue_capacity", "Capacity of the queue, same units", labels()),
            bytes: telemetry.gauge("deferd_exporter_queue_bytes", "Serialized bytes held by the queue", labels()),
        };
        gauges.capacity.set(integer(settings.queue_size));
        let (blocks, waits) = (settings.waits_for_room().into(), settings.waits_for_result().into());
        let inner = Inner { settings, batches: VecDeque::new(), used: Cost::default(), senders: 0, closed: false };
        Arc::new(Self {
            name: name.to_owned(),
            inner: Mutex::new(inner),
            blocks,
            waits,
            room: Notify::new(),
            filled: Notify::new(),
            gauges,
        })
    }

    /// Who it belongs to, for logs and metrics.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Applies other settings. A smaller capacity drops nothing: the queue takes no more until it has shrunk.
    pub(crate) fn reconfigure(&self, settings: QueueSettings) {
        self.gauges.capacity.set(integer(settings.queue_size));
        self.blocks.store(settings.waits_for_room(), Ordering::Relaxed);
        self.waits.store(settings.waits_for_result(), Ordering::Relaxed);
        {
            let mut inner = self.inner.lock();
            inner.settings = settings;
            self.show(&inner);
        }
        self.room.notify_waiters();
    }

    /// Takes nothing more: nobody will empty it again.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.room.notify_waiters();
    }

    /// The oldest batch, as soon as there is one. `None` once the queue is empty and no sender is left.
    pub(crate) async fn next(&self) -> Option<Batch> {
        loop {
            let filled = self.filled.notified();
            tokio::pin!(filled);
            filled.as_mut().enable();
            match self.poll() {
                Polled::Batch(batch) => return Some(batch),
                Polled::Ended => return None,
                Polled::Empty => filled.await,
            }
        }
    }

    /// The oldest batch, if there is one.
    pub(crate) fn pop(&self) -> Option<Batch> {
        match self.poll() {
            Polled::Batch(batch) => Some(batch),
            Polled::Empty | Polled::Ended => None,
        }
    }

    /// Looks at batches and senders under one lock: between two, the last sender could commit and go.
    fn poll(&self) -> Polled {
        let batch = {
            let mut inner = self.inner.lock();
            let Some(batch) = inner.batches.pop_front() else {
                return if inner.senders == 0 { Polled::Ended } else { Polled::Empty };
            };
            inner.used = inner.used.minus(Cost::of(&batch));
            self.show(&inner);
            batch
        };
        self.room.notify_waiters();
        Polled::Batch(batch)
    }

    fn show(&self, inner: &Inner) {
        self.gauges.size.set(integer(inner.used.in_units(inner.settings.sizer)));
        self.gauges.bytes.set(integer(inner.used.bytes));
    }
}

#[cfg(test)]
mod tests;
