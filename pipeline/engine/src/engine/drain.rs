//! Letting go of what is not needed any more, without losing what it holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deferd_component::telemetry::Telemetry;
use deferd_component::{DropReason, Farewell};
use futures_util::future::join_all;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::{Drainable, Engine, StopReport};
use crate::core::{Core, Stages};
use crate::exporter::ExporterSlot;
use crate::graph::{Graph, ProcessorKey};
use crate::metrics::dropped_for;
use crate::tick;

/// How long exporters' own tasks may take to end after everything is delivered.
const EXPORTER_TASKS_LIMIT: Duration = Duration::from_secs(2);
/// Pause between rounds of draining while data is on its way.
const DRAIN_PAUSE: Duration = Duration::from_millis(20);

/// What a reload removed.
#[derive(Default)]
pub(super) struct Removed {
    pub(super) processors: BTreeMap<ProcessorKey, Drainable>,
    pub(super) exporters: Vec<ExporterSlot>,
}

impl Engine {
    /// Retires a replaced snapshot in the background: when its last user has let go, what removed processors still hold goes
    /// through the rest of their old chain; then removed exporters deliver what they have queued, until the deadline.
    ///
    /// Retirements end in the order of the reloads: an older snapshot may still fill the state of a processor that a later reload
    /// removed, so the later one must not let go of that state before.
    pub(super) fn retire(&mut self, old: Arc<Stages>, removed: Removed) {
        let deadline = Instant::now() + self.spec.drain_timeout;
        let core = Arc::clone(&self.core);
        let (done, drained) = oneshot::channel();
        let previous = self.last_drain.replace(drained);
        self.retiring.spawn(async move {
            Retirement::new(old, previous).empty(&core, &removed.processors, deadline).await;
            // Nobody listens if no reload follows.
            let _ = done.send(());
            join_all(removed.exporters.into_iter().map(|slot| slot.retire(deadline))).await;
        });
    }

    /// Stops the service: receivers first, then what processors hold, then the queues, all until the drain deadline.
    pub async fn stop(mut self) -> StopReport {
        let before = undelivered(&self.core.telemetry);
        let now = Instant::now();
        let deadline = now + self.spec.drain_timeout;
        // Ticks go on meanwhile: a receiver may be waiting for the result of data that a processor holds.
        self.receivers.stop_all(now + self.spec.drain_timeout / 2).await;
        self.ticker.stopper.stop();
        // The ticker answers to its stopper at every wait.
        let _ = (&mut self.ticker.task).await;
        if let Some(drained) = self.last_drain.take() {
            let _ = tokio::time::timeout_at(deadline, drained).await;
        }
        self.drain_all_states(deadline).await;
        // The snapshot holds senders; without it the queues end when they are empty.
        drop(self.core.stages.swap(Stages::new(Graph::empty(Arc::clone(&self.core.telemetry)))));
        self.core.waiting.close();
        self.core.stalled.close();
        self.retiring.close();
        let slots = std::mem::take(&mut self.exporters);
        let queues = join_all(slots.into_values().map(|slot| slot.retire(deadline)));
        tokio::join!(queues, self.end_waiting(deadline), self.retiring.wait());
        self.exporter_tasks.close();
        // Exporters' own tasks were told to stop; one that does not listen is left to the end of the process.
        let _ = tokio::time::timeout_at(Instant::now() + EXPORTER_TASKS_LIMIT, self.exporter_tasks.wait()).await;
        StopReport { undelivered: undelivered(&self.core.telemetry) - before }
    }

    async fn end_waiting(&self, deadline: Instant) {
        // In this order: what stalled may have to wait for room next.
        let all = || async {
            self.core.stalled.wait().await;
            self.core.waiting.wait().await;
        };
        if tokio::time::timeout_at(deadline, all()).await.is_err() {
            self.core.give_up.stop();
            all().await;
        }
    }

    /// Empties the states of all processors. What one emits may be held by the next, connectors may feed other pipelines, and data
    /// that stalled may come to rest in a state again, so it is repeated until nothing comes out and nothing is on its way.
    async fn drain_all_states(&self, deadline: Instant) {
        let stages = self.core.stages.load_full();
        let held = self.processors.iter().map(|(key, instance)| (key.clone(), instance.held.clone()));
        let drains: BTreeMap<_, _> = held.collect();
        while drain_states(&self.core, &stages, &drains, Farewell::Shutdown) > 0 || !self.core.stalled.is_empty() {
            if Instant::now() >= deadline {
                return;
            }
            if !self.core.stalled.is_empty() {
                tokio::time::sleep(DRAIN_PAUSE).await;
            }
        }
    }
}

/// A replaced snapshot on its way out.
struct Retirement {
    /// A second handle to its graph, also held by what stalls on its way through it.
    again: Arc<Stages>,
    /// Told when the last user of the snapshot has let go.
    gone: Arc<Notify>,
    released: bool,
    /// Told when the retirement before this one has ended; `None` once it has.
    previous: Option<oneshot::Receiver<()>>,
}

impl Retirement {
    fn new(old: Arc<Stages>, previous: Option<oneshot::Receiver<()>>) -> Self {
        let (again, gone) = (Stages::new(Arc::clone(&old.graph)), old.gone());
        // From here on only those who are carrying data through the snapshot keep it.
        drop(old);
        Self { again, gone, released: false, previous }
    }

    /// Empties the states of removed processors until nobody can fill them any more. Past the deadline what somebody adds to such
    /// a state is lost with it, so the deadline is generous, but the wait is not worth a leak.
    ///
    /// The states are emptied while the wait goes on: a sender that waits for the result of data held there may itself be what
    /// keeps a snapshot in use.
    async fn empty(mut self, core: &Arc<Core>, removed: &BTreeMap<ProcessorKey, Drainable>, deadline: Instant) {
        loop {
            let drained = drain_states(core, &self.again, removed, Farewell::Removed);
            let unused = self.released && self.previous.is_none() && Arc::strong_count(&self.again) == 1;
            if unused && drained == 0 || Instant::now() >= deadline {
                return;
            }
            let pause = if removed.is_empty() { deadline } else { Instant::now() + DRAIN_PAUSE };
            // Running into the timeout is the way to look again.
            let _ = tokio::time::timeout_at(pause.min(deadline), self.release()).await;
        }
    }

    async fn release(&mut self) {
        if !self.released {
            self.gone.notified().await;
            self.released = true;
        }
        if let Some(previous) = &mut self.previous {
            // An error means that its task is gone, which is as good as done.
            let _ = previous.await;
            self.previous = None;
        }
        if Arc::strong_count(&self.again) > 1 {
            tokio::time::sleep(DRAIN_PAUSE).await;
        }
    }
}

/// Drains the given states in the order of their places, and carries what comes out through the rest of their pipelines.
/// Returns the number of items that came out.
fn drain_states(core: &Arc<Core>, stages: &Arc<Stages>, drains: &BTreeMap<ProcessorKey, Drainable>, why: Farewell) -> usize {
    let mut items = 0;
    for (index, pipeline) in stages.graph.pipelines() {
        for (position, stage) in pipeline.stages.iter().enumerate() {
            let Some(Drainable { state, drain }) = drains.get(&(pipeline.id.clone(), stage.id.clone())) else { continue };
            let out = tick::emitted(&stage.path, |out| drain(state, why, out));
            items += out.emitted_items();
            tick::follow(core, stages, index, position, out);
        }
    }
    items
}

fn undelivered(telemetry: &Telemetry) -> u64 {
    dropped_for(telemetry, DropReason::DrainDeadline)
}
