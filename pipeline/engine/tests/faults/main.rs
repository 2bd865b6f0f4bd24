//! One component fails in one way, and what must hold nevertheless.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test says what is wrong by panicking")]

mod components;
#[path = "../support/forward.rs"]
mod forward;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use components::{Config, Door, Fault, Sink, Stage};
use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{AnyConfig, Batch, Ingress, QueueSettings, Refusal, RefusalKind, Registry, Signal};
use deferd_config::{Data, Node, Origin};
use deferd_engine::{Engine, Part, PipelineParts, ReloadError, ReloadReport, Spec, StopReport};
use forward::Forward;
use tokio::sync::watch;

/// A service under test. Time is simulated.
struct Service {
    engine: Engine,
    telemetry: Arc<Telemetry>,
    health: Arc<Health>,
    door: watch::Receiver<Option<Ingress>>,
    delivered: Arc<AtomicUsize>,
}

type Ids<'a> = &'a [&'a str];

/// What a configuration consists of: stages and sinks by name, pipelines as (name, receivers, processors, exporters).
#[derive(Default)]
struct Layout<'a> {
    stages: &'a [(&'a str, Fault)],
    sinks: &'a [(&'a str, Fault, QueueSettings)],
    pipelines: &'a [(&'a str, Ids<'a>, Ids<'a>, Ids<'a>)],
    drain: Duration,
}

impl Layout<'_> {
    fn spec(&self, common: &Config) -> Spec {
        let mut registry = Registry::default();
        registry.receiver::<Door>().processor::<Stage>().connector::<Forward<Config>>().exporter::<Sink>();
        let mut spec = Spec { drain_timeout: self.drain, ..Spec::default() };
        let door = part(registry.find_receiver("door").unwrap().clone(), common.clone());
        spec.receivers.insert("door".parse().unwrap(), door);
        let forward = part(registry.find_connector("forward").unwrap().clone(), common.clone());
        spec.connectors.insert("forward".parse().unwrap(), forward);
        for (id, fault) in self.stages {
            let entry = registry.find_processor("stage").unwrap().clone();
            spec.processors.insert(id.parse().unwrap(), part(entry, Config { fault: *fault, ..common.clone() }));
        }
        for (id, fault, queue) in self.sinks {
            let entry = registry.find_exporter("sink").unwrap().clone();
            let config = Config { fault: *fault, queue: queue.clone(), ..common.clone() };
            spec.exporters.insert(id.parse().unwrap(), part(entry, config));
        }
        let ids = |names: Ids<'_>| names.iter().map(|name| name.parse().unwrap()).collect();
        for (id, receivers, processors, exporters) in self.pipelines {
            let parts = PipelineParts { receivers: ids(receivers), processors: ids(processors), exporters: ids(exporters) };
            spec.pipelines.insert(id.parse().unwrap(), parts);
        }
        spec
    }
}

fn part<E>(entry: E, config: Config) -> Part<E> {
    let text = format!("{:?} {:?}", config.fault, config.queue);
    let raw = Node::new(Data::String(text.into()), Origin::whole("faults"));
    Part { entry, config: Arc::new(config) as AnyConfig, raw }
}

impl Service {
    async fn start(layout: &Layout<'_>) -> Self {
        let (opened, door) = watch::channel(None);
        let delivered = Arc::new(AtomicUsize::new(0));
        let common = Config { ingress: Some(opened), delivered: Arc::clone(&delivered), ..Config::default() };
        let (telemetry, health) = (Arc::new(Telemetry::default()), Arc::new(Health::default()));
        let engine = Engine::start(layout.spec(&common), Arc::clone(&telemetry), Arc::clone(&health), Arc::default()).unwrap();
        let mut service = Self { engine, telemetry, health, door, delivered };
        service.door.wait_for(Option::is_some).await.unwrap();
        service
    }

    fn reload(&mut self, layout: &Layout<'_>) {
        self.try_reload(layout).unwrap();
    }

    fn try_reload(&mut self, layout: &Layout<'_>) -> Result<ReloadReport, ReloadError> {
        let common = Config { delivered: Arc::clone(&self.delivered), ..Config::default() };
        self.engine.reload(layout.spec(&common))
    }

    async fn send(&self, items: usize) -> Result<(), RefusalKind> {
        self.send_as(Signal::Logs, items).await
    }

    async fn send_as(&self, signal: Signal, items: usize) -> Result<(), RefusalKind> {
        let ingress = self.door.borrow().clone().unwrap();
        let batch = Batch::new(signal, Bytes::from(vec![0; items]), items);
        ingress.send(batch).await.map_err(|Refusal { kind, .. }| kind)
    }

