//! A service in operation: started, reloaded any number of times, stopped.

use std::collections::BTreeMap;
use std::sync::Arc;

use deferd_component::telemetry::{Counter, Gauge, Health, Telemetry};
use deferd_component::{Problem, Registry, SocketError, Sockets};
use deferd_config::service::Service as ServiceSection;
use deferd_config::{Document, FileState, Source, service};
use deferd_engine::{Engine, ReloadError, StopReport};
use tokio::sync::mpsc;

use super::admin::{Admin, AdminError, Doors};
use super::config::{Loaded, Reading};
use super::log::Log;
use super::own_metrics::OwnMetrics;
use super::report::{Changes, Outcome, Report, Told};
use super::request::{Request, Trigger};
use super::status::Status;
use super::watch::Watcher;

/// The service itself in `deferd_health`.
const SERVICE: &str = "deferd";
/// Why the service is degraded after a reload that was refused.
const CONFIG_REJECTED: &str = "config_rejected";
/// Where a text stands that came with a request.
const TEXT: &str = "request";

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
    admin: Admin,
    reloads: Reloads,
    status: Arc<Status>,
    /// The service's own section of the configuration in force.
    section: ServiceSection,
    /// What the configuration in force was read from.
    files: Vec<FileState>,
    watcher: Option<Watcher>,
    requests: mpsc::Sender<Request>,
}

