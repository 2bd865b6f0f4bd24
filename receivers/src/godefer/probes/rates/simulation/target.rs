//! A simulated target: what it does, what a probe sees of it, and what it costs.

use std::time::Duration;

use super::super::{Interval, SiteSample};

/// How a target spends its time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Load {
    /// Calls arrive at random, `rate` a second, and need `each` seconds.
    Arrivals { rate: f64, each: f64 },
    /// So many threads do nothing but calls of `each` seconds.
    Loop { threads: f64, each: f64 },
}

/// Records per call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chain {
    Fixed(u64),
    /// Evenly from 1 to this.
    Even(u64),
    /// One, or rarely (the share) so many.
    Rare(f64, u64),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) load: Load,
    /// Mean seconds with and without load, if it comes in bursts; the lengths vary by half.
    pub(super) bursts: Option<(f64, f64)>,
    /// Second from which on a thousand times as many calls arrive.
    pub(super) jump: f64,
    /// CPUs that the target keeps busy otherwise in a pause between bursts.
    pub(super) pause: f64,
    /// CPUs that other work of the target uses, which gives way to nothing.
    pub(super) other: f64,
    pub(super) chain: Chain,
}

/// CPUs of the simulated machine.
const CPUS: f64 = 2.0;

pub(super) struct Target {
    scenario: Scenario,
    random: fastrand::Rng,
    busy: bool,
    /// Seconds until the next burst or pause.
    left: f64,
    lived: f64,
    pub(super) registered: f64,
    pub(super) by_site: [f64; 2],
    pub(super) cpu: f64,
    /// What probes really cost.
    pub(super) cost: f64,
}

/// Shares of the calls of the two sites.
const FIRST_SITE: f64 = 0.7;
pub(super) const SITES: [u64; 2] = [0x1000, 0x2000];

impl Target {
    pub(super) fn new(scenario: Scenario, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let left = scenario.bursts.map_or(f64::INFINITY, |(on, off)| (on + off) * random.f64());
        let busy = scenario.bursts.is_none() || random.bool();
        Self { scenario, random, busy, left, lived: 0.0, registered: 0.0, by_site: [0.0; 2], cpu: 0.0, cost: 0.0 }
    }

    pub(super) fn random(&mut self) -> f64 {
        self.random.f64()
    }

    /// Lives so many seconds without a probe.
    pub(super) fn alone(&mut self, seconds: f64) {
        self.live(seconds, None);
    }

    /// Lives so many seconds with a probe that costs `hit` seconds, and a walk `node` seconds per record.
    pub(super) fn probed(&mut self, seconds: f64, shift: u8, hit: f64, node: f64) -> Interval {
        self.live(seconds, Some((shift, hit, node)))
    }

    fn live(&mut self, seconds: f64, probe: Option<(u8, f64, f64)>) -> Interval {
        let mut seen = Interval { wall: Duration::from_secs_f64(seconds), ..Interval::default() };
        seen.shift = probe.map_or(0, |(shift, ..)| shift);
        let before = self.cpu;
        let mut rest = seconds;
        while rest > 0.0 {
            let piece = rest.min(self.left);
            self.piece(piece, probe, &mut seen);
            self.lived += piece;
            rest -= piece;
            self.left -= piece;
            if let (true, Some((on, off))) = (self.left <= 1e-9, self.scenario.bursts) {
                self.busy = !self.busy;
                self.left = if self.busy { on } else { off } * (0.5 + self.random.f64());
            }
        }
        seen.target_cpu = Duration::from_secs_f64(self.cpu - before);
        seen
    }

