//! A request's body: gRPC's five-byte prefix, then the batch as it is.
//!
//! Concatenated requests are one request, so the chunks of a batch are written one after the other and none is copied. Compressing reads
//! them in place. tonic's codec would copy them into a buffer of its own first, and compress on a thread that must not block.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use deferd_component::Batch;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame, SizeHint};

use super::config::Compression;

/// Largest request, uncompressed: what OTLP recommends that servers take, and clients must not exceed.
pub(super) const MAX_REQUEST: usize = 64 << 20;

/// Above this, compressing takes longer than an async thread may be blocked (about 60 MB/s).
const COMPRESSED_IN_PLACE: usize = 16 << 10;

/// The pieces of a body that are still to be sent. Cloning shares them.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    rest: VecDeque<Bytes>,
    length: u64,
}

impl Pieces {
    /// The body for a batch. A batch above [`MAX_REQUEST`] has none.
    pub(super) async fn new(batch: &Batch, compression: Compression) -> io::Result<Self> {
        if batch.bytes() > MAX_REQUEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        match compression {
            Compression::None => Ok(Self::plain(batch.chunks(), batch.bytes())),
            Compression::Gzip if batch.bytes() <= COMPRESSED_IN_PLACE => gzip(batch.chunks()),
            Compression::Gzip => {
                let chunks = batch.chunks().to_vec();
                tokio::task::spawn_blocking(move || gzip(&chunks)).await?
            }
        }
    }

    fn plain(chunks: &[Bytes], length: usize) -> Self {
        let prefix = Bytes::copy_from_slice(&prefix(false, length));
        let rest: VecDeque<Bytes> = std::iter::once(prefix).chain(chunks.iter().cloned()).collect();
        Self::of(rest)
    }

    fn of(rest: VecDeque<Bytes>) -> Self {
        let length = rest.iter().map(|piece| piece.len() as u64).sum();
        Self { rest, length }
    }
}

/// Prefix and compressed bytes in one buffer.
fn gzip(chunks: &[Bytes]) -> io::Result<Pieces> {
    let mut out = Vec::with_capacity(chunks.iter().map(Bytes::len).sum::<usize>() / 4 + 64);
    out.extend_from_slice(&prefix(true, 0));
    let mut encoder = GzEncoder::new(out, flate2::Compression::default());
    for chunk in chunks {
        encoder.write_all(chunk)?;
    }
    let mut out = encoder.finish()?;
    let compressed = out.len().saturating_sub(PREFIX);
    if let Some(place) = out.first_chunk_mut() {
        *place = prefix(true, compressed);
    }
    Ok(Pieces::of(VecDeque::from([Bytes::from(out)])))
}

/// Bytes in front of a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

fn prefix(compressed: bool, length: usize) -> [u8; PREFIX] {
    // MAX_REQUEST is far below 2^32; compressed bytes are hardly longer.
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [u8::from(compressed), a, b, c, d]
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.rest.pop_front();
        self.length -= next.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use deferd_component::Signal;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn chunks_are_sent_as_they_are_and_not_copied() {
        let (first, second) = (Bytes::from(vec![1; 1000]), Bytes::from(vec![2; 500]));
        let mut batch = Batch::new(Signal::Metrics, first.clone(), 1);
        batch.merge(Batch::new(Signal::Metrics, second.clone(), 1)).unwrap();
        let pieces = Pieces::new(&batch, Compression::None).await.unwrap();
        assert_eq!(pieces.size_hint().exact(), Some(1505));
        let sent: Vec<*const u8> = pieces.rest.iter().skip(1).map(|piece| piece.as_ptr()).collect();
        assert_eq!(sent, [first.as_ptr(), second.as_ptr()]);
        let all = pieces.collect().await.unwrap().to_bytes();
        assert_eq!(all.get(..5), Some([0, 0, 0, 5, 220].as_slice()));
    }

    #[tokio::test]
    async fn a_request_over_the_limit_has_no_body() {
        let batch = Batch::new(Signal::Logs, Bytes::from(vec![0; MAX_REQUEST + 1]), 1);
        let error = Pieces::new(&batch, Compression::None).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
