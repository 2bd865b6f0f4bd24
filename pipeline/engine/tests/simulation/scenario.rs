//! One run: start, reload at random, stop, and settle the account.

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use deferd_component::telemetry::Telemetry;
use deferd_component::{ComponentId, PipelineId, QueueSettings, RefusalKind, Registry, Sockets};
use deferd_config::{Data, Node, Origin};
use deferd_engine::{Engine, Part, PipelineParts, Spec};

use crate::components::{Config, FakeReceiver, Grumpy, Healthy, Holder, Hung};
use crate::forward::Forward;
use crate::world::World;

/// What exporters demand of senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    None,
    /// The hanging one wants them to wait for the result.
    Wait,
    /// The hanging one wants them to wait for room.
    Block,
    /// Any of these, each exporter for itself, changed by reloads.
    Any,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) reloads: usize,
    pub(crate) demand: Demand,
    /// Whether reloads may take the hanging exporter away and bring it back.
    pub(crate) remove_hung: bool,
    /// Whether the receivers feed a second pipeline, with processors and a healthy exporter of its own.
    pub(crate) copy: bool,
    /// Long in simulated time, where it costs nothing: a reload every 10 ms for 1,000 reloads leaves much to drain.
    pub(crate) drain: Duration,
}

/// Sums over runs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) reloads: usize,
    pub(crate) sends: usize,
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) delivered_healthy: usize,
    pub(crate) delivered_hung: usize,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.reloads += other.reloads;
        self.sends += other.sends;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.delivered_healthy += other.delivered_healthy;
        self.delivered_hung += other.delivered_hung;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} reloads, {} sends each answered once, {} items accepted ({} refused), {} delivered by the healthy exporter, \
             {} by the hanging one; 0 lost, 0 duplicated",
            self.reloads, self.sends, self.accepted, self.refused, self.delivered_healthy, self.delivered_hung
        )
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.receiver::<FakeReceiver>().processor::<Holder>().processor::<Grumpy>().connector::<Forward<Config>>();
    registry.exporter::<Healthy>().exporter::<Hung>();
    registry
}

struct Configurations {
    registry: Registry,
    world: Arc<World>,
    scenario: Scenario,
    random: fastrand::Rng,
}

impl Configurations {
    fn config(&mut self, versions: u64) -> Config {
        let version = self.random.u64(0..versions);
        let world = Some(Arc::clone(&self.world));
        Config { world, seed: self.random.u64(0..3), version, queue: QueueSettings::default(), ledger: "" }
    }

    /// A random configuration: receivers in one or two pipelines, with or without holders, directly or through a connector.
    fn next(&mut self) -> Spec {
        let mut spec = Spec { drain_timeout: self.scenario.drain, ..Spec::default() };
        let (id, logs) = (|text: &str| text.parse::<ComponentId>().unwrap(), |text: &str| text.parse::<PipelineId>().unwrap());
        for name in ["fake", "fake/b"] {
            let entry = self.registry.find_receiver("fake").unwrap().clone();
            let part = part(entry, self.config(3));
            spec.receivers.insert(id(name), part);
        }
        for name in ["holder", "holder/b"] {
            let part = part(self.registry.find_processor("holder").unwrap().clone(), self.config(2));
            spec.processors.insert(id(name), part);
        }
        let grumpy = part(self.registry.find_processor("grumpy").unwrap().clone(), self.config(2));
        spec.processors.insert(id("grumpy"), grumpy);
        let forward = part(self.registry.find_connector("forward").unwrap().clone(), self.config(2));
        spec.connectors.insert(id("forward"), forward);
        self.add_exporters(&mut spec);

        let pick = |random: &mut fastrand::Rng, all: &[&str]| -> Vec<ComponentId> {
            all.iter().filter(|_| random.bool()).map(|name| name.parse().unwrap()).collect()
        };
        let mut exporters = vec![id("healthy")];
        if !self.scenario.remove_hung || self.random.bool() {
            exporters.push(id("hung"));
        }
        let mut receivers = pick(&mut self.random, &["fake", "fake/b"]);
        if receivers.is_empty() {
            receivers.push(id("fake"));
        }
        if self.scenario.copy {
            let processors = pick(&mut self.random, &["holder", "grumpy"]);
            let exporters = vec![id("healthy/copy")];
            spec.pipelines.insert(logs("logs/copy"), PipelineParts { receivers: receivers.clone(), processors, exporters });
        }
        let processors = pick(&mut self.random, &["holder", "grumpy", "holder/b"]);
        if self.random.bool() {
            // Through a connector: the second half has its own chain.
            let second = pick(&mut self.random, &["holder/b", "grumpy"]);
            let first = PipelineParts { receivers, processors, exporters: vec![id("forward")] };
            spec.pipelines.insert(logs("logs"), first);
            let rest = PipelineParts { receivers: vec![id("forward")], processors: second, exporters };
            spec.pipelines.insert(logs("logs/second"), rest);
        } else {
            spec.pipelines.insert(logs("logs"), PipelineParts { receivers, processors, exporters });
        }
        spec
    }