    fn delivered(&self) -> usize {
        self.delivered.load(Ordering::Relaxed)
    }

    fn dropped(&self, reason: &str) -> u64 {
        self.telemetry.total("deferd_dropped_items", ("reason", reason))
    }

    fn reasons(&self, component: &str) -> Vec<String> {
        let degraded = self.health.degraded().into_iter();
        degraded.filter(|(of, _)| of == component).map(|(_, degraded)| degraded.reason).collect()
    }

    async fn stop(self) -> (StopReport, usize) {
        let Self { engine, delivered, .. } = self;
        let report = engine.stop().await;
        (report, delivered.load(Ordering::Relaxed))
    }
}

const DRAIN: Duration = Duration::from_secs(20);
/// Enough for a tick and for what follows from it.
const A_WHILE: Duration = Duration::from_secs(1);

fn ordinary() -> QueueSettings {
    QueueSettings { num_consumers: 1, ..QueueSettings::default() }
}

#[tokio::test(start_paused = true)]
async fn accepted_data_that_a_stage_will_never_take_is_counted_and_blocks_nobody() {
    let service = Service::start(&Layout {
        stages: &[("stage/holds", Fault::Holds), ("stage/picky", Fault::RefusesForGood)],
        sinks: &[("sink", Fault::None, ordinary())],
        pipelines: &[("logs", &["door"], &["stage/holds", "stage/picky"], &["sink"])],
        drain: DRAIN,
    })
    .await;
    for _ in 0..100 {
        assert_eq!(service.send(13).await, Ok(()));
        assert_eq!(service.send(2).await, Ok(()));
        tokio::time::sleep(A_WHILE).await;
    }
    assert_eq!((service.delivered(), service.dropped("refused")), (200, 1300));
    assert_eq!(service.stop().await, (StopReport { undelivered: 0 }, 200));
}

#[tokio::test(start_paused = true)]
async fn what_one_pipeline_refuses_after_another_has_accepted_it_is_tried_again() {
    let service = Service::start(&Layout {
        stages: &[("stage/holds", Fault::Holds), ("stage/moody", Fault::RefusesOnce)],
        sinks: &[("sink", Fault::None, ordinary())],
        pipelines: &[("logs/a", &["door"], &["stage/holds"], &["sink"]), ("logs/b", &["door"], &["stage/moody"], &["sink"])],
        drain: DRAIN,
    })
    .await;
    assert_eq!(service.send(5).await, Ok(()));
    assert_eq!(service.stop().await, (StopReport { undelivered: 0 }, 10), "through both pipelines");
}