/// Why a valid configuration could not be put in place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The address for the service's own metrics is not to be had.
    #[error("service::telemetry::metrics: {0}; another address: --set service.telemetry.metrics.address=localhost:0")]
    OwnMetrics(#[from] SocketError),
    /// The admin address is not to be had, or its token is not.
    #[error("service::admin: {0}")]
    Admin(#[from] AdminError),
    /// A component could not be built.
    #[error("failed to build pipelines: {0}")]
    Engine(#[from] ReloadError),
}

impl StartError {
    /// The same as problems, each at the key that asks for what cannot be had.
    fn problems(&self, loaded: &Loaded) -> Vec<Problem> {
        match self {
            Self::OwnMetrics(error) => vec![loaded.problem("service::telemetry::metrics", error.to_string())],
            Self::Admin(error) => vec![loaded.problem("service::admin", error.to_string())],
            Self::Engine(ReloadError::Build { path, source }) => {
                vec![loaded.problem(path, format!("failed to build pipelines: {source}"))]
            }
            Self::Engine(ReloadError::Spec(errors)) => {
                errors.iter().map(|error| loaded.problem(&error.path, error.to_string())).collect()
            }
        }
    }
}

impl<'a> Service<'a> {
    /// Starts with a configuration that was read from `sources`, for a caller that answers no requests. Needs a Tokio runtime.
    pub(crate) fn start(
        registry: &'a Registry,
        sources: Vec<Source>,
        environment: Environment,
        loaded: Loaded,
        log: Log,
    ) -> Result<Self, StartError> {
        // Whoever asks is told that nobody answers.
        let (requests, _) = mpsc::channel(1);
        Self::start_for(registry, sources, environment, loaded, log, requests)
    }

    /// Starts, and sends to `requests` what a watched file or a client of the admin address asks for.
    pub(crate) fn start_for(
        registry: &'a Registry,
        sources: Vec<Source>,
        environment: Environment,
        loaded: Loaded,
        log: Log,
        requests: mpsc::Sender<Request>,
    ) -> Result<Self, StartError> {
        let (telemetry, health) = (Arc::new(Telemetry::default()), Arc::new(Health::default()));
        let sockets = Arc::new(Sockets::default());
        let mut own_metrics = OwnMetrics::new(Arc::clone(&telemetry), Arc::clone(&health), Arc::clone(&sockets));
        let staged = own_metrics.stage(&loaded.service.telemetry)?;
        let reloads = Reloads::new(&telemetry);
        let status = Arc::new(Status::new(registry, &loaded.document, &reloads.applied_at));
        let doors = Doors { requests: requests.clone(), status: Arc::clone(&status), health: Arc::clone(&health) };
        let mut admin = Admin::new(doors, Arc::clone(&telemetry), Arc::clone(&sockets));
        let staged_admin = admin.stage(loaded.service.admin.as_ref())?;
        tell_oddities(&loaded);
        let Loaded { spec, service: section, document, .. } = loaded;
        let engine = Engine::start(spec, telemetry, Arc::clone(&health), sockets)?;
        own_metrics.commit(staged);
        admin.commit(staged_admin);
        let files = document.files().to_vec();
        let mut service = Self {
            registry,
            sources,
            environment,
            log,
            health,
            engine,
            own_metrics,
            admin,
            reloads,
            status,
            section,
            files: files.clone(),
            watcher: None,
            requests,
        };
        let token_file = service.admin.token_file();
        service.watch(files.into_iter().chain(token_file).collect());
        Ok(service)
    }

    /// Reads the configuration again and puts it in place. If anything is wrong with it, all of that is logged and nothing else
    /// changes.
    pub(crate) fn reload(&mut self, trigger: Trigger) -> Report {
        let Reading { files, token_file, result } =
            Reading::of(self.registry, Document::examine(&self.sources, &self.environment));
        let report = match result.and_then(|loaded| self.apply(loaded, trigger)) {
            Ok(report) => report,
            Err(problems) => Report::rejected(&problems),
        };
        if report.result == Outcome::Applied {
            self.files.clone_from(&files);
            self.health.recover(SERVICE, CONFIG_REJECTED);
        } else {
            self.health.degrade(SERVICE, CONFIG_REJECTED, "the last reload was rejected; the log says why");
        }
        // Those of a refused configuration too: what is mended there is read again.
        self.watch(files.into_iter().chain(token_file).collect());
        self.reloads.count(trigger, report.result);
        self.status.reloaded(trigger, &report);
        // Last: who reads this line finds everything else in agreement with it.
        tell(&report, trigger);
        report
    }

    fn apply(&mut self, loaded: Loaded, trigger: Trigger) -> Result<Report, Vec<Problem>> {
        let staged =
            self.own_metrics.stage(&loaded.service.telemetry).map_err(|error| StartError::from(error).problems(&loaded))?;
        let admin = self.admin.stage(loaded.service.admin.as_ref()).map_err(|error| StartError::from(error).problems(&loaded))?;
        let plan = Changes::between((self.engine.spec(), &self.section), (&loaded.spec, &loaded.service));
        tell_oddities(&loaded);
        self.engine.reload(loaded.spec.clone()).map_err(|error| StartError::from(error).problems(&loaded))?;
        self.own_metrics.commit(staged);
        self.admin.commit(admin);
        self.log.apply(&loaded.service.telemetry.logs);
        self.status.applied(self.registry, &loaded.document, trigger, &self.reloads.applied_at);
        self.section = loaded.service;
        let warnings = loaded.warnings.iter().map(|warning| Told::from(&warning.0)).collect();
        Ok(Report { result: Outcome::Applied, plan, problems: Vec::new(), warnings })
    }

    /// Says what a reload would do, and does nothing. `text` stands for the configuration, if it is given; it may refer to files that
    /// the configuration in force reads, and to no others.
    ///
    /// Nothing is acquired, so a port that another process has shows only in a reload.
    pub(crate) fn plan(&self, text: Option<&[u8]>) -> Report {
        let examined = match text {
            Some(text) => Document::examine_text(TEXT, text, &self.environment, &self.files),
            None => Document::examine(&self.sources, &self.environment),
        };
        match Reading::of(self.registry, examined).result {
            Err(problems) => Report::rejected(&problems),
            Ok(loaded) => {
                let plan = Changes::between((self.engine.spec(), &self.section), (&loaded.spec, &loaded.service));
                let warnings = loaded.warnings.iter().map(|warning| Told::from(&warning.0)).collect();
                Report { result: Outcome::WouldApply, plan, problems: Vec::new(), warnings }
            }
        }
    }

    fn watch(&mut self, files: Vec<FileState>) {
        let reload = &self.section.reload;
        let watch = || Watcher::start(files, reload.interval.get(), self.requests.clone());
        self.watcher = reload.watch_files.then(watch);
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
        drop((self.watcher, self.admin));
        let report = self.engine.stop().await;
        drop(self.own_metrics);
        report
    }
}

/// Logs what came of a reload.
fn tell(report: &Report, trigger: Trigger) {
    if report.result == Outcome::Applied {
        tracing::info!(%trigger, "Configuration applied");
        for line in report.plan.lines() {
            tracing::info!("{line}");
        }
        return;
    }
    for told in &report.problems {
        tracing::error!("{}", told.problem());
    }
    tracing::error!(problems = report.problems.len(), %trigger, "Configuration rejected: the one before stays in place");
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

/// What is counted about reloads.
struct Reloads {
    results: BTreeMap<(&'static str, &'static str), Counter>,
    successful: Gauge,
    applied_at: Gauge,
}

const APPLIED: &str = "applied";
const REJECTED: &str = "rejected";

impl Reloads {
    fn new(telemetry: &Telemetry) -> Self {
        let counter = |result: &'static str, trigger: Trigger| {
            let labels = vec![("result", result.to_owned()), ("trigger", trigger.name().to_owned())];
            let counter = telemetry.counter("deferd_config_reloads", "Reloads of the configuration", labels);
            ((result, trigger.name()), counter)
        };
        let results = Trigger::RELOADS.into_iter().flat_map(|trigger| [APPLIED, REJECTED].map(|result| counter(result, trigger)));
        let gauge = |name, help| telemetry.gauge(name, help, Vec::new());
        let reloads = Self {
            results: results.collect(),
            successful: gauge("deferd_config_last_reload_successful", "1 unless the last reload was rejected"),
            applied_at: gauge(
                "deferd_config_last_reload_timestamp_seconds",
                "When the configuration in force was put in place, at the start or by a reload, in seconds since 1970",
            ),
        };
        reloads.successful.set(1.0);
        reloads
    }

    fn count(&self, trigger: Trigger, outcome: Outcome) {
        let applied = outcome == Outcome::Applied;
        let result = if applied { APPLIED } else { REJECTED };
        if let Some(counter) = self.results.get(&(result, trigger.name())) {
            counter.add(1);
        }
        self.successful.set(f64::from(u8::from(applied)));
    }
}
