//! From windows to the time between them.
//!
//! What is carried over is registrations per CPU second of the target, not per second: how much CPU time was used between windows
//! is known exactly, so that bursts and pauses that no window met are accounted for. The probe itself disturbs the figure, since
//! a hit costs more than many functions that defer do. How it does is not known but bounded:
//!
//! - CPU time that the probe used is taken off. Its cost is calibrated elsewhere, with an error, which is carried through; in the
//!   target a hit may find colder caches, so that what windows used more than the time outside corrects it, within reason.
//! - If it displaced work of other threads than those that were hit, nothing should be taken off: the lower bound.
//! - If it displaced work of the hit threads alone, and these run on few CPUs, they were slowed more than the process as a
//!   whole: the upper bound.
//! - Only as much can be displaced as the process did not use more CPU time inside than outside.
//!
//! Past [`SATURATED`] the correction is larger than what it corrects, and only "at least" is said. What cannot be known is what a
//! target does that it did in no window with the same CPU time; the lower bound makes room for pauses of that kind, the upper
//! one does not for bursts.

use super::estimate::{Estimate, FEWEST_FOUND, spread, walk_error};
use super::figures::{HitCost, SiteSample, Window, real};
use super::student;

/// Share of the CPU time inside windows that the probe may use before the upper bound is given up.
const SATURATED: f64 = 0.6;
/// Slow-down of the hit threads above which the upper bound is given up.
const SLOWEST: f64 = 4.0;
/// Windows of equal weight below which there is no upper bound.
const FEWEST: f64 = 2.5;
/// What hits may really cost, as parts of what was calibrated: less is the sign of displaced work, more of something else.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.6..=1.8;
/// The same for windows that are taken to be like the rest of the time; and CPU seconds that placing a breakpoint costs the target
/// besides, in emptied caches.
const LIKE_THE_REST: std::ops::RangeInclusive<f64> = 0.3..=2.5;
const PLACING: f64 = 100e-6;
/// How sure the calibration is if nothing else is known, as a standard error.
const BELIEVED: f64 = 0.3;
/// How often windows may have missed that a target does something else.
const MISSED: f64 = 0.05;
/// Counters and CPU time are read one after the other, next to a window of some milliseconds: a part of the figure, and seconds of
/// CPU time per window.
const EDGE: f64 = 0.01;
const READING: f64 = 20e-6;

/// Sums and per-window figures of one site or of all.
struct Figures {
    /// Registrations and CPU seconds per window, probe included and excluded.
    windows: Vec<Figure>,
    /// Walks that found the site, records found, and whether any walk was cut.
    found: u64,
    nodes: f64,
    cut: bool,
    /// Relative error of the records per walk, if there are enough walks.
    walks: Option<f64>,
    /// CPU seconds between windows, probe excluded.
    outside: f64,
    /// Seconds that windows and the time between them make.
    span: f64,
}

#[derive(Clone, Copy)]
struct Figure {
    registrations: f64,
    cpu: f64,
    cost: f64,
    /// Share of the busiest CPU that the probe used.
    busiest: f64,
    /// CPU seconds per second, inside less outside.
    gained: f64,
    wall: f64,
}

/// Registrations per second over windows and the time between them, of one site or of all. `before` are earlier windows: they
/// are not part of the figure, but say how different the target's windows are.
pub(super) fn rate(before: &[&Window], windows: &[&Window], pc: Option<u64>, hit: HitCost) -> Estimate {
    let figures = Figures::new(windows, pc, hit);
    let earlier = Figures::new(before, pc, hit);
    if figures.span <= 0.0 {
        return Estimate::UNKNOWN;
    }
    let seen = figures.nodes / figures.span * (1.0 - EDGE);
    let Some(estimate) = figures.carried_over(&earlier, hit.uncertainty) else {
        return Estimate::at_least(seen);
    };
    let estimate = estimate.times(figures.span.recip());
    Estimate { lower: estimate.lower.max(seen), ..estimate }.settled()
}

impl Figures {
    fn new(windows: &[&Window], pc: Option<u64>, hit: HitCost) -> Self {
        let each = hit.each.as_secs_f64();
        let inside = || windows.iter().map(|window| &window.inside);
        let walked = inside().fold(0, |walked: u64, inside| walked.saturating_add(inside.sampled));
        let mut site = SiteSample::default();
        inside().for_each(|inside| site.add(inside.sample(pc)));
        let mean = real(site.nodes) / real(walked.max(1));
        Self {
            windows: windows.iter().map(|window| figure(window, pc, each, mean)).collect(),
            found: site.frames,
            nodes: real(site.nodes),
            cut: inside().any(|inside| inside.cut > 0),
            walks: walk_error(walked, site),
            outside: windows
                .iter()
                .map(|window| (window.outside_cpu.as_secs_f64() - window.outside_cost.as_secs_f64()).max(0.0))
                .sum(),
            span: windows.iter().map(|window| window.span().as_secs_f64()).sum(),
        }
    }

