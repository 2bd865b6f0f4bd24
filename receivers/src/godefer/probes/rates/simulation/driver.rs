//! What the receiver does with arbiter, plan and estimators, on a simulated clock.

use std::time::{Duration, Instant};

use super::super::super::arbiter::{Arbiter, Grant, Probe};
use super::super::{Estimate, HitCost, Interval, Learned, Load, Mode, Planner, Rates, Window, expected, next_window};
use super::target::{SITES, Scenario, Target};

const CALIBRATED: f64 = 0.5e-6;
const UNCERTAINTY: f64 = 0.1;
pub(super) const KNOWN: HitCost = HitCost { each: Duration::from_nanos(500), uncertainty: UNCERTAINTY };
/// Seconds that walking one record takes.
const NODE: f64 = 50e-9;
/// Seconds until a breakpoint is in place.
const ATTACH: f64 = 0.010;
/// Seconds between the reading of counters and of CPU time, at most.
const SKEW: f64 = 0.0001;
const READING: f64 = 0.000_01;
/// Seconds of a run, and between two reports.
const RUN: f64 = 60.0;
const REPORT: f64 = 10.0;

/// What came of one run, or of all runs of a scenario.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    reports: usize,
    held: usize,
    sites: usize,
    sites_held: usize,
    at_least: usize,
    /// What "at least" said, as a part of the truth.
    lowest: Vec<f64>,
    /// Relative errors, without and with their sign, and relative widths of intervals with two ends.
    errors: Vec<f64>,
    shifts: Vec<f64>,
    widths: Vec<f64>,
    /// Largest share of the target's CPU time that was charged, and that probes really cost.
    pub(super) overhead: f64,
    real_overhead: f64,
    /// Changes between always on and windows.
    switches: usize,
    runs: usize,
    /// Longest time from a jump until the probe was in windows.
    pub(super) noticed: f64,
}

impl Outcome {
    pub(super) const HEAD: &'static str = "scenario                                        reports  held %  sites %  at least %  of true %  error p50 %  p95 %  shift %  width p50 %  charged %  cost %  switches";

    pub(super) fn add(&mut self, other: &Self) {
        self.reports += other.reports;
        self.held += other.held;
        self.sites += other.sites;
        self.sites_held += other.sites_held;
        self.at_least += other.at_least;
        self.switches += other.switches;
        self.runs += other.runs;
        self.noticed = self.noticed.max(other.noticed);
        self.lowest.extend(&other.lowest);
        self.errors.extend(&other.errors);
        self.shifts.extend(&other.shifts);
        self.widths.extend(&other.widths);
        self.overhead = self.overhead.max(other.overhead);
        self.real_overhead = self.real_overhead.max(other.real_overhead);
    }

    pub(super) fn holds(&self) -> bool {
        self.reports > 0 && self.held * 100 >= self.reports * 95 && self.sites_held * 100 >= self.sites * 95
    }

    /// By how much the middle one of all values is off.
    pub(super) fn shift(&self) -> f64 {
        quantile(&self.shifts, 0.5)
    }

    /// Two ends in most reports, a small error that goes both ways, and an interval that is no wider than the truth is high, times `width`.
    pub(super) fn says_something(&self, width: f64) -> bool {
        let good = quantile(&self.errors, 0.5) < 0.35 && quantile(&self.widths, 0.5) < width;
        good && self.shift().abs() < 0.15 && self.at_least * 2 < self.reports
    }

    pub(super) fn line(&self, name: &str) -> String {
        let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        format!(
            "{name:<47} {:>7} {:>7.1} {:>8.1} {:>11.1} {:>10.0} {:>12.1} {:>6.1} {:>8.1} {:>12.1} {:>10.2} {:>7.2} {:>9.1}",
            self.reports,
            percent(self.held, self.reports),
            percent(self.sites_held, self.sites),
            percent(self.at_least, self.reports),
            100.0 * quantile(&self.lowest, 0.5),
            100.0 * quantile(&self.errors, 0.5),
            100.0 * quantile(&self.errors, 0.95),
            100.0 * self.shift(),
            100.0 * quantile(&self.widths, 0.5),
            100.0 * self.overhead,
            100.0 * self.real_overhead,
            self.switches as f64 / self.runs.max(1) as f64,
        )
    }

