//! A running engine with one door for data, a nop exporter, and OTLP exporters as a test configures them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{
    Batch, BuildContext, BuildError, Ingress, Metadata, Receiver, ReceiverFactory, Refusal, RefusalKind, Registry, Signal,
    Stability, Stop, Validate,
};
use deferd_config::{Document, Source};
use deferd_engine::{Engine, Spec, StopReport};
use deferd_pdata::build::{MetricsBuilder, NumberPoint};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;

/// The open doors, by the id of their receiver: each test has one of its own.
static DOORS: LazyLock<Mutex<BTreeMap<String, Ingress>>> = LazyLock::new(Mutex::default);

/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Validate for Nothing {}

/// Gives its way in to the test.
struct Door(String);

impl ReceiverFactory for Door {
    type Config = Nothing;
    type State = ();
    type Receiver = Self;
    const METADATA: Metadata =
        Metadata { component_type: "door", summary: "for tests", signals: &[Signal::Metrics], stability: Stability::Development };

    fn build(_: Nothing, _: Arc<()>, context: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self(context.id.to_string()))
    }
}

impl Receiver for Door {
    async fn run(self, ingress: Ingress, stop: Stop) {
        DOORS.lock().insert(self.0, ingress);
        stop.wait().await;
    }
}

/// The service under test.
pub(crate) struct Service {
    name: &'static str,
    engine: Engine,
    telemetry: Arc<Telemetry>,
    health: Arc<Health>,
    /// The time of the next point.
    next: u64,
}

/// Reads a configuration: exporters in YAML's flow style by their ids, all of them in one pipeline.
fn spec(name: &str, exporters: &[(&str, &str)]) -> Spec {
    let mut registry = Registry::default();
    registry.receiver::<Door>();
    deferd_exporters::register(&mut registry);
    let bodies: Vec<String> = exporters.iter().map(|(id, body)| format!("{id}: {body}")).collect();
    let ids: Vec<&str> = exporters.iter().map(|(id, _)| *id).collect();
    let text = format!(
        "receivers: {{door/{name}: }}\nexporters: {{{}}}\nservice: {{pipelines: {{metrics: {{receivers: [door/{name}], exporters: [{}]}}}}}}",
        bodies.join(", "),
        ids.join(", ")
    );
    let examined = Document::examine(&[Source::Yaml(text.clone())], &|_| None);
    assert!(examined.problems.is_empty(), "{text}: {:?}", examined.problems);
    Spec::read(&registry, &examined.document).unwrap()
}

impl Service {
    /// `name` is the test's own.
    pub(crate) async fn start(name: &'static str, exporters: &[(&str, &str)]) -> Self {
        let (telemetry, health) = (Arc::new(Telemetry::default()), Arc::new(Health::default()));
        let engine = Engine::start(spec(name, exporters), Arc::clone(&telemetry), Arc::clone(&health), Arc::default()).unwrap();
        let service = Self { name, engine, telemetry, health, next: 1 };
        until("the door is open", || DOORS.lock().contains_key(&service.door())).await;
        service
    }

    fn door(&self) -> String {
        format!("door/{}", self.name)
    }

    pub(crate) fn reload(&mut self, exporters: &[(&str, &str)]) {
        self.engine.reload(spec(self.name, exporters)).unwrap();
    }

    /// Sends a batch of points that no other has.
    pub(crate) async fn send(&mut self, points: u64) -> Result<(), RefusalKind> {
        let times = self.next..self.next + points;
        self.next = times.end;
        let mut builder = MetricsBuilder::default();
        builder.resource(&[("service.name", self.name.into())], |resource| {
            resource.scope("test", "1", |scope| {
                scope.gauge("sent", "", "1", |gauge| {
                    for time in times {
                        gauge.add(&NumberPoint::new(&[("site", "a".into())], time, 1_i64));
                    }
                });
            });
        });
        self.send_request(builder.finish(), usize::try_from(points).unwrap()).await
    }

    /// Sends a request of so many points.
    pub(crate) async fn send_request(&self, request: Bytes, points: usize) -> Result<(), RefusalKind> {
        let ingress = DOORS.lock().get(&self.door()).cloned().unwrap();
        let batch = Batch::new(Signal::Metrics, request, points);
        ingress.send(batch).await.map_err(|Refusal { kind, .. }| kind)
    }

    /// Points that the exporter has delivered, by its own count.
    pub(crate) fn sent(&self, exporter: &str) -> u64 {
        self.telemetry.total("otelcol_exporter_sent_metric_points", ("exporter", exporter))
    }

    pub(crate) fn dropped(&self, reason: &str) -> u64 {
        self.telemetry.total("deferd_dropped_items", ("reason", reason))
    }

    pub(crate) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// What the component says is wrong, by reason.
    pub(crate) fn complaints(&self, component: &str) -> BTreeMap<String, String> {
        let degraded = self.health.degraded().into_iter().filter(|(of, _)| of == component);
        degraded.map(|(_, degraded)| (degraded.reason, degraded.message)).collect()
    }

    pub(crate) async fn stop(self) -> StopReport {
        self.engine.stop().await
    }
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
