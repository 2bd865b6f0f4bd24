//! `GET /metrics`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use deferd_component::Stop;
use deferd_component::telemetry::Exposition;
use deferd_net::http::{self, Page, Pages, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Prometheus;

/// Texts in memory at once: being made, or being sent to a client that reads slowly. A million series are 200 MB of text.
const MAX_TEXTS: usize = 4;
/// How long a scrape waits for one of these. Prometheus gives up after 10 s by default.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bound on texts in memory.
#[derive(Debug)]
pub(super) struct Scrapes(Arc<Semaphore>);

impl Default for Scrapes {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_TEXTS)))
    }
}

/// A text that gives its place back when nobody needs it any more.
struct Text {
    text: String,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Serves the exporter's text until `stop`.
pub(super) async fn serve(exporter: &Prometheus, stop: Stop) {
    let (served, listener) = (exporter.clone(), Arc::clone(&exporter.listener));
    let pages = Pages::new().page("/metrics", move || page(served.clone()));
    http::serve(listener, Arc::new(pages), &exporter.telemetry, stop).await;
}

/// The answer to one scrape.
pub(super) async fn page(exporter: Prometheus) -> Page {
    let place = Arc::clone(&exporter.state.scrapes.0).acquire_owned();
    let Ok(Ok(place)) = tokio::time::timeout(PATIENCE, place).await else {
        return Page::text(StatusCode::SERVICE_UNAVAILABLE, "too many scrapes at once\n");
    };
    match tokio::task::spawn_blocking(move || exporter.text(Instant::now())).await {
        Ok(text) => Page::ok(Exposition::CONTENT_TYPE, Bytes::from_owner(Text { text, _place: place })),
        Err(failed) => Page::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{failed}\n")),
    }
}