    fn sum(&self, of: impl Fn(&Figure) -> f64) -> f64 {
        self.windows.iter().map(of).sum()
    }

    /// Registrations in all, or nothing if windows are too few or too unlike to say more than what was seen.
    fn carried_over(&self, earlier: &Self, uncertainty: f64) -> Option<Estimate> {
        let registrations = self.sum(|window| window.registrations);
        let cpu = self.sum(|window| window.cpu);
        let cost = self.sum(|window| window.cost);
        if registrations <= 0.0 || cpu <= 0.0 || self.windows.len() < 3 {
            return None;
        }
        let displaced = self.displaced(cost);
        let really = self.costs(earlier);
        let saturated = cost / cpu > SATURATED;
        let kept = if saturated { 0.0 } else { 1.0 };
        let (error, equal) = between(&self.windows, own(kept))?;
        let alone = error;
        let (error, all) = self.with(earlier, kept, alone, equal);
        let error = error.hypot(self.walks?).hypot(2.0 / real(self.found).sqrt()).hypot(EDGE);
        let error = error.hypot(READING * real(self.windows.len() as u64) / cpu);
        // CPU time that a target spends without registering and that no window met: no more than what so many windows would
        // have missed once in twenty times.
        let missed = MISSED.powf(all.recip());
        let total = |taken_off: f64| registrations * (1.0 + self.outside / (cpu - taken_off).max(f64::MIN_POSITIVE));
        let careful = total(cost * (1.0 - uncertainty) * (1.0 - displaced) * kept);
        let lower = spread(careful, error).0 * missed;
        let slowed = self.slowed(1.0 + uncertainty);
        let unknown = saturated || self.cut || self.found < FEWEST_FOUND || equal < FEWEST || slowed > SLOWEST;
        if unknown {
            return Some(Estimate::at_least(lower));
        }
        let dear = (1.0 + uncertainty).max(really.clamp(*PLAUSIBLE.start(), *PLAUSIBLE.end()) * (1.0 + uncertainty));
        let corrected = total((cost * dear).min(0.9 * cpu));
        let concentrated = |displaced: f64, slowed: f64| 1.0 + displaced * ((1.0 - cost / cpu) * slowed - 1.0).max(0.0);
        let (_, upper) = spread(corrected * concentrated(displaced, slowed), error);
        let likely = (1.0 - really / PLAUSIBLE.start()).clamp(0.0, 1.0);
        // Displaced work says nothing about what hits cost, and then they cost what was calibrated.
        let believed = likely + (1.0 - likely) * really.clamp(*PLAUSIBLE.start(), *PLAUSIBLE.end());
        let taken_off = (cost * believed).min(0.9 * cpu);
        let by_cpu = total(taken_off) * concentrated(likely, self.slowed(1.0));
        Some(Estimate { value: self.with_time(by_cpu, alone, cost), lower, upper })
    }

    /// Where windows used about as much more CPU time as the probe costs, they were like the rest of the time, and registrations per
    /// second of windows are as good an answer as those per CPU second; the one that windows agree about more counts more.
    fn with_time(&self, by_cpu: f64, error: f64, cost: f64) -> f64 {
        let Some((by_time_error, _)) = between(&self.windows, |window| window.wall) else { return by_cpu };
        if !self.is_like_the_rest(cost) {
            return by_cpu;
        }
        let by_time = self.sum(|window| window.registrations) / self.sum(|window| window.wall) * self.span;
        let (by_cpu_weight, by_time_weight) = (error.hypot(EDGE).powi(-2), by_time_error.hypot(EDGE).powi(-2));
        by_cpu_weight.mul_add(by_cpu, by_time_weight * by_time) / (by_cpu_weight + by_time_weight)
    }

    /// Whether what windows used more than the time around them can be the probe alone, as far as windows tell at all.
    fn is_like_the_rest(&self, cost: f64) -> bool {
        let count = real(self.windows.len() as u64);
        let gained = |window: &Figure| window.gained * window.wall;
        let mean = self.sum(gained) / count;
        let variance = self.sum(|window| (gained(window) - mean).powi(2)) / (count - 1.0).max(1.0);
        let unsure = 2.0 * (variance / count).sqrt();
        let (least, most) = (LIKE_THE_REST.start() * cost / count, LIKE_THE_REST.end() * cost / count + PLACING);
        mean + unsure >= least && mean - unsure <= most
    }

