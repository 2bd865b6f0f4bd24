//! A service in operation: started, reloaded any number of times, stopped.

use std::sync::Arc;

use deferd_component::telemetry::{Counter, Gauge, Health, Telemetry};
use deferd_component::{Registry, SocketError, Sockets};
use deferd_config::{Source, service};
use deferd_engine::{Engine, ReloadError, StopReport};

use super::config::Loaded;
use super::log::Log;
use super::own_metrics::OwnMetrics;

/// The service itself in `deferd_health`.
const SERVICE: &str = "deferd";
/// Why the service is degraded after a reload that was refused.
const CONFIG_REJECTED: &str = "config_rejected";

/// Looks an environment variable up.
pub(crate) type Environment = fn(&str) -> Option<String>;

/// A running service.
pub(crate) struct Service<'a> {
    registry: &'a Registry,
    sources: Vec<Source>,
    environment: Environment,
    log: Log,
    health: Arc<Health>,
    engine: Engine,
    own_metrics: OwnMetrics,
    reloads: Reloads,
}

/// Why a valid configuration could not be put in place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The address for the service's own metrics is not to be had.
    #[error("service::telemetry::metrics: {0}; another address: --set service.telemetry.metrics.address=localhost:0")]
    OwnMetrics(#[from] SocketError),
    /// A component could not be built.
    #[error("failed to build pipelines: {0}")]
    Engine(#[from] ReloadError),
}

/// What is counted about reloads.
struct Reloads {
    applied: Counter,
    rejected: Counter,
    successful: Gauge,
}

impl<'a> Service<'a> {
    /// Starts with a configuration that was read from `sources`. Needs a Tokio runtime.
    pub(crate) fn start(
        registry: &'a Registry,
        sources: Vec<Source>,
        environment: Environment,
        loaded: Loaded,
        log: Log,
    ) -> Result<Self, StartError> {
        let (telemetry, health) = (Arc::new(Telemetry::default()), Arc::new(Health::default()));
        let sockets = Arc::new(Sockets::default());
        let mut own_metrics = OwnMetrics::new(Arc::clone(&telemetry), Arc::clone(&health), Arc::clone(&sockets));
        let staged = own_metrics.stage(&loaded.service.telemetry)?;
        let reloads = Reloads::new(&telemetry);
        tell_oddities(&loaded);
        let engine = Engine::start(loaded.spec, telemetry, Arc::clone(&health), sockets)?;
        own_metrics.commit(staged);
        Ok(Self { registry, sources, environment, log, health, engine, own_metrics, reloads })
    }

    /// Reads the configuration again and puts it in place. If anything is wrong with it, all of that is logged and nothing else
    /// changes. Returns whether it was put in place.
    pub(crate) fn reload(&mut self) -> bool {
        let problems = match self.apply() {
            Ok(()) => {
                self.reloads.applied.add(1);
                self.reloads.successful.set(1.0);
                self.health.recover(SERVICE, CONFIG_REJECTED);
                return true;
            }
            Err(problems) => problems,
        };
        for problem in &problems {
            tracing::error!("{problem}");
        }
        tracing::error!(problems = problems.len(), "Configuration rejected: the one before stays in place");
        self.reloads.rejected.add(1);
        self.reloads.successful.set(0.0);
        self.health.degrade(SERVICE, CONFIG_REJECTED, "the last reload was rejected; the log says why");
        false
    }

    fn apply(&mut self) -> Result<(), Vec<String>> {
        let loaded = Loaded::read(self.registry, &self.sources, &self.environment)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let one = |error: StartError| error.to_string().lines().map(str::to_owned).collect::<Vec<_>>();
        let staged = self.own_metrics.stage(&loaded.service.telemetry).map_err(|error| one(error.into()))?;
        tell_oddities(&loaded);
        let report = self.engine.reload(loaded.spec).map_err(|error| one(error.into()))?;
        self.own_metrics.commit(staged);
        self.log.apply(&loaded.service.telemetry.logs);
        tracing::info!("Configuration applied");
        for line in report.plan.to_string().lines() {
            tracing::info!("{line}");
        }
        Ok(())
    }

    /// Says that the service is ready.
    pub(crate) fn announce(&self) {
        let pipelines = self.engine.spec().pipelines.len();
        tracing::info!(pipelines, "Everything is ready. Begin running and processing data.");
    }

    /// Where the service itself can be scraped.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = std::net::SocketAddr> {
        self.own_metrics.addresses()
    }

    /// Its own metrics as they are served.
    #[cfg(test)]
    pub(crate) fn page(&self) -> String {
        self.own_metrics.page()
    }

    /// Delivers what was accepted, until the drain deadline. The service's own metrics are served to the end.
    pub(crate) async fn stop(self) -> StopReport {
        let report = self.engine.stop().await;
        drop(self.own_metrics);
        report
    }
}

/// Logs what is odd about a configuration.
fn tell_oddities(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    without_effect(&loaded.service.telemetry);
}

fn without_effect(telemetry: &service::Telemetry) {
    for key in telemetry.without_effect() {
        tracing::warn!("service::telemetry::{key} has no effect yet");
    }
}

impl Reloads {
    fn new(telemetry: &Telemetry) -> Self {
        let count = |result: &str| {
            telemetry.counter("deferd_config_reloads", "Reloads of the configuration", vec![("result", result.to_owned())])
        };
        let successful =
            telemetry.gauge("deferd_config_last_reload_successful", "1 unless the last reload was rejected", Vec::new());
        successful.set(1.0);
        Self { applied: count("applied"), rejected: count("rejected"), successful }
    }
}
