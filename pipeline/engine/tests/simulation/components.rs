//! Fake components that do what real ones do to data, and write down what they did.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Farewell, Held, Ingress, Metadata,
    Out, Processor, ProcessorFactory, QueueSettings, Receiver, ReceiverFactory, Refusal, RefusalKind, Refused, RetrySettings,
    Signal, Stability, Stop, Validate,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::world::World;

const fn metadata(component_type: &'static str) -> Metadata {
    Metadata { component_type, summary: "fake", signals: &[Signal::Logs], stability: Stability::Development }
}

/// The configuration of every fake: the ledger, and a number whose change makes a reload rebuild the component.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(crate) struct Config {
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) world: Option<Arc<World>>,
    pub(crate) seed: u64,
    pub(crate) version: u64,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) queue: QueueSettings,
    /// Under which name a healthy exporter writes down what it delivers.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) ledger: &'static str,
}

impl Validate for Config {}

impl Config {
    fn world(&self) -> Arc<World> {
        Arc::clone(self.world.as_ref().unwrap())
    }
}

/// Sends batches of new items at random short intervals.
pub(crate) struct FakeReceiver(Config);

impl ReceiverFactory for FakeReceiver {
    type Config = Config;
    type State = ();
    type Receiver = Self;
    const METADATA: Metadata = metadata("fake");

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(config))
    }
}

impl Receiver for FakeReceiver {
    async fn run(self, ingress: Ingress, stop: Stop) {
        let mut random = fastrand::Rng::with_seed(self.0.seed.wrapping_mul(31).wrapping_add(self.0.version));
        while !stop.is_set() {
            let (send, batch) = self.0.world().batch(random.u64(1..20));
            let answer = ingress.send(batch).await.map_err(|refusal| refusal.kind);
            self.0.world().answer(send, answer);
            tokio::time::sleep(Duration::from_micros(random.u64(100..5000))).await;
        }
    }
}

/// Holds up to 200 items, refuses more, and emits all it holds in one batch every 20 ms.
pub(crate) struct Holder(Arc<Held>);

impl ProcessorFactory for Holder {
    type Config = Config;
    type State = Held;
    type Processor = Self;
    const METADATA: Metadata = metadata("holder");

    fn build(_: Config, state: Arc<Held>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(state))
    }

    fn drain(state: &Held, _: Farewell, out: &mut Out) {
        for batch in state.take_all() {
            out.emit(batch);
        }
    }
}

impl Processor for Holder {
    fn process(&self, batch: Batch, _: &mut Out) -> Result<(), Box<Refused>> {
        self.0.push(batch, 200, 1 << 20).map_err(|batch| batch.refuse(Refusal::new(RefusalKind::Overloaded)))
    }

    fn tick_interval(&self) -> Option<Duration> {
        Some(Duration::from_millis(20))
    }

    fn tick(&self, _: Instant, out: &mut Out) {
        let mut held = self.0.take_all().into_iter();
        let Some(mut whole) = held.next() else { return };
        held.for_each(|batch| whole.merge(batch).unwrap());
        out.emit(whole);
    }
}

/// Refuses every third batch, whether its sender can still be told or not.
pub(crate) struct Grumpy(Arc<AtomicU64>);

impl ProcessorFactory for Grumpy {
    type Config = Config;
    type State = AtomicU64;
    type Processor = Self;
    const METADATA: Metadata = metadata("grumpy");

    fn build(_: Config, state: Arc<AtomicU64>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(state))
    }
}

impl Processor for Grumpy {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        if self.0.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            return Err(batch.refuse(Refusal::new(RefusalKind::Overloaded)));
        }
        out.emit(batch);
        Ok(())
    }
}

fn settings(config: &Config) -> ExporterSettings {
    let retry = RetrySettings { enabled: false, ..RetrySettings::default() };
    ExporterSettings { queue: config.queue.clone(), retry, timeout: Duration::from_millis(300) }
}

/// Delivers at once.
pub(crate) struct Healthy(Config);

impl ExporterFactory for Healthy {
    type Config = Config;
    type State = ();
    type Exporter = Self;
    const METADATA: Metadata = metadata("healthy");

    fn settings(config: &Config) -> ExporterSettings {
        settings(config)
    }

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(config))
    }
}

impl Exporter for Healthy {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        self.0.world().deliver(self.0.ledger, batch);
        Ok(())
    }
}

/// Hangs, for longer than an attempt may take four times out of five.
pub(crate) struct Hung(Config, Arc<std::sync::Mutex<fastrand::Rng>>);

impl ExporterFactory for Hung {
    type Config = Config;
    type State = std::sync::Mutex<fastrand::Rng>;
    type Exporter = Self;
    const METADATA: Metadata = metadata("hung");

    fn settings(config: &Config) -> ExporterSettings {
        settings(config)
    }

    fn build(config: Config, state: Arc<Self::State>, _: &BuildContext) -> Result<Self, BuildError> {
        state.lock().unwrap().seed(config.seed);
        Ok(Self(config, state))
    }
}

impl Exporter for Hung {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let wait = if self.1.lock().unwrap().u8(0..5) == 0 { 50 } else { 10_000 };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        self.0.world().deliver("hung", batch);
        Ok(())
    }
}