    fn add_exporters(&mut self, spec: &mut Spec) {
        for name in ["healthy", "healthy/copy"] {
            let mut healthy = self.config(3);
            healthy.queue.queue_size = 1_000_000;
            healthy.ledger = name;
            if self.scenario.demand == Demand::Any {
                (healthy.queue.block_on_overflow, healthy.queue.wait_for_result) = (self.random.bool(), self.random.bool());
            }
            let entry = self.registry.find_exporter("healthy").unwrap().clone();
            spec.exporters.insert(name.parse().unwrap(), part(entry, healthy));
        }
        let mut hung = self.config(3);
        hung.queue.queue_size = self.random.u64(1..20);
        hung.queue.num_consumers = self.random.u32(1..4);
        let any = self.scenario.demand == Demand::Any;
        hung.queue.wait_for_result = self.scenario.demand == Demand::Wait || any && self.random.bool();
        hung.queue.block_on_overflow = self.scenario.demand == Demand::Block || any && self.random.bool();
        let entry = self.registry.find_exporter("hung").unwrap().clone();
        spec.exporters.insert("hung".parse().unwrap(), part(entry, hung));
    }
}

fn part<E>(entry: E, config: Config) -> Part<E> {
    let text = format!("{} {} {:?}", config.seed, config.version, config.queue);
    let raw = Node::new(Data::String(text.into()), Origin::whole("simulation"));
    Part { entry, config: Arc::new(config), raw }
}

/// Runs one seed and asserts everything that must hold.
pub(crate) async fn simulate(seed: u64, scenario: Scenario) -> Totals {
    let (world, telemetry) = (World::new(), Arc::new(Telemetry::default()));
    let random = fastrand::Rng::with_seed(seed);
    let mut configurations = Configurations { registry: registry(), world: Arc::clone(&world), scenario, random };
    let mut engine = Engine::start(configurations.next(), Arc::clone(&telemetry), Arc::default(), Arc::new(Sockets::default()))
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    for _ in 0..scenario.reloads {
        let pause = configurations.random.u64(0..20);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        engine.reload(configurations.next()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    engine.stop().await;
    settle(seed, scenario, &world, &telemetry)
}

fn settle(seed: u64, scenario: Scenario, world: &World, telemetry: &Telemetry) -> Totals {
    let (healthy, hung) = (world.delivered("healthy"), world.delivered("hung"));
    let copy = world.delivered("healthy/copy");
    let waits = matches!(scenario.demand, Demand::Wait | Demand::Any);
    let mut totals = Totals { reloads: scenario.reloads, ..Totals::default() };
    for send in world.sends() {
        totals.sends += 1;
        assert_eq!(send.answers.len(), 1, "seed {seed}: a send is answered once: {send:?}");
        let answer = send.answers[0];
        assert_ne!(answer, Err(RefusalKind::Internal), "seed {seed}: a token was lost: {send:?}");
        for item in &send.items {
            for (ledger, expected) in [(&healthy, 1), (&copy, u64::from(scenario.copy))] {
                let copies = ledger.get(item).copied().unwrap_or(0);
                match answer {
                    Ok(()) => assert_eq!(copies, expected, "seed {seed}: accepted item {item} at a healthy exporter"),
                    // With `wait_for_result` the answer may be the other exporter's failure, after this one has delivered.
                    Err(_) if waits => assert!(copies <= expected, "seed {seed}: item {item} duplicated"),
                    Err(_) => assert_eq!(copies, 0, "seed {seed}: refused item {item} was delivered"),
                }
            }
            assert!(hung.get(item).copied().unwrap_or(0) <= 1, "seed {seed}: item {item} duplicated at the hanging exporter");
        }
        *(if answer.is_ok() { &mut totals.accepted } else { &mut totals.refused }) += send.items.len();
    }
    totals.delivered_healthy = healthy.len();
    totals.delivered_hung = hung.len();
    let dropped = |component: &str| telemetry.total("deferd_dropped_items", ("component", component));
    assert_eq!(dropped("exporters::healthy") + dropped("exporters::healthy/copy"), 0, "seed {seed}");
    if !scenario.remove_hung && scenario.demand == Demand::None {
        let accounted = totals.delivered_hung as u64 + dropped("exporters::hung");
        assert_eq!(accounted, totals.accepted as u64, "seed {seed}: delivered or counted, nothing else");
    }
    totals
}