    /// What hits cost the target, as a part of what was calibrated: the CPU time that windows used more than the time around them.
    /// Few or unlike windows say little, and then it is what was calibrated.
    fn costs(&self, earlier: &Self) -> f64 {
        let windows = || earlier.windows.iter().chain(&self.windows);
        let sum = |of: &dyn Fn(&Figure) -> f64| windows().map(of).sum::<f64>();
        let (cost, count) = (sum(&|window| window.cost), real((earlier.windows.len() + self.windows.len()) as u64));
        if cost <= 0.0 || count < 3.0 {
            return 1.0;
        }
        let ratio = sum(&|window| window.gained * window.wall) / cost;
        let off = sum(&|window| (window.gained * window.wall - ratio * window.cost).powi(2));
        let variance = off * count / (count - 1.0) / (cost * cost);
        let weight = BELIEVED * BELIEVED / (BELIEVED * BELIEVED + variance);
        (weight * (ratio - 1.0) + 1.0).max(0.0)
    }

    /// The largest share of the probe's CPU time that was taken from the target's work: what did not show as a higher use of CPU
    /// inside than outside.
    fn displaced(&self, cost: f64) -> f64 {
        let wall = self.sum(|window| window.wall);
        let count = real(self.windows.len() as u64);
        let mean = self.sum(|window| window.gained) / count;
        let variance = self.sum(|window| (window.gained - mean).powi(2)) / (count - 1.0);
        let Some(factor) = student::quantile(count - 1.0) else { return 1.0 };
        if cost <= 0.0 || wall <= 0.0 {
            return 1.0;
        }
        (1.0 - (mean - factor * (variance / count).sqrt()) * wall / cost).clamp(0.0, 1.0)
    }

    /// How much faster the hit threads would have been without the probe if each CPU ran nothing but them. The window with the
    /// most says it: where threads take turns, the others saw them for a part of their time only.
    fn slowed(&self, cost: f64) -> f64 {
        let of_all = self.sum(|window| window.cost) / self.sum(|window| window.cpu);
        let most = self.windows.iter().map(|window| window.busiest).fold(of_all, f64::max);
        (1.0 - cost * most).max(0.01).recip()
    }

    /// The error between windows and how many there are of equal weight, if earlier windows are taken into account. If they
    /// were more different from each other than these are, these look alike by chance.
    fn with(&self, earlier: &Self, kept: f64, error: f64, equal: f64) -> (f64, f64) {
        let windows = || earlier.windows.iter().chain(&self.windows).copied();
        match between(&windows().collect::<Vec<_>>(), own(kept)) {
            Some((of_all, all)) if all > equal => (error.max(of_all * (all / equal).sqrt()), all),
            _ => (error, equal),
        }
    }
}

/// The relative error of registrations per CPU second from the spread between windows (the jackknife, which is honest about a
/// ratio of few windows), and how many windows of equal weight there are.
fn between(windows: &[Figure], weight: impl Fn(&Figure) -> f64) -> Option<(f64, f64)> {
    let sum = |of: &dyn Fn(&Figure) -> f64| windows.iter().map(of).sum::<f64>();
    let (registrations, weights) = (sum(&|window| window.registrations), sum(&weight));
    let equal = weights * weights / sum(&|window| weight(window).powi(2));
    let factor = student::quantile(equal - 1.0)?;
    let count = real(windows.len() as u64);
    let without = |window: &Figure| (registrations - window.registrations) / (weights - weight(window));
    let mean = sum(&without) / count;
    let variance = sum(&|window| (without(window) - mean).powi(2)) * (count - 1.0) / count;
    let error = factor * variance.sqrt() / (registrations / weights);
    error.is_finite().then_some((error, equal))
}

/// CPU seconds in a window without those of the probe, if they are to be taken off.
fn own(taken_off: f64) -> impl Fn(&Figure) -> f64 {
    move |window| (window.cpu - taken_off * window.cost).max(0.0)
}

fn figure(window: &Window, pc: Option<u64>, each: f64, mean: f64) -> Figure {
    let inside = &window.inside;
    let (wall, cpu) = (inside.wall.as_secs_f64(), inside.target_cpu.as_secs_f64());
    // The walks of one window are few where it met few hits; those of all windows then stand in.
    let mean = if inside.sampled == 0 { mean } else { real(inside.sample(pc).nodes) / real(inside.sampled) };
    let cost = inside.cost(each);
    let hits = real(inside.hits).max(1.0);
    let outside = window.outside_wall.as_secs_f64();
    let before =
        if outside > 0.0 { (window.outside_cpu.as_secs_f64() - window.outside_cost.as_secs_f64()) / outside } else { 0.0 };
    let busiest = if wall > 0.0 { cost * real(inside.busiest) / hits / wall } else { 1.0 };
    Figure {
        registrations: real(inside.hits) * mean,
        cpu,
        cost,
        busiest: busiest.min(1.0),
        gained: if wall > 0.0 { cpu / wall - before } else { 0.0 },
        wall,
    }
}
