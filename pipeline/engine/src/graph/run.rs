//! Carrying batches through the stages, synchronously, up to the queues.
//!
//! Nothing is enqueued here: a run only collects deliveries, so that they can be reserved everywhere first and then committed.
//! What a run may still do about a refusal depends on whether it is bound (see [`Run::is_bound`]).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use deferd_component::{Batch, DropReason, Out, Outcome, PipelineId, Refusal, RefusalKind, Refused, Signal};

use super::{Exit, Graph, Stage};
use crate::metrics::{StageCounters, count_dropped};
use crate::queue::Sender;

/// A batch that has passed all stages of a pipeline, and the queues it is for.
pub(crate) struct Delivery {
    pub(crate) pipeline: usize,
    pub(crate) batch: Batch,
    pub(crate) to: Arc<[Sender]>,
}

/// A batch that a stage refused although its sender was already told that it is accepted: to be tried again from there.
pub(crate) struct Stalled {
    pub(crate) pipeline: usize,
    pub(crate) stage: usize,
    pub(crate) batch: Batch,
}

/// One pass of data through a graph.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) stalled: Vec<Stalled>,
    bound: bool,
}

impl Run {
    /// A run of data that was accepted before: what a tick or a drain emits.
    pub(crate) fn bound() -> Self {
        Self { bound: true, ..Self::default() }
    }

    /// Whether part of the data is accepted already (held in a state, or taken from one): from here on the sender must be told
    /// "accepted", because sending again would duplicate that part.
    pub(crate) const fn is_bound(&self) -> bool {
        self.bound
    }

    /// Gives up what the run collected: the sender keeps the data.
    pub(crate) fn refuse(self, refusal: Refusal) {
        for delivery in self.deliveries {
            delivery.batch.resolve(Outcome::Refused(refusal));
        }
    }

    /// Carries `batch` into each of `pipelines`. An error means that nothing was accepted anywhere.
    pub(crate) fn enter(&mut self, graph: &Graph, pipelines: &[usize], batch: Batch) -> Result<(), Refusal> {
        let Some((last, others)) = pipelines.split_last() else {
            batch.resolve(Outcome::Accepted);
            return Ok(());
        };
        for pipeline in others {
            self.advance(graph, *pipeline, 0, batch.share())?;
        }
        self.advance(graph, *last, 0, batch)
    }

    /// Carries `batch` through the pipeline from the stage at `position` on.
    pub(crate) fn advance(&mut self, graph: &Graph, pipeline: usize, position: usize, batch: Batch) -> Result<(), Refusal> {
        let Some(pipe) = graph.pipeline(pipeline) else { return Ok(()) };
        let Some(stage) = pipe.stages.get(position) else { return self.leave(graph, pipeline, batch) };
        match self.pass(graph, stage, batch) {
            Ok(mut out) => self.follow(graph, pipeline, position, &mut out),
            Err(Refused { refusal, mut batch }) if self.must_wait(&batch, refusal) => {
                tracing::debug!(component = stage.path, %refusal, "accepted data is refused; it waits and tries again");
                batch.admit();
                self.stalled.push(Stalled { pipeline, stage: position, batch });
                Ok(())
            }
            Err(Refused { refusal, batch }) => self.give_back(graph, &stage.path, refusal, batch),
        }
    }

    /// Carries on what the stage at `position` emitted.
    pub(crate) fn follow(&mut self, graph: &Graph, pipeline: usize, position: usize, out: &mut Out) -> Result<(), Refusal> {
        for emitted in out.take_emitted() {
            self.advance(graph, pipeline, position + 1, emitted.batch)?;
        }
        Ok(())
    }

    /// Whether refused data is kept for another attempt: its sender cannot be asked to send it again, and trying again can help.
    const fn must_wait(&self, batch: &Batch, refusal: Refusal) -> bool {
        (self.bound || batch.is_admitted()) && refusal.kind.is_retryable()
    }

    /// A refusal goes to the sender while nothing is accepted. Afterwards it must not, or the sender would duplicate what was
    /// accepted: then the refused part, which no stage will ever take, is the price, and is counted.
    fn give_back(&self, graph: &Graph, path: &str, refusal: Refusal, batch: Batch) -> Result<(), Refusal> {
        if self.bound {
            count_dropped(&graph.telemetry, path, batch.signal(), DropReason::Refused, batch.items());
        }
        batch.resolve(Outcome::Refused(refusal));
        if self.bound { Ok(()) } else { Err(refusal) }
    }