    /// A piece of time in which the load does not change.
    fn piece(&mut self, seconds: f64, probe: Option<(u8, f64, f64)>, seen: &mut Interval) {
        let (mean, _) = self.scenario.chain.moments();
        let extra = probe.map_or(0.0, |(shift, hit, node)| hit + mean * node * 0.5_f64.powi(i32::from(shift)));
        let other = self.scenario.other * seconds;
        self.cpu += other;
        if !self.busy {
            self.cpu += self.scenario.pause * seconds;
            return;
        }
        let room = CPUS * seconds - other;
        let (calls, each, threads) = match self.scenario.load {
            Load::Arrivals { rate, each } => {
                let rate = if self.lived >= self.scenario.jump { 1000.0 * rate } else { rate };
                (self.poisson(rate * seconds).min((room / (each + extra)).floor()), each, CPUS)
            }
            Load::Loop { threads, each } => {
                let time = room.min(threads * seconds);
                ((time / (each + extra) * (1.0 + 0.01 * (self.random.f64() - 0.5))).round(), each, threads.min(CPUS))
            }
        };
        self.cpu += (calls * (each + extra)).min(room);
        let Some((shift, hit, node)) = probe else {
            self.register(calls, false, seen);
            return;
        };
        let walked = self.poisson(calls * 0.5_f64.powi(i32::from(shift))).min(calls);
        let walked = if shift == 0 { calls } else { walked };
        let found = self.register(walked, true, seen);
        self.register(calls - walked, false, seen);
        seen.hits += calls as u64;
        seen.sampled += walked as u64;
        seen.busiest += (calls / threads.clamp(1.0, CPUS)).ceil() as u64;
        seen.walk_time += Duration::from_secs_f64(found * node);
        self.cost += calls * hit + found * node;
    }

    /// Registers the records of so many calls, and shows them if they are walked.
    fn register(&mut self, calls: f64, shown: bool, seen: &mut Interval) -> f64 {
        let first = self.binomial(calls, FIRST_SITE);
        let mut all = 0.0;
        for (number, calls) in [first, calls - first].into_iter().enumerate() {
            let (nodes, squares) = self.chains(calls);
            all += nodes;
            self.by_site[number] += nodes;
            if shown && calls > 0.0 {
                seen.nodes += nodes as u64;
                seen.nodes_sq += squares as u64;
                let site = SiteSample { pc: SITES[number], frames: calls as u64, nodes: nodes as u64, nodes_sq: squares as u64 };
                match seen.sites.iter_mut().find(|known| known.pc == site.pc) {
                    Some(known) => known.add(site),
                    None => seen.sites.push(site),
                }
            }
        }
        self.registered += all;
        all
    }

    /// Sum and sum of squares of the records of so many calls.
    fn chains(&mut self, calls: f64) -> (f64, f64) {
        match self.scenario.chain {
            Chain::Fixed(each) => (calls * each as f64, calls * (each * each) as f64),
            Chain::Rare(share, long) => {
                let rare = self.binomial(calls, share);
                (calls - rare + rare * long as f64, calls - rare + rare * (long * long) as f64)
            }
            Chain::Even(most) if calls <= 256.0 => (0..calls as u64).fold((0.0, 0.0), |(sum, squares), _| {
                let each = self.random.u64(1..=most) as f64;
                (sum + each, squares + each * each)
            }),
            Chain::Even(_) => {
                let (mean, square) = self.scenario.chain.moments();
                let sum = calls * mean + self.normal() * (calls * (square - mean * mean)).sqrt();
                (sum.round(), (calls * square).round())
            }
        }
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.random.f64()).ln()).sqrt() * (std::f64::consts::TAU * self.random.f64()).cos()
    }

    fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.random.f64(), 0.0);
        while product > limit {
            product *= self.random.f64();
            count += 1.0;
        }
        count
    }

    fn binomial(&mut self, count: f64, share: f64) -> f64 {
        let variance = count * share * (1.0 - share);
        if variance > 25.0 {
            return (count * share + variance.sqrt() * self.normal()).round().clamp(0.0, count);
        }
        if count > 1000.0 {
            return self.poisson(count * share).min(count);
        }
        (0..count as u64).filter(|_| self.random.f64() < share).count() as f64
    }
}

impl Chain {
    /// Mean, and mean of the squares.
    fn moments(self) -> (f64, f64) {
        match self {
            Self::Fixed(each) => (each as f64, (each * each) as f64),
            Self::Even(most) => {
                let most = most as f64;
                (most.midpoint(1.0), (most + 1.0) * (2.0 * most + 1.0) / 6.0)
            }
            Self::Rare(share, long) => {
                let long = long as f64;
                (1.0 + share * (long - 1.0), 1.0 + share * (long * long - 1.0))
            }
        }
    }
}
