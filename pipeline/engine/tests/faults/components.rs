//! Fake components that fail in one chosen way each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Farewell, Held, Ingress, Metadata,
    Out, Processor, ProcessorFactory, QueueSettings, Receiver, ReceiverFactory, Refusal, RefusalKind, Refused, RetrySettings,
    Signal, Stability, Stop, Validate,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::watch;

const fn metadata(component_type: &'static str) -> Metadata {
    Metadata { component_type, summary: "fake", signals: &[Signal::Logs, Signal::Metrics], stability: Stability::Development }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// A processor keeps what it is given and emits it on ticks.
    Holds,
    /// The same, but it panics after it has emitted.
    HoldsAndPanics,
    /// A processor will never take a batch of 13 items.
    RefusesForGood,
    /// A processor refuses the first batch it is given.
    RefusesOnce,
    /// A processor panics while it is built.
    BuildPanics,
    /// An exporter never answers.
    Hangs,
    /// An exporter panics before it has made a future.
    PanicsAtOnce,
    /// An exporter's background work panics.
    WorkPanics,
    /// An exporter fails this often before it delivers.
    FailsFirst(usize),
}

/// The configuration of every fake.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(crate) struct Config {
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) fault: Fault,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) queue: QueueSettings,
    /// Where a receiver puts its way in.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) ingress: Option<watch::Sender<Option<Ingress>>>,
    /// Items that exporters delivered.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) delivered: Arc<AtomicUsize>,
}

impl Validate for Config {}

/// Gives its way in to the test.
pub(crate) struct Door(Config);

impl ReceiverFactory for Door {
    type Config = Config;
    type State = ();
    type Receiver = Self;
    const METADATA: Metadata = metadata("door");

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(config))
    }
}

impl Receiver for Door {
    async fn run(self, ingress: Ingress, stop: Stop) {
        if let Some(door) = &self.0.ingress {
            door.send_replace(Some(ingress));
        }
        stop.wait().await;
    }
}

#[derive(Default)]
pub(crate) struct State {
    held: Held,
    seen: AtomicUsize,
    panics: std::sync::atomic::AtomicBool,
}

pub(crate) struct Stage(Fault, Arc<State>);

impl ProcessorFactory for Stage {
    type Config = Config;
    type State = State;
    type Processor = Self;
    const METADATA: Metadata = metadata("stage");

    fn build(config: Config, state: Arc<State>, _: &BuildContext) -> Result<Self, BuildError> {
        assert_ne!(config.fault, Fault::BuildPanics, "as configured");
        state.panics.store(config.fault == Fault::HoldsAndPanics, Ordering::Relaxed);
        Ok(Self(config.fault, state))
    }

    fn drain(state: &State, _: Farewell, out: &mut Out) {
        let mut emitted = 0;
        for batch in state.held.take_all() {
            emitted += batch.items();
            out.emit(batch);
        }
        assert!(emitted == 0 || !state.panics.load(Ordering::Relaxed), "as configured");
    }
}

impl Processor for Stage {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        let refuse = |kind| move |batch: Batch| batch.refuse(Refusal::new(kind));
        let seen = self.1.seen.fetch_add(1, Ordering::Relaxed);
        match self.0 {
            Fault::Holds | Fault::HoldsAndPanics => {
                return self.1.held.push(batch, 50, 1 << 20).map_err(|batch| refuse(RefusalKind::Overloaded)(*batch));
            }
            Fault::RefusesForGood if batch.items() == 13 => return Err(refuse(RefusalKind::Invalid)(batch)),
            Fault::RefusesOnce if seen == 0 => return Err(refuse(RefusalKind::Overloaded)(batch)),
            _ => out.emit(batch),
        }
        Ok(())
    }

    fn tick_interval(&self) -> Option<Duration> {
        matches!(self.0, Fault::Holds | Fault::HoldsAndPanics).then_some(Duration::from_millis(20))
    }

    fn tick(&self, _: Instant, out: &mut Out) {
        Self::drain(&self.1, Farewell::Removed, out);
    }
}

pub(crate) struct Sink(Config, AtomicUsize);

impl ExporterFactory for Sink {
    type Config = Config;
    type State = ();
    type Exporter = Self;
    const METADATA: Metadata = metadata("sink");

    fn settings(config: &Config) -> ExporterSettings {
        let retry = RetrySettings { enabled: matches!(config.fault, Fault::FailsFirst(_)), ..RetrySettings::default() };
        ExporterSettings { queue: config.queue.clone(), retry, timeout: Duration::from_hours(1) }
    }

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(config, AtomicUsize::new(0)))
    }
}

impl Exporter for Sink {
    fn export(&self, batch: &Batch) -> impl Future<Output = Result<(), ExportError>> + Send {
        assert_ne!(self.0.fault, Fault::PanicsAtOnce, "as configured");
        async move {
            match self.0.fault {
                Fault::Hangs => std::future::pending().await,
                Fault::FailsFirst(often) if self.1.fetch_add(1, Ordering::Relaxed) < often => {
                    Err(ExportError::retryable("as configured"))
                }
                _ => {
                    self.0.delivered.fetch_add(batch.items(), Ordering::Relaxed);
                    Ok(())
                }
            }
        }
    }

    async fn run(&self, stop: Stop) {
        assert_ne!(self.0.fault, Fault::WorkPanics, "as configured");
        stop.wait().await;
    }
}
