//! An exporter at work: its queue, the instance that is current, and the task that moves batches from one to the other.
//!
//! The slot is what persists. A reload that changes the exporter swaps the instance; queue, state and task stay.

mod backoff;
mod delivery;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arc_swap::ArcSwap;
use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{AnyState, ComponentId, DynExporter, ExporterSettings, Kind, Signal, Stop, Stopper};
use futures_util::FutureExt;
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
        tasks.spawn(supervise(Arc::clone(&self.shared), self.shared.instance()));
        self.worker = Some(tokio::spawn(delivery::work(Arc::clone(&self.shared), self.give_up.listener())));
    }

    /// Puts another instance in place: what is queued goes to it, what is under way ends where it began.
    pub(crate) fn replace(&self, instance: Arc<Instance>, tasks: &TaskTracker) {
        self.shared.queue.reconfigure(instance.settings.queue.clone());
        tasks.spawn(supervise(Arc::clone(&self.shared), Arc::clone(&instance)));
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

    fn recover(&self, reason: &str) {
        if self.health.recover(&self.path, reason) {
            tracing::info!(component = self.path, reason, "exporting works again");
        }
    }
}

/// Runs an exporter's own background work; where that ends without being asked to, the exporter is degraded, not forgotten.
async fn supervise(shared: Arc<Shared>, instance: Arc<Instance>) {
    let stop = instance.stopper.listener();
    shared.health.recover(&shared.path, "stopped");
    let ended = AssertUnwindSafe(async { instance.exporter.run(stop.clone()).await }).catch_unwind().await;
    if stop.is_set() {
        return;
    }
    let message = match ended {
        Ok(()) => {
            "the exporter's background work ended although nothing stopped it; a reload with a changed configuration starts it again"
        }
        Err(_panic) => "the exporter's background work panicked; a reload with a changed configuration starts it again",
    };
    shared.health.degrade(&shared.path, "stopped", message);
    tracing::error!(component = shared.path, message);
}

/// Resolves to `None` if giving up was asked for before `future` was ready.
async fn unless<T>(stop: &Stop, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = stop.wait() => None,
    }
}
