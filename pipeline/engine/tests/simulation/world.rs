//! What the test knows and the engine does not: the fate of every item.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use deferd_component::{Batch, RefusalKind, Signal};

/// The ledger that the fake components write and the test reads.
#[derive(Debug, Default)]
pub(crate) struct World {
    next_item: AtomicU64,
    sends: Mutex<Vec<Send>>,
    deliveries: Mutex<HashMap<&'static str, HashMap<u64, u64>>>,
}

/// One send of the fake receiver and its answers; a correct engine gives exactly one.
#[derive(Debug, Clone)]
pub(crate) struct Send {
    pub(crate) items: Vec<u64>,
    pub(crate) answers: Vec<Result<(), RefusalKind>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// A batch of `count` new items, and the number of its send.
    pub(crate) fn batch(&self, count: u64) -> (usize, Batch) {
        let first = self.next_item.fetch_add(count, Ordering::Relaxed);
        let items: Vec<u64> = (first..first + count).collect();
        let payload: Vec<u8> = items.iter().flat_map(|item| item.to_le_bytes()).collect();
        let mut sends = self.sends.lock().unwrap();
        sends.push(Send { items, answers: Vec::new() });
        (sends.len() - 1, Batch::new(Signal::Logs, Bytes::from(payload), count as usize))
    }

    pub(crate) fn answer(&self, send: usize, answer: Result<(), RefusalKind>) {
        self.sends.lock().unwrap()[send].answers.push(answer);
    }

    pub(crate) fn deliver(&self, exporter: &'static str, batch: &Batch) {
        let mut deliveries = self.deliveries.lock().unwrap();
        let ledger = deliveries.entry(exporter).or_default();
        let mut seen = 0;
        for chunk in batch.chunks() {
            for item in chunk.chunks_exact(8) {
                *ledger.entry(u64::from_le_bytes(item.try_into().unwrap())).or_default() += 1;
                seen += 1;
            }
        }
        assert_eq!(seen, batch.items(), "a batch says how many items it has");
    }

    pub(crate) fn sends(&self) -> Vec<Send> {
        self.sends.lock().unwrap().clone()
    }

    pub(crate) fn delivered(&self, exporter: &str) -> HashMap<u64, u64> {
        self.deliveries.lock().unwrap().get(exporter).cloned().unwrap_or_default()
    }
}
