//! Alerts for Alertmanager, kept firing there for as long as they fire here.
//!
//! Alertmanager forgets an alert that is not posted again, so this exporter has a state where others have a queue: what fires, since
//! when, and who has heard of it. `export` only changes that state, which cannot fail for the sake of a server, and so always succeeds; the
//! run loop, one for each Alertmanager, posts what each has not heard of yet, repeats it within seconds while it fails, and refreshes it.

mod alert;
mod config;
mod post;
mod run;
mod state;
#[cfg(test)]
mod tests;
mod texts;
mod trouble;

use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use deferd_component::telemetry::{Gauge, Telemetry};
use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Metadata, QueueSettings, Signal,
    Stability, Stop,
};
use deferd_net::client::http::Client;
use deferd_pdata::validate::{self, Utf8};
use parking_lot::Mutex;
use tokio::sync::watch;

use alert::Observer;
pub use config::{ApiVersion, Compression, Config};
use state::{Alerts, Moment, Timing};
use texts::Texts;
use trouble::Troubles;

/// Makes Alertmanager exporters.
pub struct Factory;

/// What survives a reload: the alerts, who has heard of them, and who is in trouble.
#[derive(Debug, Default)]
pub struct State {
    alerts: Mutex<Alerts>,
    /// Makes the keys of series.
    keys: RandomState,
    troubles: Troubles,
    /// Counts changes, so that the run loops see that there is something new.
    changes: watch::Sender<u64>,
    /// Instances that were built over this state.
    instances: AtomicU64,
}

/// An Alertmanager exporter. Cloning gives another handle to the same one.
#[derive(Debug, Clone)]
pub struct Alertmanager(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    texts: Texts,
    timing: Timing,
    state: Arc<State>,
    endpoints: Vec<Endpoint>,
    component: String,
    signal: Signal,
    context: BuildContext,
    firing: Gauge,
    resolved: Gauge,
    /// Its number among the instances of its state.
    instance: u64,
}

/// One Alertmanager.
#[derive(Debug)]
struct Endpoint {
    address: String,
    client: Client,
}

impl ExporterFactory for Factory {
    type Config = Config;
    type State = State;
    type Exporter = Alertmanager;

    const METADATA: Metadata = Metadata {
        component_type: "alertmanager",
        summary: "posts alerts to Prometheus' Alertmanager, refreshes and resolves them",
        signals: &[Signal::Metrics, Signal::Logs],
        stability: Stability::Alpha,
    };

    /// One consumer, whatever is asked for: an alert's end must not overtake its beginning, and nothing here waits for a server.
    fn settings(config: &Config) -> ExporterSettings {
        ExporterSettings {
            queue: QueueSettings { num_consumers: 1, ..config.sending_queue.clone() },
            retry: config.retry_on_failure.clone(),
            timeout: config.timeout.get(),
        }
    }

    fn build(config: Config, state: Arc<State>, context: &BuildContext) -> Result<Alertmanager, BuildError> {
        let settings = config.client();
        let mut endpoints = Vec::new();
        for address in config.addresses() {
            let client = Client::new(&address, &settings).map_err(|error| BuildError::Unavailable(error.to_string()))?;
            endpoints.push(Endpoint { address, client });
        }
        let signal = context.signals.first().copied().unwrap_or(Signal::Metrics);
        let gauge = |which: &str| {
            let labels =
                vec![("exporter", context.id.to_string()), ("signal", signal.as_str().to_owned()), ("state", which.to_owned())];
            context.telemetry.gauge("deferd_alertmanager_alerts", "Alerts that fire, or whose end is still to be told", labels)
        };
        let timing = Timing {
            refresh: config.refresh_interval.get(),
            stale: config.stale_after.get(),
            patience: config.retry_on_failure.max_elapsed_time.get(),
        };
        Ok(Alertmanager(Arc::new(Shared {
            texts: Texts::new(&config),
            timing,
            instance: state.instances.fetch_add(1, Ordering::Relaxed) + 1,
            state,
            endpoints,
            component: context.path(),
            signal,
            firing: gauge("firing"),
            resolved: gauge("resolved"),
            context: context.clone(),
            config,
        })))
    }
}

impl Shared {
    /// Whether no later instance has been built, which goes on where this one ends.
    fn is_last(&self) -> bool {
        self.state.instances.load(Ordering::Relaxed) == self.instance
    }
}

impl Exporter for Alertmanager {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let (exporter, chunks) = (self.clone(), batch.chunks().to_vec());
        // A thousand alerts are ten thousand templates, which take longer than an async thread should be kept.
        let taken = tokio::task::spawn_blocking(move || exporter.0.take(&chunks, Moment::now())).await;
        taken.unwrap_or_else(|failed| Err(ExportError::permanent(failed.to_string())))
    }

    async fn run(&self, stop: Stop) {
        run::serve(&self.0, stop).await;
    }
}

impl Moment {
    fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: Instant::now(), wall: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX) }
    }
}

impl Shared {
    /// Takes all of a batch under one lock, so that what belongs together is posted together.
    fn take(&self, chunks: &[Bytes], now: Moment) -> Result<(), ExportError> {
        let mut observations = Vec::new();
        let observer = Observer { config: &self.config, texts: &self.texts, keys: &self.state.keys };
        for chunk in chunks {
            let tell = |observation| observations.push(observation);
            let malformed = |malformed: deferd_pdata::wire::Malformed| ExportError::permanent(malformed.to_string());
            if self.signal == Signal::Logs {
                validate::logs(chunk, Utf8::Ignore).map_err(malformed)?;
                observer.logs(chunk, tell);
            } else {
                validate::metrics(chunk, Utf8::Ignore).map_err(malformed)?;
                observer.metrics(chunk, tell);
            }
        }
        if observations.is_empty() {
            return Ok(());
        }
        let dropped = {
            let mut alerts = self.state.alerts.lock();
            let taken = observations.into_iter().map(|observation| alerts.take(observation, self.config.max_alerts, now));
            taken.filter(|taken| !taken).count()
        };
        self.account("alert_limit", dropped, "more alerts than `max_alerts` at a time; the others are dropped");
        self.show();
        self.state.changes.send_modify(|changes| *changes += 1);
        Ok(())
    }

    /// Counts what was dropped under the name that all drops of the service have, and explains each reason once.
    fn account(&self, reason: &'static str, count: usize, explanation: &str) {
        if count == 0 {
            return;
        }
        let labels = vec![
            ("component", self.component.clone()),
            ("signal", self.signal.as_str().to_owned()),
            ("reason", reason.to_owned()),
        ];
        let help = "Items that ended without being delivered, by reason";
        let dropped = self.telemetry().counter("deferd_dropped_items", help, labels);
        if dropped.get() == 0 {
            tracing::warn!(component = self.component, reason, "{explanation}");
        }
        dropped.add(count);
    }

    fn show(&self) {
        let (firing, resolved) = self.state.alerts.lock().counts();
        self.firing.set(f64::from(u32::try_from(firing).unwrap_or(u32::MAX)));
        self.resolved.set(f64::from(u32::try_from(resolved).unwrap_or(u32::MAX)));
    }

    fn telemetry(&self) -> &Telemetry {
        &self.context.telemetry
    }
}