    fn note(&mut self, estimate: Estimate, truth: f64) {
        self.reports += 1;
        self.held += usize::from(estimate.holds(truth));
        match estimate.upper {
            Some(upper) if truth > 0.0 => {
                self.errors.push((estimate.value / truth - 1.0).abs());
                self.shifts.push(estimate.value / truth - 1.0);
                self.widths.push((upper - estimate.lower) / truth);
            }
            Some(_) => {}
            None => {
                self.at_least += 1;
                self.lowest.push(estimate.lower / truth);
            }
        }
    }
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (share * sorted.len() as f64) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

struct Run {
    target: Target,
    arbiter: Arbiter,
    planner: Planner,
    rates: Rates,
    believed: HitCost,
    start: Instant,
    now: f64,
    /// What a hit really costs.
    hit: f64,
    charged: f64,
    /// Since the last window: when that was, the CPU time then, and what removing its breakpoint cost.
    closed: (f64, f64, f64),
    opened: f64,
    next: f64,
    learned: Learned,
    /// Time and registrations when a window or a stretch was complete.
    truths: Vec<(f64, f64, [f64; 2])>,
}

/// One minute of one target, whose hits the estimators believe to cost so much.
pub(super) fn run(scenario: Scenario, seed: u64, believed: HitCost) -> Outcome {
    let start = Instant::now();
    let mut target = Target::new(scenario, seed);
    let hit = CALIBRATED * (1.0 + UNCERTAINTY * (2.0 * target.random() - 1.0));
    let mut run = Run {
        target,
        arbiter: Arbiter::new(0.01, start),
        planner: Planner::new(true, start),
        rates: Rates::new(believed),
        believed,
        start,
        now: 0.0,
        hit,
        charged: 0.0,
        closed: (0.0, 0.0, 0.0),
        opened: 0.0,
        next: 0.0,
        learned: Learned::default(),
        truths: vec![(0.0, 0.0, [0.0; 2])],
    };
    run.live(1.0);
    run.closed = (run.now, run.target.cpu, 0.0);
    run.truths = vec![run.truth()];
    let mut outcome = Outcome::default();
    let mut due = REPORT;
    while run.now < RUN {
        let before = std::mem::discriminant(&run.planner.mode());
        run.step();
        outcome.switches += usize::from(before != std::mem::discriminant(&run.planner.mode()));
        if run.now >= scenario.jump && outcome.noticed == 0.0 && matches!(run.planner.mode(), Mode::Windows { .. }) {
            outcome.noticed = run.now - scenario.jump;
        }
        if run.now >= due {
            due += REPORT;
            run.report(&mut outcome);
        }
    }
    let used = (0.01 * run.target.cpu).max(0.001 * run.now) / 0.01;
    outcome.overhead = run.charged / used;
    outcome.runs = 1;
    outcome.real_overhead = run.target.cost / used;
    outcome
}

impl Run {
    fn at(&self, seconds: f64) -> Instant {
        self.start + Duration::from_secs_f64(seconds)
    }

    fn truth(&self) -> (f64, f64, [f64; 2]) {
        (self.now, self.target.registered, self.target.by_site)
    }

    /// Lives without a probe, with a look at the CPU time now and then.
    fn live(&mut self, seconds: f64) {
        self.target.alone(seconds);
        self.now += seconds;
        self.arbiter.observe_cpu(self.at(self.now), Duration::from_secs_f64(self.target.cpu));
    }

    fn charge(&mut self, cost: f64) {
        // What a hit costs is known with an error, and the promise is not to depend on it.
        let cost = cost * (1.0 + UNCERTAINTY);
        self.charged += cost;
        self.arbiter.charge(Probe::Rates, Duration::from_secs_f64(cost), self.at(self.now));
    }

    fn load(&self) -> Load {
        self.learned.load(Duration::from_secs_f64(CALIBRATED))
    }

    fn step(&mut self) {
        match self.planner.mode() {
            Mode::Off => self.live(0.1),
            Mode::AlwaysOn { shift } => self.always_on(shift),
            Mode::Windows { every, length, shift } => {
                let expected = expected(&self.load(), shift);
                let now = self.at(self.now);
                if self.now < self.next {
                    self.live((self.next - self.now).min(0.5));
                } else if let Grant::NotBefore(then) = self.arbiter.grant(Probe::Rates, expected, now) {
                    self.live(then.duration_since(now).as_secs_f64().min(0.5));
                } else {
                    self.window(length.as_secs_f64(), shift);
                    let random = self.target.random();
                    let then = next_window(self.at(self.opened), every, random);
                    self.next = then.duration_since(self.start).as_secs_f64();
                }
            }
        }
    }