    fn pass(&mut self, graph: &Graph, stage: &Stage, batch: Batch) -> Result<Out, Refused> {
        let processor = &stage.processor;
        self.guarded(graph, &stage.path, &stage.counters, batch, |batch, out| processor.process(batch, out))
    }

    /// Past the last stage: to the queues and connectors.
    fn leave(&mut self, graph: &Graph, pipeline: usize, batch: Batch) -> Result<(), Refusal> {
        let Some(pipe) = graph.pipeline(pipeline) else { return Ok(()) };
        if pipe.connectors.is_empty() {
            self.deliveries.push(Delivery { pipeline, batch, to: Arc::clone(&pipe.queues) });
            return Ok(());
        }
        if !pipe.queues.is_empty() {
            self.deliveries.push(Delivery { pipeline, batch: batch.share(), to: Arc::clone(&pipe.queues) });
        }
        let (last, others) = pipe.connectors.split_last().map_or((None, [].as_slice()), |(last, others)| (Some(last), others));
        for exit in others {
            self.connect(graph, exit, batch.share())?;
        }
        last.map_or(Ok(()), |exit| self.connect(graph, exit, batch))
    }

    fn connect(&mut self, graph: &Graph, exit: &Exit, batch: Batch) -> Result<(), Refusal> {
        let connector = &exit.connector;
        let passed = self.guarded(graph, &exit.path, &exit.counters, batch, |batch, out| connector.process(batch, out));
        let mut out = match passed {
            Ok(out) => out,
            Err(Refused { refusal, batch }) => return self.give_back(graph, &exit.path, refusal, batch),
        };
        for emitted in out.take_emitted() {
            let chosen: Vec<usize> = match &emitted.to {
                None => exit.to.clone(),
                Some(wanted) => exit.to.iter().copied().filter(|index| graph.is_pipeline(*index, wanted)).collect(),
            };
            if chosen.is_empty() {
                let (signal, items) = (emitted.batch.signal(), emitted.batch.items());
                count_dropped(&graph.telemetry, &exit.path, signal, DropReason::NoDestination, items);
            }
            self.enter(graph, &chosen, emitted.batch)?;
        }
        Ok(())
    }

    /// Calls a component so that a panic in it ends only this batch, and keeps the account of what went in and came out.
    fn guarded(
        &mut self,
        graph: &Graph,
        path: &str,
        counters: &StageCounters,
        batch: Batch,
        call: impl FnOnce(Batch, &mut Out) -> Result<(), Box<Refused>>,
    ) -> Result<Out, Refused> {
        let (signal, items, admitted) = (batch.signal(), batch.items(), batch.is_admitted());
        counters.incoming.add(items);
        let mut out = Out::new();
        match std::panic::catch_unwind(AssertUnwindSafe(|| call(batch, &mut out))) {
            Ok(Ok(())) => {}
            Ok(Err(refused)) => return Err(*refused),
            Err(_panic) => return Err(self.panicked(graph, path, signal, items, admitted)),
        }
        let emitted = out.emitted_items();
        counters.outgoing.add(emitted);
        graph.count_drops(path, &out, signal);
        let dropped: usize = out.dropped().iter().map(|(_, items)| items).sum();
        // Items that neither came out nor were dropped are held in the component's state.
        self.bound |= emitted + dropped < items || out.emits_admitted();
        Ok(out)
    }

    /// The panic took the batch with it. Unless its sender still has it, that is a loss, and is counted.
    fn panicked(&self, graph: &Graph, path: &str, signal: Signal, items: usize, admitted: bool) -> Refused {
        tracing::error!(component = path, items, "the component panicked");
        if admitted || self.bound {
            count_dropped(&graph.telemetry, path, signal, DropReason::Panicked, items);
        }
        Refused { refusal: Refusal::new(RefusalKind::Internal), batch: Batch::empty(signal) }
    }
}

impl Graph {
    /// Counts what a component dropped on purpose.
    pub(crate) fn count_drops(&self, path: &str, out: &Out, signal: Signal) {
        for (reason, items) in out.dropped() {
            count_dropped(&self.telemetry, path, signal, *reason, *items);
        }
    }

    fn is_pipeline(&self, index: usize, id: &PipelineId) -> bool {
        self.pipeline(index).is_some_and(|pipeline| pipeline.id == *id)
    }
}
