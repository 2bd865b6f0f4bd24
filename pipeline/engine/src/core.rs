//! What data sees of the engine: the current snapshot, and the way in.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{Ack, Batch, ComponentId, DropReason, IngressSink, Outcome, Refusal, RefusalKind, Stop, Stopper};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::deliver;
use crate::graph::{Delivery, Graph, Pipeline, Run, Stalled};
use crate::metrics::{ReceiverCounters, count_dropped};

/// How long a sender waits for room in a queue with `block_on_overflow` before it is refused.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a refused sender is asked to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Pause between attempts to get accepted data past a stage that refuses it.
const STALL_PAUSE: Duration = Duration::from_millis(25);

/// One configuration's graph, in the form that can be waited for: when the last user lets go, `gone` is told.
pub(crate) struct Stages {
    pub(crate) graph: Arc<Graph>,
    gone: Arc<Notify>,
}

impl Stages {
    pub(crate) fn new(graph: impl Into<Arc<Graph>>) -> Arc<Self> {
        Arc::new(Self { graph: graph.into(), gone: Arc::new(Notify::new()) })
    }

    /// Told once, when nobody can carry data through this snapshot any more.
    pub(crate) fn gone(&self) -> Arc<Notify> {
        Arc::clone(&self.gone)
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.gone.notify_one();
    }
}

/// The part of the engine that receivers, ticks and reloads share.
pub(crate) struct Core {
    pub(crate) stages: ArcSwap<Stages>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) health: Arc<Health>,
    /// Tasks that carry accepted data which found no room in a queue.
    pub(crate) waiting: TaskTracker,
    /// Tasks that carry accepted data which a stage refused. They may still fill the states of later stages.
    pub(crate) stalled: TaskTracker,
    /// Ends the waiting when the drain deadline has passed.
    pub(crate) give_up: Stopper,
}

impl Core {
    pub(crate) fn new(telemetry: Arc<Telemetry>, health: Arc<Health>) -> Arc<Self> {
        Arc::new(Self {
            stages: ArcSwap::new(Stages::new(Graph::empty(Arc::clone(&telemetry)))),
            telemetry,
            health,
            waiting: TaskTracker::new(),
            stalled: TaskTracker::new(),
            give_up: Stopper::new(),
        })
    }

    /// Takes one batch from a receiver. `retired` is the last snapshot that knew a receiver which was removed or replaced meanwhile.
    async fn accept(
        self: &Arc<Self>,
        receiver: &ComponentId,
        retired: &ArcSwapOption<Stages>,
        mut batch: Batch,
    ) -> Result<(), Refusal> {
        let items = batch.items();
        let current = self.stages.load_full();
        let takes = |stages: &Arc<Stages>| stages.graph.entry(receiver, batch.signal()).is_some();
        let none = if current.graph.has_receiver(receiver) { RefusalKind::Invalid } else { RefusalKind::ShuttingDown };
        let Some(stages) = Some(current).filter(takes).or_else(|| retired.load_full()) else { return Err(Refusal::new(none)) };
        let graph = &stages.graph;
        let Some(entry) = graph.entry(receiver, batch.signal()) else { return Err(Refusal::new(RefusalKind::Invalid)) };
        let counters = entry.counters.clone();
        if entry.pipelines.iter().filter_map(|index| graph.pipeline(*index)).any(Pipeline::is_full) {
            return refused(&counters, items, Refusal::new(RefusalKind::QueueFull));
        }
        let waiter = entry.waits.then(|| {
            let (ack, waiter) = Ack::tracked();
            drop(batch.replace_ack(ack));
            waiter
        });
        let mut run = Run::default();
        let entered = run.enter(graph, &entry.pipelines, batch);
        if let Err(refusal) = entered {
            run.refuse(refusal);
            return refused(&counters, items, refusal);
        }
        if run.is_bound() {
            self.carry(&stages, run);
            drop(stages);
        } else {
            // The snapshot is let go before anything waits: a reload never waits for a full queue.
            drop(stages);
            if let Err(refusal) = deliver::all_or_none(&self.telemetry, run.deliveries, PATIENCE).await {
                return refused(&counters, items, refusal);
            }
        }
        match waiter {
            None => {}
            Some(waiter) => match waiter.outcome().await {
                Outcome::Accepted => {}
                Outcome::Refused(refusal) => return refused(&counters, items, refusal),
                Outcome::Lost => return refused(&counters, items, Refusal::new(RefusalKind::Internal)),
            },
        }
        counters.accepted.add(items);
        Ok(())
    }

