//! An exporter at work: its queue, the instance that is current, and the task that moves batches from one to the other.
//!
//! The slot is what persists. A reload that changes the exporter swaps the instance; queue, state and task stay.

mod backoff;
mod delivery;

use std::sync::Arc;

use arc_swap::ArcSwap;
use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{AnyState, ComponentId, DynExporter, ExporterSettings, Kind, Signal, Stop, Stopper};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::metrics::{ExporterCounters, component_path};
use crate::queue::{Queue, Sender};

/// The identity of an exporter instance: one per signal, shared by the pipelines of that signal.
pub(crate) type ExporterKey = (Signal, ComponentId);

/// A configured exporter with everything that survives a change of its configuration.
pub(crate) struct ExporterSlot {
    shared: Arc<Shared>,
    state: AnyState,
    /// Held by the slot so that the queue stays open while no snapshot uses it yet; dropped to retire the exporter.
    sender: Sender,
    give_up: Stopper,
    worker: Option<JoinHandle<()>>,
}

/// What the worker task and the slot share.
pub(crate) struct Shared {
    path: String,
    signal: Signal,
    queue: Arc<Queue>,
    current: ArcSwap<Instance>,
    counters: ExporterCounters,
    telemetry: Arc<Telemetry>,
    health: Arc<Health>,
}

/// One built exporter with the settings it was built for.
pub(crate) struct Instance {
    exporter: Arc<dyn DynExporter>,
    settings: ExporterSettings,
    stopper: Stopper,
}

impl Instance {
    pub(crate) fn new(exporter: Arc<dyn DynExporter>, settings: ExporterSettings) -> Arc<Self> {
        Arc::new(Self { exporter, settings, stopper: Stopper::new() })
    }

    /// Starts the exporter's own background work.
    fn spawn_run(self: &Arc<Self>, tasks: &TaskTracker) {
        let instance = Arc::clone(self);
        tasks.spawn(async move { instance.exporter.run(instance.stopper.listener()).await });
    }
}

impl ExporterSlot {
    /// A slot with its queue, not yet running.
    pub(crate) fn new(
        (signal, id): &ExporterKey,
        instance: Arc<Instance>,
        state: AnyState,
        telemetry: &Arc<Telemetry>,
        health: &Arc<Health>,
    ) -> Self {
        let queue = Queue::new(&id.to_string(), signal.as_str(), instance.settings.queue.clone(), telemetry);
        let sender = Sender::new(&queue);
        let shared = Shared {
            path: component_path(Kind::Exporter, id),
            signal: *signal,
            queue,
            current: ArcSwap::new(instance),
            counters: ExporterCounters::new(telemetry, id, *signal),
            telemetry: Arc::clone(telemetry),
            health: Arc::clone(health),
        };
        Self { shared: Arc::new(shared), state, sender, give_up: Stopper::new(), worker: None }
    }

    pub(crate) const fn state(&self) -> &AnyState {
        &self.state
    }

    pub(crate) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Starts moving batches. Called once, after the snapshot that may fill the queue is in place.
    pub(crate) fn start(&mut self, tasks: &TaskTracker) {
        self.shared.current.load_full().spawn_run(tasks);
        self.worker = Some(tokio::spawn(delivery::work(Arc::clone(&self.shared), self.give_up.listener())));
    }

    /// Puts another instance in place: what is queued goes to it, what is under way ends where it began.
    pub(crate) fn replace(&self, instance: Arc<Instance>, tasks: &TaskTracker) {
        self.shared.queue.reconfigure(instance.settings.queue.clone());
        instance.spawn_run(tasks);
        self.shared.current.swap(instance).stopper.stop();
    }

    /// Ends the slot: the queue closes when the last snapshot lets go of it, what is queued is delivered until `deadline`, the
    /// rest is counted.
    pub(crate) async fn retire(self, deadline: tokio::time::Instant) {
        let Self { shared, sender, give_up, worker, .. } = self;
        drop(sender);
        if let Some(mut worker) = worker
            && tokio::time::timeout_at(deadline, &mut worker).await.is_err()
        {
            give_up.stop();
            // The worker answers to `give_up` at every wait, so this ends.
            let _ = worker.await;
        }
        shared.current.load().stopper.stop();
    }
}

impl Shared {
    fn instance(&self) -> Arc<Instance> {
        self.current.load_full()
    }
}

/// Resolves to `None` if giving up was asked for before `future` was ready.
async fn unless<T>(stop: &Stop, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = stop.wait() => None,
    }
}
