//! Acknowledgement tokens: who waits for the fate of data learns it exactly once.
//!
//! A receiver that must answer with the result (an exporter of its pipeline has `wait_for_result`) sends a batch with a
//! tracked token. The token follows the data: it is split when data fans out, merged when data is batched, and resolved where
//! the data ends. The waiter is told the worst outcome when the last share is resolved. A share that is dropped unresolved
//! counts as [`Outcome::Lost`], so that forgetting is never silent.

use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use crate::Outcome;

/// The shares of one or more waiters' tokens that a batch carries; empty when nobody waits.
#[derive(Debug, Default)]
pub struct Ack {
    shares: SmallVec<[Arc<Cell>; 1]>,
}

#[derive(Debug)]
struct Cell(Mutex<Progress>);

#[derive(Debug)]
struct Progress {
    pending: usize,
    worst: Outcome,
    waiter: Option<oneshot::Sender<Outcome>>,
}

/// The waiting end of a tracked [`Ack`].
#[derive(Debug)]
pub struct AckWaiter(oneshot::Receiver<Outcome>);

impl Ack {
    /// A token nobody waits for: the data counts as accepted once it is in a bounded buffer.
    pub fn none() -> Self {
        Self { shares: SmallVec::new() }
    }

    /// A token with one share, and the end that learns its outcome.
    pub fn tracked() -> (Self, AckWaiter) {
        let (sender, receiver) = oneshot::channel();
        let cell = Cell(Mutex::new(Progress { pending: 1, worst: Outcome::Accepted, waiter: Some(sender) }));
        let mut shares = SmallVec::new();
        shares.push(Arc::new(cell));
        (Self { shares }, AckWaiter(receiver))
    }

    /// Whether somebody waits for this data.
    pub fn is_tracked(&self) -> bool {
        !self.shares.is_empty()
    }

    /// A further share of the same tokens, for a part or a copy of the data. Both must be resolved.
    #[must_use = "a share that is dropped unresolved counts as lost"]
    pub fn split(&self) -> Self {
        for cell in &self.shares {
            cell.0.lock().pending += 1;
        }
        Self { shares: self.shares.clone() }
    }

    /// Takes the shares of data that was merged into this data.
    pub fn merge(&mut self, mut other: Self) {
        self.shares.append(&mut other.shares);
    }

    /// Says what became of the data that carried these shares.
    pub fn resolve(mut self, outcome: Outcome) {
        self.settle(outcome);
    }

    fn settle(&mut self, outcome: Outcome) {
        for cell in self.shares.drain(..) {
            cell.settle(outcome);
        }
    }
}

impl Cell {
    fn settle(&self, outcome: Outcome) {
        let told = {
            let mut progress = self.0.lock();
            progress.worst = progress.worst.max(outcome);
            progress.pending = progress.pending.saturating_sub(1);
            if progress.pending == 0 { progress.waiter.take().map(|waiter| (waiter, progress.worst)) } else { None }
        };
        if let Some((waiter, worst)) = told {
            // A waiter that left (its client hung up) has no use for the answer.
            let _ = waiter.send(worst);
        }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        self.settle(Outcome::Lost);
    }
}

impl AckWaiter {
    /// Waits for the outcome. [`Outcome::Lost`] if every share vanished without a word.
    pub async fn outcome(self) -> Outcome {
        self.0.await.unwrap_or(Outcome::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Refusal, RefusalKind};

    #[tokio::test]
    async fn the_worst_outcome_of_all_shares_wins() {
        let (ack, waiter) = Ack::tracked();
        let second = ack.split();
        let refused = Outcome::Refused(Refusal::new(RefusalKind::QueueFull));
        second.resolve(refused);
        ack.resolve(Outcome::Accepted);
        assert_eq!(waiter.outcome().await, refused);
    }

    #[tokio::test]
    async fn a_share_dropped_unresolved_is_lost() {
        let (ack, waiter) = Ack::tracked();
        let second = ack.split();
        ack.resolve(Outcome::Accepted);
        drop(second);
        assert_eq!(waiter.outcome().await, Outcome::Lost);
    }

    #[tokio::test]
    async fn merged_tokens_are_all_told() {
        let (mut first, first_waiter) = Ack::tracked();
        let (second, second_waiter) = Ack::tracked();
        first.merge(second);
        first.resolve(Outcome::Accepted);
        assert_eq!(first_waiter.outcome().await, Outcome::Accepted);
        assert_eq!(second_waiter.outcome().await, Outcome::Accepted);
    }

    #[test]
    fn nobody_is_told_while_a_share_is_pending() {
        let (ack, mut waiter) = Ack::tracked();
        let second = ack.split();
        ack.resolve(Outcome::Accepted);
        assert!(waiter.0.try_recv().is_err());
        second.resolve(Outcome::Accepted);
        assert_eq!(waiter.0.try_recv().ok(), Some(Outcome::Accepted));
    }
}
