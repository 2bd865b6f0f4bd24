//! Running receivers: one task each.
//!
//! A receiver that is replaced or removed is told to stop and may take until the drain deadline; its successor runs at once, so
//! that a listener never has a moment in which nobody accepts.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use deferd_component::{AnyState, ComponentId, DynReceiver, Ingress, Kind, Stop, Stopper};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::core::{Core, ReceiverSink, Stages};
use crate::metrics::component_path;

use super::assemble::StagedReceiver;

/// The receivers of the current configuration, and those still ending.
#[derive(Default)]
pub(super) struct Receivers {
    running: BTreeMap<ComponentId, Running>,
    ending: Vec<JoinHandle<()>>,
}

struct Running {
    state: AnyState,
    stopper: Stopper,
    sink: Arc<ReceiverSink>,
    task: JoinHandle<()>,
}

impl Receivers {
    pub(super) fn state(&self, id: &ComponentId) -> Option<AnyState> {
        self.running.get(id).map(|running| Arc::clone(&running.state))
    }

    /// Starts a receiver and stops the one of the same id, if there is one, giving it until `deadline`.
    pub(super) fn start(&mut self, core: &Arc<Core>, (id, receiver, state): StagedReceiver, deadline: Instant) {
        self.remove(std::slice::from_ref(&id), deadline);
        let stopper = Stopper::new();
        let sink = Arc::new(ReceiverSink { core: Arc::clone(core), id: id.clone(), retired: ArcSwapOption::empty() });
        let ingress = Ingress::new(Arc::clone(&sink) as Arc<dyn deferd_component::IngressSink>);
        let (core, path, stop) = (Arc::clone(core), component_path(Kind::Receiver, &id), stopper.listener());
        let task = tokio::spawn(async move { supervise(&core, &path, receiver, ingress, stop).await });
        self.running.insert(id, Running { state, stopper, sink, task });
    }

    /// Lets receivers that the next configuration does not know, or not for all their signals, send what they still have through
    /// `last`. Called before the next graph is in place, so that there is no moment in which they have nowhere to send.
    pub(super) fn prepare_end<'a>(&self, ids: impl Iterator<Item = &'a ComponentId>, last: &Arc<Stages>) {
        for running in ids.filter_map(|id| self.running.get(id)) {
            running.sink.retired.store(Some(Arc::clone(last)));
        }
    }

    /// Stops receivers and gives them until `deadline`.
    pub(super) fn remove(&mut self, ids: &[ComponentId], deadline: Instant) {
        self.ending.retain(|task| !task.is_finished());
        for running in ids.iter().filter_map(|id| self.running.remove(id)) {
            running.stopper.stop();
            self.ending.push(tokio::spawn(finish(running.task, deadline)));
        }
    }

    /// Stops all and waits until they have returned, at most until `deadline`.
    pub(super) async fn stop_all(&mut self, deadline: Instant) {
        let running = std::mem::take(&mut self.running);
        for running in running.values() {
            running.stopper.stop();
        }
        let tasks = running.into_values().map(|running| running.task).chain(self.ending.drain(..));
        join_all(tasks.map(|task| finish(task, deadline))).await;
    }
}

async fn finish(mut task: JoinHandle<()>, deadline: Instant) {
    if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
        task.abort();
        // Cancelled at its next await, which is what the timeout was for.
        let _ = task.await;
    }
}

/// Runs a receiver; one that ends without being asked to is degraded, not forgotten.
async fn supervise(core: &Core, path: &str, receiver: Box<dyn DynReceiver>, ingress: Ingress, stop: Stop) {
    if stop.is_set() {
        return;
    }
    core.health.recover(path, "stopped");
    // Called inside, where a panic before the first await is caught too.
    let ended = AssertUnwindSafe(async { receiver.run(ingress, stop.clone()).await }).catch_unwind().await;
    let message = match ended {
        Ok(()) if stop.is_set() => return,
        Ok(()) => "the receiver ended although nothing stopped it; a reload with a changed configuration starts it again",
        Err(_panic) => "the receiver panicked; a reload with a changed configuration starts it again",
    };
    core.health.degrade(path, "stopped", message);
    tracing::error!(component = path, message);
}
