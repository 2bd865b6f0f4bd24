//! The unit of data: one signal's OTLP request as bytes, with its counts and its acknowledgement.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use crate::{Ack, Outcome, Refusal, Refused, Signal};

/// One signal's serialized `Export*ServiceRequest`, in one or several chunks.
///
/// Chunks exist because concatenating two serialized requests *is* merging them (protobuf repeated fields append), so batching
/// copies nothing. Profiles are the exception: their request holds one indexed dictionary, so they are never merged.
#[derive(Debug)]
pub struct Batch {
    signal: Signal,
    chunks: SmallVec<[Bytes; 1]>,
    items: usize,
    bytes: usize,
    admitted: bool,
    ack: Ack,
}

/// Two batches that cannot be one; both are still whole in it.
#[derive(Debug, thiserror::Error)]
#[error("a batch of {into} cannot take a batch of {from}")]
pub struct MergeError {
    into: Signal,
    from: Signal,
    /// The batch that was not taken.
    pub rejected: Box<Batch>,
}

impl Batch {
    /// A batch of `items` spans, data points, log records or samples in one serialized request. Nobody waits for its result.
    pub fn new(signal: Signal, payload: Bytes, items: usize) -> Self {
        let bytes = payload.len();
        let mut chunks = SmallVec::new();
        chunks.push(payload);
        Self { signal, chunks, items, bytes, admitted: false, ack: Ack::none() }
    }

    /// A batch without items, bytes or anybody waiting for it.
    pub fn empty(signal: Signal) -> Self {
        Self { signal, chunks: SmallVec::new(), items: 0, bytes: 0, admitted: false, ack: Ack::none() }
    }

    /// The signal of every item in it.
    pub const fn signal(&self) -> Signal {
        self.signal
    }

    /// Number of spans, data points, log records or samples.
    pub const fn items(&self) -> usize {
        self.items
    }

    /// Serialized size in bytes, all chunks together.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The chunks, each a valid request of its own.
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// The whole request as one buffer; copies only if there are several chunks.
    pub fn payload(&self) -> Bytes {
        if let [only] = self.chunks.as_slice() {
            return only.clone();
        }
        let mut whole = BytesMut::with_capacity(self.bytes);
        for chunk in &self.chunks {
            whole.extend_from_slice(chunk);
        }
        whole.freeze()
    }

    /// The same batch with other contents, after an edit. Identity and acknowledgement stay.
    #[must_use]
    pub fn with_payload(mut self, payload: Bytes, items: usize) -> Self {
        self.bytes = payload.len();
        self.items = items;
        self.chunks.clear();
        self.chunks.push(payload);
        self
    }

    /// The same data for another destination: the bytes are shared, the acknowledgement is split.
    #[must_use = "the copy carries a share of the acknowledgement"]
    pub fn share(&self) -> Self {
        Self {
            signal: self.signal,
            chunks: self.chunks.clone(),
            items: self.items,
            bytes: self.bytes,
            admitted: self.admitted,
            ack: self.ack.split(),
        }
    }

    /// Appends another batch of the same signal without copying its bytes.
    pub fn merge(&mut self, mut other: Self) -> Result<(), MergeError> {
        if self.signal != other.signal || self.signal == Signal::Profiles {
            return Err(MergeError { into: self.signal, from: other.signal, rejected: Box::new(other) });
        }
        self.chunks.append(&mut other.chunks);
        self.items += other.items;
        self.bytes += other.bytes;
        self.admitted |= other.admitted;
        self.ack.merge(std::mem::take(&mut other.ack));
        Ok(())
    }

    /// Marks the data as accepted into a bounded buffer: its sender has been or will be told so, therefore it is never refused
    /// from here on. A processor that keeps a batch in its state must call this (see [`crate::Held`], which does).
    pub const fn admit(&mut self) {
        self.admitted = true;
    }

    /// Whether the sender of (a part of) this data was already told that it is accepted.
    pub const fn is_admitted(&self) -> bool {
        self.admitted
    }

    /// Replaces the acknowledgement and returns the former one.
    pub fn replace_ack(&mut self, ack: Ack) -> Ack {
        std::mem::replace(&mut self.ack, ack)
    }

    /// The acknowledgement it carries.
    pub const fn ack(&self) -> &Ack {
        &self.ack
    }

    /// Hands the batch back as refused: `Err(batch.refuse(Refusal::new(..)))` is how a processor refuses.
    pub fn refuse(self, refusal: Refusal) -> Box<Refused> {
        Box::new(Refused { refusal, batch: self })
    }

    /// Ends the batch and says what became of it.
    pub fn resolve(self, outcome: Outcome) {
        self.ack.resolve(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(text: &'static str, items: usize) -> Batch {
        Batch::new(Signal::Metrics, Bytes::from_static(text.as_bytes()), items)
    }

    #[test]
    fn merging_keeps_chunks_and_adds_counts() {
        let mut first = metrics("ab", 2);
        first.merge(metrics("cde", 3)).unwrap();
        assert_eq!((first.items(), first.bytes(), first.chunks().len()), (5, 5, 2));
        assert_eq!(first.payload().as_ref(), b"abcde");
    }

    #[test]
    fn profiles_and_mixed_signals_are_never_merged() {
        let mut logs = Batch::new(Signal::Logs, Bytes::new(), 1);
        let error = logs.merge(metrics("x", 1)).unwrap_err();
        assert_eq!(error.rejected.items(), 1);
        let mut profiles = Batch::new(Signal::Profiles, Bytes::new(), 1);
        assert!(profiles.merge(Batch::new(Signal::Profiles, Bytes::new(), 1)).is_err());
    }

    #[test]
    fn admission_survives_a_merge() {
        let mut held = metrics("a", 1);
        held.admit();
        let mut fresh = metrics("b", 1);
        fresh.merge(held).unwrap();
        assert!(fresh.is_admitted());
    }
}