    /// Delivers what a bound run collected. What finds no room waits in tasks of the engine.
    pub(crate) fn carry(self: &Arc<Self>, stages: &Arc<Stages>, run: Run) {
        let graph = &stages.graph;
        for delivery in run.deliveries {
            let Err(delivery) = deliver::now(&self.telemetry, delivery) else { continue };
            let Some(pipeline) = graph.pipeline(delivery.pipeline) else { continue };
            let waiting = pipeline.pressure.enter();
            let core = Arc::clone(self);
            let path = format!("service::pipelines::{}", pipeline.id);
            self.waiting.spawn(async move {
                core.wait_for_room(&path, delivery).await;
                drop(waiting);
            });
        }
        for stalled in run.stalled {
            self.retry_later(stages, stalled);
        }
    }

    async fn wait_for_room(&self, path: &str, delivery: Delivery) {
        let mut delivery = Some(delivery);
        let stop = self.give_up.listener();
        tokio::select! {
            () = deliver::eventually(&self.telemetry, &mut delivery) => {}
            () = stop.wait() => {}
        }
        if let Some(delivery) = delivery {
            self.abandon(path, delivery.batch);
        }
    }

    fn abandon(&self, path: &str, batch: Batch) {
        count_dropped(&self.telemetry, path, batch.signal(), DropReason::DrainDeadline, batch.items());
        batch.resolve(Outcome::Refused(Refusal::new(RefusalKind::ShuttingDown)));
    }

    /// Takes accepted data to the stage that refused it again, through whatever snapshot is current by then, or, if that does not
    /// know the pipeline any more, through the one it came from.
    fn retry_later(self: &Arc<Self>, origin: &Arc<Stages>, stalled: Stalled) {
        let Some(pipeline) = origin.graph.pipeline(stalled.pipeline) else { return };
        let waiting = pipeline.pressure.enter();
        let path = format!("service::pipelines::{}", pipeline.id);
        // Holding the snapshot keeps it from being retired, and so the states behind the stage from being drained too early.
        let (core, origin) = (Arc::clone(self), Arc::clone(origin));
        self.stalled.spawn(async move {
            if give_up_within(&core.give_up.listener(), STALL_PAUSE).await {
                core.abandon(&path, stalled.batch);
                return;
            }
            let current = core.stages.load_full();
            let mut run = Run::bound();
            // A bound run settles every refusal itself.
            let (stages, _) = match current.graph.find_stage(&origin.graph, &stalled) {
                Some((pipeline, stage)) => (&current, run.advance(&current.graph, pipeline, stage, stalled.batch)),
                None => (&origin, run.advance(&origin.graph, stalled.pipeline, stalled.stage, stalled.batch)),
            };
            core.carry(stages, run);
            drop(waiting);
        });
    }
}

fn refused(counters: &ReceiverCounters, items: usize, refusal: Refusal) -> Result<(), Refusal> {
    counters.refused.add(items);
    let wait = refusal.kind == RefusalKind::QueueFull && refusal.retry_after.is_none();
    Err(if wait { refusal.retry_after(RETRY_AFTER) } else { refusal })
}

/// Whether giving up was asked for before `pause` was over.
async fn give_up_within(stop: &Stop, pause: Duration) -> bool {
    tokio::time::timeout(pause, stop.wait()).await.is_ok()
}

/// A receiver's way in.
pub(crate) struct ReceiverSink {
    pub(crate) core: Arc<Core>,
    pub(crate) id: ComponentId,
    /// The last snapshot that knew this receiver, once a reload has removed or replaced it: what it still has to send goes there if
    /// the current one does not take it any more.
    pub(crate) retired: ArcSwapOption<Stages>,
}

impl IngressSink for ReceiverSink {
    fn send(&self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send + '_>> {
        Box::pin(self.core.accept(&self.id, &self.retired, batch))
    }
}
