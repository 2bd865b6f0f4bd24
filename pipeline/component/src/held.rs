//! The one sanctioned way for a processor to keep data in its state.

use parking_lot::Mutex;

use crate::Batch;

/// A bounded buffer of batches that were accepted: what is in it counts like what is in a queue. It is drained on shutdown and
/// never dropped because something later refuses.
///
/// Bounded by items and by bytes; a batch that does not fit is handed back, for the processor to refuse.
#[derive(Debug, Default)]
pub struct Held(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    batches: Vec<Batch>,
    items: usize,
    bytes: usize,
}

impl Held {
    /// Keeps the batch if afterwards at most `max_items` items and `max_bytes` bytes are held, else hands it back.
    pub fn push(&self, mut batch: Batch, max_items: usize, max_bytes: usize) -> Result<(), Box<Batch>> {
        let mut held = self.0.lock();
        if held.items.saturating_add(batch.items()) > max_items || held.bytes.saturating_add(batch.bytes()) > max_bytes {
            return Err(Box::new(batch));
        }
        batch.admit();
        held.items += batch.items();
        held.bytes += batch.bytes();
        held.batches.push(batch);
        Ok(())
    }

    /// Items held now.
    pub fn items(&self) -> usize {
        self.0.lock().items
    }

    /// Takes everything, oldest first.
    pub fn take_all(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.0.lock()).batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signal;
    use bytes::Bytes;

    #[test]
    fn what_does_not_fit_is_handed_back_whole() {
        let held = Held::default();
        let batch = |items| Batch::new(Signal::Logs, Bytes::from_static(b"1234"), items);
        held.push(batch(3), 4, 100).unwrap();
        assert_eq!(held.push(batch(2), 4, 100).unwrap_err().items(), 2);
        assert_eq!(held.push(batch(1), 4, 7).unwrap_err().items(), 1);
        let all = held.take_all();
        assert_eq!((all.len(), held.items()), (1, 0));
        assert!(all.iter().all(Batch::is_admitted));
    }
}
