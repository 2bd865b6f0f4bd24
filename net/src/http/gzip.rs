//! Compression of pages.
//!
//! Metrics text shrinks to a twentieth, and Prometheus asks for gzip by default. The fastest level: what the better ones save costs more than the
//! network of one machine or cluster.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;

/// Bytes from which on compression is worth its header and its time: a page below fits one packet anyway.
const WORTH: usize = 1_400;

pub(super) fn is_worth_it(body: &Bytes) -> bool {
    body.len() >= WORTH
}

/// Whether `Accept-Encoding` lists gzip, and not with weight 0.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Compresses on a thread that may block. `None` if that failed, which nothing but a defect can cause.
pub(super) async fn compress(body: Bytes) -> Option<Bytes> {
    let compressed = tokio::task::spawn_blocking(move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 10), Compression::fast());
        encoder.write_all(&body).and_then(|()| encoder.finish()).ok()
    });
    compressed.await.ok().flatten().map(Bytes::from)
}