#[tokio::test(start_paused = true)]
async fn data_that_waits_behind_a_connector_holds_the_first_receiver_back() {
    let blocking = QueueSettings { queue_size: 1, block_on_overflow: true, ..ordinary() };
    let service = Service::start(&Layout {
        stages: &[("stage/holds", Fault::Holds)],
        sinks: &[("sink", Fault::Hangs, blocking)],
        pipelines: &[("logs/a", &["door"], &["stage/holds"], &["forward"]), ("logs/b", &["forward"], &[], &["sink"])],
        drain: DRAIN,
    })
    .await;
    let mut accepted = 0;
    for _ in 0..200 {
        accepted += usize::from(service.send(10).await.is_ok());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // One under way, one queued, one waiting, and what the stage holds.
    assert!(accepted <= 8, "{accepted} batches were accepted although nothing is delivered");
    let report = service.engine.stop().await;
    assert_eq!(report.undelivered, 10 * accepted as u64);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_stage_that_emits_what_it_held_loses_nothing_it_had_emitted() {
    let layout = Layout {
        stages: &[("stage/holds", Fault::HoldsAndPanics)],
        sinks: &[("sink", Fault::None, ordinary())],
        pipelines: &[("logs", &["door"], &["stage/holds"], &["sink"])],
        drain: DRAIN,
    };
    let mut service = Service::start(&layout).await;
    assert_eq!(service.send(3).await, Ok(()));
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(service.delivered(), 3, "in a tick");
    assert_eq!(service.send(4).await, Ok(()));
    service.reload(&Layout { pipelines: &[("logs", &["door"], &[], &["sink"])], ..layout });
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(service.delivered(), 7, "in a drain");
    service.reload(&layout);
    assert_eq!(service.send(5).await, Ok(()));
    assert_eq!(service.stop().await, (StopReport { undelivered: 0 }, 12), "while stopping");
}

#[tokio::test(start_paused = true)]
async fn what_a_removed_stage_holds_goes_on_even_without_time_to_drain() {
    let layout = Layout {
        stages: &[("stage/holds", Fault::Holds)],
        sinks: &[("sink", Fault::None, ordinary())],
        pipelines: &[("logs", &["door"], &["stage/holds"], &["sink"])],
        drain: Duration::ZERO,
    };
    let mut service = Service::start(&layout).await;
    assert_eq!(service.send(3).await, Ok(()));
    service.reload(&Layout { pipelines: &[("logs", &["door"], &[], &["sink"])], ..layout });
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(service.delivered(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_panics_before_its_first_await_loses_only_that_batch() {
    let layout = |fault| Layout {
        sinks: Box::leak(Box::new([("sink", fault, ordinary())])),
        pipelines: &[("logs", &["door"], &[], &["sink"])],
        drain: DRAIN,
        ..Layout::default()
    };
    let mut service = Service::start(&layout(Fault::PanicsAtOnce)).await;
    assert_eq!(service.send(3).await, Ok(()));
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(service.dropped("panicked"), 3);
    service.reload(&layout(Fault::None));
    assert_eq!(service.send(4).await, Ok(()));
    assert_eq!(service.stop().await, (StopReport { undelivered: 0 }, 4));
}

#[tokio::test(start_paused = true)]
async fn an_exporter_whose_background_work_panics_is_degraded_and_still_exports() {
    let service = Service::start(&Layout {
        sinks: &[("sink", Fault::WorkPanics, ordinary())],
        pipelines: &[("logs", &["door"], &[], &["sink"])],
        drain: DRAIN,
        ..Layout::default()
    })
    .await;
    assert_eq!(service.send(3).await, Ok(()));
    tokio::time::sleep(A_WHILE).await;
    assert_eq!((service.reasons("exporters::sink"), service.delivered()), (vec!["stopped".to_owned()], 3));
}

#[tokio::test(start_paused = true)]
async fn ten_exporters_that_retry_get_everything_once() {
    let waiting = QueueSettings { wait_for_result: true, block_on_overflow: true, queue_size: 2, ..ordinary() };
    let names: Vec<String> = (0..10).map(|number| format!("sink/{number}")).collect();
    let sinks: Vec<_> = (0..10).map(|number| (names[number].as_str(), Fault::FailsFirst(number), waiting.clone())).collect();
    let exporters: Vec<&str> = names.iter().map(String::as_str).collect();
    let service = Service::start(&Layout {
        sinks: &sinks,
        pipelines: &[("logs", &["door"], &[], &exporters)],
        drain: DRAIN,
        ..Layout::default()
    })
    .await;
    let answers = futures_util::future::join_all((0..20).map(|_| service.send(1))).await;
    let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(RefusalKind::Timeout))), "{answers:?}");
    assert_eq!(service.stop().await, (StopReport { undelivered: 0 }, 10 * accepted), "{accepted} accepted");
}

#[tokio::test(start_paused = true)]
async fn a_component_that_panics_while_it_is_built_refuses_the_reload_and_nothing_else() {
    let layout = Layout {
        stages: &[("stage", Fault::None)],
        sinks: &[("sink", Fault::None, ordinary())],
        pipelines: &[("logs", &["door"], &["stage"], &["sink"])],
        drain: DRAIN,
    };
    let mut service = Service::start(&layout).await;
    let error = service.try_reload(&Layout { stages: &[("stage", Fault::BuildPanics)], ..layout }).unwrap_err();
    assert_eq!(error.to_string(), "processors::stage: the component panicked while it was built");
    assert_eq!(service.send(3).await, Ok(()));
    assert_eq!(service.stop().await, (StopReport { undelivered: 0 }, 3));
}

#[tokio::test(start_paused = true)]
async fn what_a_replaced_receiver_still_has_of_a_signal_that_was_removed_is_delivered() {
    let both: &[_] =
        &[("logs", &["door"] as Ids<'_>, &[] as Ids<'_>, &["sink"] as Ids<'_>), ("metrics", &["door"], &[], &["sink"])];
    let layout = Layout { sinks: &[("sink", Fault::None, ordinary())], pipelines: both, drain: DRAIN, ..Layout::default() };
    let mut service = Service::start(&layout).await;
    service.reload(&Layout { pipelines: &both[..1], ..layout });
    assert_eq!(service.send_as(Signal::Metrics, 3).await, Ok(()), "through the way in of the old receiver");
    assert_eq!(service.send_as(Signal::Logs, 4).await, Ok(()));
    assert_eq!(service.stop().await, (StopReport { undelivered: 0 }, 7));
}
