//! Reserving room in a queue, and committing to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use deferd_component::{Batch, DropReason, RefusalKind};

use super::{Cost, Queue};

/// The right to put batches into a queue. The queue stays open while one exists.
#[derive(Debug)]
pub(crate) struct Sender(Arc<Queue>);

/// Why no room could be reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Full at the moment.
    Full,
    /// Larger than the queue's whole capacity: never.
    TooLarge,
    /// The exporter has been removed and its drain deadline has passed.
    Closed,
}

impl NoRoom {
    pub(crate) const fn refusal(self) -> RefusalKind {
        match self {
            Self::Full => RefusalKind::QueueFull,
            Self::TooLarge => RefusalKind::Invalid,
            Self::Closed => RefusalKind::ShuttingDown,
        }
    }

    pub(crate) const fn drop_reason(self) -> DropReason {
        match self {
            Self::Full => DropReason::QueueFull,
            Self::TooLarge => DropReason::Rejected,
            Self::Closed => DropReason::DrainDeadline,
        }
    }
}

/// Reserved room for one batch. Dropping it gives the room back.
///
/// It holds a sender, so that the queue cannot end between the reservation and the commit.
#[derive(Debug)]
pub(crate) struct Permit {
    sender: Sender,
    cost: Cost,
    used: bool,
}

impl Sender {
    pub(crate) fn new(queue: &Arc<Queue>) -> Self {
        queue.inner.lock().senders += 1;
        Self(Arc::clone(queue))
    }

    /// Stable within the process; blocking reservations are made in this order, so that two fan-outs cannot wait for each other.
    pub(crate) fn order(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }

    /// Whether the sender of data waits for room here instead of being refused.
    pub(crate) fn blocks(&self) -> bool {
        self.0.blocks.load(Ordering::Relaxed)
    }

    /// Whether the sender of data waits for the export's result.
    pub(crate) fn waits(&self) -> bool {
        self.0.waits.load(Ordering::Relaxed)
    }

    /// Whether the whole batch depends on this queue having room.
    pub(crate) fn is_demanding(&self) -> bool {
        self.blocks() || self.waits()
    }

    /// Whether one batch would fit now. Takes nothing, so it wakes nobody.
    pub(crate) fn room_for(&self, cost: Cost) -> Result<(), NoRoom> {
        self.0.inner.lock().room_for(cost)
    }

    /// Room for one batch now, or why there is none.
    pub(crate) fn try_reserve(&self, cost: Cost) -> Result<Permit, NoRoom> {
        let mut inner = self.0.inner.lock();
        inner.room_for(cost)?;
        inner.used = inner.used.plus(cost);
        inner.senders += 1;
        self.0.show(&inner);
        Ok(Permit { sender: Self(Arc::clone(&self.0)), cost, used: false })
    }

    /// Room for several batches now, for all or for none.
    pub(crate) fn try_reserve_all(&self, costs: &[Cost]) -> Result<Vec<Permit>, NoRoom> {
        let total = costs.iter().fold(Cost::default(), |sum, cost| sum.plus(*cost));
        let mut inner = self.0.inner.lock();
        inner.room_for(total)?;
        inner.used = inner.used.plus(total);
        inner.senders += costs.len();
        self.0.show(&inner);
        Ok(costs.iter().map(|cost| Permit { sender: Self(Arc::clone(&self.0)), cost: *cost, used: false }).collect())
    }

    /// Resolves when the batch would fit, or never will; without taking the room.
    pub(crate) async fn wait_for_room(&self, cost: Cost) {
        loop {
            let room = self.0.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.room_for(cost) != Err(NoRoom::Full) {
                return;
            }
            room.await;
        }
    }

    /// Room for several batches as soon as there is enough for all. Not fair: a small batch may overtake a large one.
    pub(crate) async fn reserve_all(&self, costs: &[Cost]) -> Result<Vec<Permit>, NoRoom> {
        loop {
            let room = self.0.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.try_reserve_all(costs) {
                Err(NoRoom::Full) => room.await,
                other => return other,
            }
        }
    }
}

impl Clone for Sender {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let last = {
            let mut inner = self.0.inner.lock();
            inner.senders -= 1;
            inner.senders == 0
        };
        if last {
            self.0.filled.notify_waiters();
        }
    }
}

impl Permit {
    /// Puts the batch for which the room was reserved; hands it back, with the sender, if the queue was closed meanwhile.
    pub(crate) fn commit(mut self, batch: Batch) -> Result<(), (Sender, Batch)> {
        let queue = &self.sender.0;
        {
            let mut inner = queue.inner.lock();
            if inner.closed {
                drop(inner);
                return Err((self.sender.clone(), batch));
            }
            inner.batches.push_back(batch);
            self.used = true;
        }
        queue.filled.notify_waiters();
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.used {
            return;
        }
        let queue = &self.sender.0;
        {
            let mut inner = queue.inner.lock();
            inner.used = inner.used.minus(self.cost);
            queue.show(&inner);
        }
        queue.room.notify_waiters();
    }
}
