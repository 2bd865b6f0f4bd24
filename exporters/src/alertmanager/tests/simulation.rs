//! Many random histories, held to what Alertmanagers would show at their end. A failure names its seed.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::*;

/// 200 have been run; templates are slow without optimisation.
const SEEDS: u64 = 30;
const STEPS: usize = 60;
const SEVERITIES: [&str; 3] = ["medium", "high", "critical"];
const LINES: i64 = 6;
const ADDRESSES: [&str; 2] = ["http://a:1", "http://b:2"];
const BODIES: [&str; 3] = [
    "{endpoints: [\"http://a:1\", \"http://b:2\"]}",
    "{endpoints: [\"http://a:1\", \"http://b:2\"], labels: {team: \"{{ service }}\"}}",
    "{endpoints: [\"http://a:1\", \"http://b:2\"], refresh_interval: 20s, labels: {callee: \"\"}}",
];

type Labels = BTreeMap<String, String>;

/// An Alertmanager as far as it matters: until when each alert fires.
#[derive(Default)]
struct Model {
    up: bool,
    ends: BTreeMap<Labels, u64>,
}

struct World {
    rng: Rng,
    state: Arc<State>,
    exporter: Alertmanager,
    begin: Instant,
    second: u64,
    /// What fires: line and severity.
    truth: BTreeMap<i64, &'static str>,
    models: [Model; 2],
}

impl World {
    fn new(seed: u64) -> Self {
        let state = Arc::default();
        let exporter = Self::instance(BODIES[0], &state);
        let models = [Model { up: true, ..Model::default() }, Model { up: true, ..Model::default() }];
        let rng = Rng::with_seed(seed);
        Self { rng, state, exporter, begin: Instant::now(), second: 0, truth: BTreeMap::new(), models }
    }

    fn instance(body: &str, state: &Arc<State>) -> Alertmanager {
        let exporter = build_over(body, Signal::Metrics, state);
        state.alerts.lock().set_endpoints(&ADDRESSES.map(str::to_owned));
        exporter
    }

    fn now(&self) -> Moment {
        Moment { at: self.begin + Duration::from_secs(self.second), wall: START + self.second * SECOND }
    }

    fn point(&self, line: i64, severity: &'static str, firing: bool) -> Point<'static> {
        Point { line, severity, firing, since: START + self.second * SECOND, value: 5.0, ..LEAK }
    }

    /// One thing that can happen.
    fn step(&mut self) {
        let line = self.rng.i64(1..=LINES);
        let severity = SEVERITIES[self.rng.usize(..3)];
        let mut points = Vec::new();
        match self.rng.u8(..8) {
            0 | 1 => {
                if let Some(old) = self.truth.insert(line, severity).filter(|old| *old != severity) {
                    points.push(self.point(line, old, false));
                }
            }
            2 => points.extend(self.truth.remove(&line).map(|old| self.point(line, old, false))),
            3 => {
                let model = &mut self.models[self.rng.usize(..2)];
                model.up = !model.up;
            }
            // Unnoticed by us, unless something is posted just then.
            4 => self.models[self.rng.usize(..2)].ends.clear(),
            5 => self.exporter = Self::instance(BODIES[self.rng.usize(..3)], &self.state),
            _ => self.second += self.rng.u64(1..=15),
        }
        self.show(points);
    }

    /// What threshold does with every batch: the changes, then all that fires.
    fn show(&mut self, mut points: Vec<Point<'static>>) {
        points.extend(self.truth.iter().map(|(line, severity)| self.point(*line, severity, true)));
        self.exporter.0.take(&[request(&points)], self.now()).unwrap();
        self.post();
    }

    fn post(&mut self) {
        let (now, timing) = (self.now(), self.exporter.0.timing);
        let mut alerts = self.state.alerts.lock();
        for (address, model) in ADDRESSES.iter().zip(&mut self.models) {
            loop {
                alerts.sweep(&timing, now);
                let posts = alerts.due(address, &timing, now, 3);
                if posts.is_empty() {
                    assert!(alerts.next(address, &timing, now) > now.at, "nothing is due, and yet it does not wait");
                    break;
                }
                if !model.up {
                    alerts.lost(address);
                    break;
                }
                model.ends.extend(posts.iter().map(|post| (post.alert.labels.clone(), post.ends.unwrap())));
                alerts.record(address, &posts, false, now);
            }
        }
    }

    /// Everything is well for as long as a refresh takes.
    fn settle(&mut self) {
        self.models.iter_mut().for_each(|model| model.up = true);
        self.show(Vec::new());
        for second in 1..=31 {
            self.second += 1;
            if second % 10 == 0 {
                self.show(Vec::new());
            }
            self.post();
        }
    }

    fn firing(&self, model: usize) -> BTreeSet<(i64, String)> {
        let wall = self.now().wall;
        let firing = self.models[model].ends.iter().filter(|(_, ends)| **ends > wall).map(|(labels, _)| labels);
        let site = |labels: &Labels| labels["site"].strip_prefix("main.go:").unwrap().parse().unwrap();
        let list: Vec<(i64, String)> = firing.map(|labels| (site(labels), labels["severity"].clone())).collect();
        let set: BTreeSet<_> = list.iter().cloned().collect();
        assert_eq!(list.len(), set.len(), "one alert under two sets of labels: {list:?}");
        set
    }
}

#[test]
fn whatever_happens_each_alertmanager_shows_what_fires_within_a_refresh() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
        let truth: BTreeSet<(i64, String)> = world.truth.iter().map(|(line, severity)| (*line, (*severity).to_owned())).collect();
        assert_eq!((world.firing(0), world.firing(1)), (truth.clone(), truth.clone()), "seed {seed}");
        // Ends are told for three refreshes.
        let quiet = |world: &mut World| (0..3).for_each(|_| world.settle());
        quiet(&mut world);
        assert_eq!(world.state.alerts.lock().counts(), (truth.len(), 0), "seed {seed}");
        let ends = std::mem::take(&mut world.truth);
        let ends = ends.iter().map(|(line, severity)| world.point(*line, severity, false)).collect();
        world.show(ends);
        assert!(world.firing(0).is_empty() && world.firing(1).is_empty(), "seed {seed}");
        quiet(&mut world);
        assert_eq!(world.state.alerts.lock().remembered(), 0, "seed {seed}: what nobody needs any more is forgotten");
    }
}