    fn window(&mut self, length: f64, shift: u8) {
        self.opened = self.now;
        self.live(ATTACH);
        let outside = (self.now - self.closed.0, self.target.cpu - self.closed.1, self.closed.2);
        let mut inside = self.target.probed(length, shift, self.hit, NODE);
        self.now += length;
        let truth = self.truth();
        // CPU time is read a little before or after the counters, and has an error of its own.
        let cpu = inside.target_cpu.as_secs_f64();
        let skew = (SKEW * cpu / length + READING) * (2.0 * self.target.random() - 1.0);
        let cpu = (cpu + skew).max(0.0);
        inside.target_cpu = Duration::from_secs_f64(cpu);
        let cpu = self.target.cpu;
        let removal = 0.001 + 0.039 * self.target.random();
        // The program counts on until its breakpoint is gone, so that what is charged is what was hit.
        let tail = self.target.probed(removal, shift, self.hit, NODE).cost(CALIBRATED);
        self.now += removal;
        self.charge(inside.cost(CALIBRATED) + tail);
        self.closed = (truth.0, cpu, tail);
        self.truths.push(truth);
        self.learned.window(&inside, Duration::from_secs_f64(length + removal));
        self.rates.window(Window {
            inside,
            outside_wall: Duration::from_secs_f64(outside.0),
            outside_cpu: Duration::from_secs_f64(outside.1),
            outside_cost: Duration::from_secs_f64(outside.2),
        });
        let now = self.at(self.now);
        let available = self.arbiter.available(Probe::Rates, now);
        let load = self.load();
        let in_debt = self.arbiter.must_shed(Probe::Rates, now);
        if let Mode::AlwaysOn { .. } = self.planner.decide(&load, available, in_debt, now) {
            self.truths = vec![self.truth()];
            // What was counted in windows ended before the removal; the truth of a report must begin where its figures do.
            self.rates = Rates::new(self.believed);
        }
    }

    /// A second of always on, or less if the kernel side tells that it is too much.
    fn always_on(&mut self, shift: u8) {
        let load = self.load();
        let available = self.arbiter.available(Probe::Rates, self.at(self.now));
        let limit = self.planner.limit_hits(&load, available);
        let mut seen = Interval { shift, ..Interval::default() };
        while seen.wall < Duration::from_secs(1) && seen.hits < limit {
            // The limit is noticed within a millisecond, although it takes far longer to act on it.
            let step = if seen.hits * 2 > limit || seen.hits == 0 { 0.001 } else { 0.020 };
            seen.add(&self.target.probed(step, shift, self.hit, NODE));
            self.now += step;
        }
        self.truths.push(self.truth());
        self.arbiter.observe_cpu(self.at(self.now), Duration::from_secs_f64(self.target.cpu));
        self.charge(seen.cost(CALIBRATED));
        self.learned.always_on(&seen);
        let over = seen.hits >= limit;
        self.rates.always_on(&seen);
        let now = self.at(self.now);
        let available = self.arbiter.available(Probe::Rates, now);
        let load = self.load();
        let in_debt = self.arbiter.must_shed(Probe::Rates, now);
        let mode = if over || in_debt {
            self.planner.over_limit(&load, available, now)
        } else {
            self.planner.decide(&load, available, in_debt, now)
        };
        if let Mode::Windows { .. } = mode {
            self.closed = (self.now, self.target.cpu, 0.0);
            let removal = 0.001 + 0.039 * self.target.random();
            let tail = self.target.probed(removal, shift, self.hit, NODE);
            self.now += removal;
            self.charge(tail.cost(CALIBRATED));
            self.closed.2 = tail.cost(CALIBRATED);
            self.next = self.now;
        }
    }

    fn report(&mut self, outcome: &mut Outcome) {
        let Some(report) = self.rates.report() else { return };
        let Some(last) = self.truths.last().copied() else { return };
        let begun = last.0 - report.span.as_secs_f64();
        let by_distance = |truth: &&(f64, f64, [f64; 2])| ((truth.0 - begun).abs() * 1e9) as u64;
        let Some(first) = self.truths.iter().min_by_key(by_distance).copied() else { return };
        assert!((first.0 - begun).abs() < 1e-3, "a report about {begun}.. has no truth, the nearest is {}", first.0);
        let span = last.0 - first.0;
        outcome.note(report.total, (last.1 - first.1) / span);
        for site in &report.sites {
            let number = usize::from(site.pc != SITES[0]);
            outcome.sites += 1;
            outcome.sites_held += usize::from(site.rate.holds((last.2[number] - first.2[number]) / span));
        }
    }
}
