//! A scrape endpoint: the latest value of every series, in Prometheus' text format.
//!
//! Taking batches and making the text both happen on threads that may block, under one lock: 100,000 series take long enough to make that
//! no async thread should wait for it. The store lives in the factory's state and knows no configuration, so a reload
//! loses no series; the socket is claimed when the exporter is built, so the port stays open.

mod config;
mod ingest;
mod key;
mod labels;
mod names;
mod origin;
mod render;
mod scrape;
mod series;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use deferd_component::telemetry::{Gauge, Telemetry};
use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Listener, Metadata, Signal,
    Stability, Stop,
};
use deferd_pdata::validate::{self, Utf8};
use parking_lot::Mutex;

pub use config::{Config, ResourceToTelemetry};
use ingest::Drops;
pub(crate) use names::label_name;
use render::Conflict;
use scrape::Scrapes;
use store::Store;

/// Conflicts that are remembered as logged. Beyond that, further ones are not logged: that is a flood.
const MAX_REPORTED: usize = 1_000;

/// Makes Prometheus exporters.
pub struct Factory;

/// What survives a reload: all series, what was logged about them, and the bound on texts in memory.
#[derive(Debug, Default)]
pub struct State {
    store: Mutex<Store>,
    reported: Mutex<BTreeSet<Conflict>>,
    scrapes: Scrapes,
}

/// A Prometheus exporter. Cloning gives another handle to the same one.
#[derive(Debug, Clone)]
pub struct Prometheus {
    config: Arc<Config>,
    state: Arc<State>,
    listener: Arc<Listener>,
    telemetry: Arc<Telemetry>,
    component: Arc<str>,
    series: Gauge,
}

impl ExporterFactory for Factory {
    type Config = Config;
    type State = State;
    type Exporter = Prometheus;

    const METADATA: Metadata = Metadata {
        component_type: "prometheus",
        summary: "serves the latest metrics for Prometheus to scrape",
        signals: &[Signal::Metrics],
        stability: Stability::Beta,
    };

    fn settings(_: &Config) -> ExporterSettings {
        ExporterSettings::local()
    }

    fn build(config: Config, state: Arc<State>, context: &BuildContext) -> Result<Prometheus, BuildError> {
        let Some(endpoint) = &config.endpoint else {
            return Err(BuildError::Unavailable("`endpoint` is not set".to_owned()));
        };
        let listener = context.listen(&endpoint.to_string())?;
        let labels = vec![("exporter", context.id.to_string())];
        let series = context.telemetry.gauge("deferd_exporter_prometheus_series", "Series kept for scraping", labels);
        Ok(Prometheus {
            config: Arc::new(config),
            state,
            listener,
            telemetry: Arc::clone(&context.telemetry),
            component: context.path().into(),
            series,
        })
    }
}

impl Exporter for Prometheus {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let (exporter, chunks) = (self.clone(), batch.chunks().to_vec());
        let taken = tokio::task::spawn_blocking(move || exporter.take(&chunks, Instant::now())).await;
        taken.unwrap_or_else(|failed| Err(ExportError::permanent(failed.to_string())))
    }

    async fn run(&self, stop: Stop) {
        scrape::serve(self, stop).await;
    }
}

impl Prometheus {
    fn take(&self, chunks: &[Bytes], now: Instant) -> Result<(), ExportError> {
        // All or nothing: a chunk that is taken before a bad one is found would count as failed and yet be shown.
        for chunk in chunks {
            validate::metrics(chunk, Utf8::Ignore).map_err(|malformed| ExportError::permanent(malformed.to_string()))?;
        }
        let mut store = self.state.store.lock();
        store.sweep_now_and_then(now, self.config.metric_expiration.get());
        for chunk in chunks {
            let drops = ingest::ingest(&mut store, chunk, self.config.max_series, now);
            self.account(&drops);
        }
        self.series.set(f64::from(u32::try_from(store.series()).unwrap_or(u32::MAX)));
        Ok(())
    }

    /// Counts dropped points under the name that all drops of the service have, and explains each reason once.
    fn account(&self, drops: &Drops) {
        for (reason, points) in drops {
            let labels = vec![
                ("component", self.component.to_string()),
                ("signal", Signal::Metrics.as_str().to_owned()),
                ("reason", reason.as_str().to_owned()),
            ];
            let dropped =
                self.telemetry.counter("deferd_dropped_items", "Items that ended without being delivered, by reason", labels);
            if dropped.get() == 0 {
                tracing::warn!(component = &*self.component, reason = reason.as_str(), "{}", reason.explanation());
            }
            dropped.add(*points);
        }
    }

    /// The text of a scrape.
    fn text(&self, now: Instant) -> String {
        let (text, conflicts) = {
            let mut store = self.state.store.lock();
            store.sweep(now, self.config.metric_expiration.get());
            render::render(&store, &self.config, now)
        };
        self.report(conflicts);
        text
    }

    /// Logs each conflict once.
    fn report(&self, conflicts: Vec<Conflict>) {
        let mut reported = self.state.reported.lock();
        for conflict in conflicts {
            if reported.len() < MAX_REPORTED && !reported.contains(&conflict) {
                tracing::warn!(component = &*self.component, "{conflict}");
                reported.insert(conflict);
            }
        }
    }
}
