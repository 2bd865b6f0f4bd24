//! What a processor did with a batch: emitted, routed, dropped for a reason, or (by saying nothing) held in its state.

use smallvec::SmallVec;

use crate::{Batch, DropReason, Outcome, PipelineId};

/// Where a processor or connector puts its results. The engine carries them on; nothing vanishes uncounted.
#[derive(Debug, Default)]
pub struct Out {
    emitted: SmallVec<[Emitted; 1]>,
    dropped: SmallVec<[(DropReason, usize); 1]>,
}

/// A batch on its way to the next stage.
#[derive(Debug)]
pub struct Emitted {
    /// The pipeline a connector chose, or `None` for "the next stage" (and, from a connector, every pipeline it feeds).
    pub to: Option<PipelineId>,
    /// The data.
    pub batch: Batch,
}

impl Out {
    /// An empty result.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands the batch to the next stage.
    pub fn emit(&mut self, batch: Batch) {
        self.emitted.push(Emitted { to: None, batch });
    }

    /// Hands the batch to one of the pipelines that this connector feeds. A pipeline it does not feed is a counted drop.
    pub fn emit_to(&mut self, pipeline: PipelineId, batch: Batch) {
        self.emitted.push(Emitted { to: Some(pipeline), batch });
    }

    /// Ends the batch here and counts its items under `reason`. Whoever waits for it is told that it was accepted: a drop by a
    /// processor is a decision, not a failure to be repeated.
    pub fn drop(&mut self, batch: Batch, reason: DropReason) {
        self.dropped.push((reason, batch.items()));
        batch.resolve(Outcome::Accepted);
    }

    /// Counts items that an edit removed from a batch which itself goes on.
    pub fn count_dropped(&mut self, items: usize, reason: DropReason) {
        if items > 0 {
            self.dropped.push((reason, items));
        }
    }

    /// Items emitted so far.
    pub fn emitted_items(&self) -> usize {
        self.emitted.iter().map(|emitted| emitted.batch.items()).sum()
    }

    /// Whether anything emitted was accepted from its sender before.
    pub fn emits_admitted(&self) -> bool {
        self.emitted.iter().any(|emitted| emitted.batch.is_admitted())
    }

    /// Drops counted so far, per reason.
    pub fn dropped(&self) -> &[(DropReason, usize)] {
        &self.dropped
    }

    /// Takes the emitted batches, in order.
    pub fn take_emitted(&mut self) -> SmallVec<[Emitted; 1]> {
        std::mem::take(&mut self.emitted)
    }
}
