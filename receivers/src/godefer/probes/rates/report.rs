//! One report from everything that was counted since the last one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::estimate::{Estimate, always_on};
use super::figures::{HitCost, Interval, MAX_SITES, Window};
use super::windows;

/// With fewer windows since the last report, older ones are taken in; and so are they, for at most so long, while all the CPU
/// time of the target is in fewer windows than this: a burst or two say little about bursts.
const ENOUGH: usize = 10;
const ENOUGH_BUSY: f64 = 5.0;
const LONGEST_SPAN: Duration = Duration::from_mins(1);
/// Windows are kept for this long, and at most so many.
const KEPT: Duration = Duration::from_mins(2);
const MOST_WINDOWS: usize = 256;
/// Stretches of different sampling per report; beyond that they are added up as if they were of one.
const MOST_STRETCHES: usize = 64;
/// An estimate says nothing about what was longer ago.
const LONGEST_OPEN: Duration = Duration::from_mins(2);

/// Registrations per second of one process.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// What the figures are about: the stretches and windows since the last report, or older ones too where windows are few.
    pub(crate) span: Duration,
    /// Of all sites together, by which the estimator is judged.
    #[cfg(test)]
    pub(crate) total: Estimate,
    /// Whether all returns were looked into: a site that is not named had none.
    pub(crate) is_whole: bool,
    /// By site, in the order of their addresses.
    pub(crate) sites: Vec<SiteRate>,
}

/// Registrations of one site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiteRate {
    /// Return address of the site in the binary.
    pub(crate) pc: u64,
    /// Per second.
    pub(crate) rate: Estimate,
    /// Since counting began; never falls.
    pub(crate) registrations: f64,
}

/// Gathers what was counted, and reports.
#[derive(Debug)]
pub(crate) struct Rates {
    cost: HitCost,
    stretches: Vec<Interval>,
    windows: VecDeque<Window>,
    /// How many of the windows came since the last report.
    fresh: usize,
    /// Time since the last report that belongs to no stretch and no window.
    gap: Duration,
    registrations: BTreeMap<u64, Registered>,
}

/// Registrations of one site since counting began.
#[derive(Debug, Clone, Copy, Default)]
struct Registered {
    /// Up to where there was an estimate with two ends.
    known: f64,
    /// Seconds since, in which only "at least" was known.
    open: f64,
    /// The most that was told.
    told: f64,
}

impl Registered {
    /// A report about `seconds` more. Time of which little was known is made up for by the next estimate that has two ends.
    fn add(&mut self, rate: Estimate, seconds: f64) -> f64 {
        let open = (self.open + seconds).min(LONGEST_OPEN.as_secs_f64());
        let all = self.known + rate.value * open;
        if rate.upper.is_some() {
            (self.known, self.open) = (all, 0.0);
        } else {
            self.open = open;
        }
        self.told = self.told.max(all);
        self.told
    }
}

impl Rates {
    /// With the calibrated cost of a hit.
    pub(crate) fn new(cost: HitCost) -> Self {
        Self {
            cost,
            stretches: Vec::new(),
            windows: VecDeque::new(),
            fresh: 0,
            gap: Duration::ZERO,
            registrations: BTreeMap::new(),
        }
    }

    /// Takes in what the probe counted while it was always on.
    pub(crate) fn always_on(&mut self, interval: &Interval) {
        let full = self.stretches.len() >= MOST_STRETCHES;
        match self.stretches.last_mut() {
            Some(last) if full || last.shift == interval.shift => last.add(interval),
            _ => self.stretches.push(interval.clone()),
        }
    }

    /// Takes in a window.
    pub(crate) fn window(&mut self, window: Window) {
        self.windows.push_back(window);
        self.fresh += 1;
        if self.windows.len() > MOST_WINDOWS {
            self.windows.pop_front();
            self.fresh = self.fresh.min(MOST_WINDOWS);
        }
    }

    /// Takes note of time in which nothing was counted, as between the last window and a stretch: totals are made up for it by the
    /// rate of the time around it.
    pub(crate) fn gap(&mut self, wall: Duration) {
        self.gap = self.gap.saturating_add(wall);
    }

    /// What was registered per second, and in all, by functions that have returned. Nothing if nothing was counted since the last
    /// report.
    pub(crate) fn report(&mut self) -> Option<Report> {
        self.forget();
        let stretched = seconds(self.stretches.iter().map(|stretch| stretch.wall));
        let old = self.windows.len().saturating_sub(if stretched > 0.0 { self.fresh } else { self.enough() });
        let before: Vec<&Window> = self.windows.iter().take(old).collect();
        let windows: Vec<&Window> = self.windows.iter().skip(old).collect();
        let windowed = seconds(windows.iter().map(|window| window.span()));
        let fresh = stretched + seconds(self.windows.iter().rev().take(self.fresh).map(Window::span));
        if fresh <= 0.0 {
            return None;
        }
        let rate = |pc| {
            let counted = self.stretches.iter().map(|stretch| always_on(stretch, pc));
            let counted = counted.fold(Estimate::NONE, Estimate::plus);
            let carried =
                if windows.is_empty() { Estimate::NONE } else { windows::rate(&before, &windows, pc, self.cost).times(windowed) };
            counted.plus(carried).times((stretched + windowed).recip())
        };
        #[cfg(test)]
        let total = rate(None);
        let told = fresh + std::mem::take(&mut self.gap).as_secs_f64();
        let mut sites = Vec::new();
        for pc in self.pcs() {
            let rate = rate(Some(pc));
            let registrations = self.registrations.entry(pc).or_default();
            sites.push(SiteRate { pc, rate, registrations: registrations.add(rate, told) });
        }
        let is_whole = windows.is_empty() && self.stretches.iter().all(|stretch| stretch.sampled >= stretch.hits);
        self.stretches.clear();
        self.fresh = 0;
        let span = Duration::try_from_secs_f64(stretched + windowed).unwrap_or(Duration::MAX);
        Some(Report {
            span,
            #[cfg(test)]
            total,
            is_whole,
            sites,
        })
    }

    /// Brings totals of windows nearer to now, as if the least that the latest rates can be went on for this long: else they would be
    /// behind by up to the time between two windows. Not the likeliest rate: what was told too much can never be taken back. The next
    /// report begins where the windows ended.
    pub(crate) fn carry_on(&mut self, sites: &mut [SiteRate], behind: Duration) {
        for site in sites.iter_mut().filter(|site| site.rate.upper.is_some()) {
            let Some(registered) = self.registrations.get_mut(&site.pc) else { continue };
            registered.told = registered.told.max(registered.known + site.rate.lower * behind.as_secs_f64());
            site.registrations = registered.told;
        }
    }

    /// How many of the latest windows a report is made of.
    fn enough(&self) -> usize {
        let (mut count, mut sum, mut squares, mut age) = (0, 0.0, 0.0, Duration::ZERO);
        for window in self.windows.iter().rev() {
            let busy = sum * sum >= ENOUGH_BUSY * squares || age > LONGEST_SPAN;
            if count >= self.fresh.max(ENOUGH) && busy {
                break;
            }
            let cpu = window.inside.target_cpu.as_secs_f64();
            sum += cpu;
            squares += cpu * cpu;
            age = age.saturating_add(window.span());
            count += 1;
        }
        count
    }

    /// Lets go of windows that are too old, and not of this report.
    fn forget(&mut self) {
        let mut age = self.windows.iter().map(Window::span).fold(Duration::ZERO, Duration::saturating_add);
        while age > KEPT && self.windows.len() > self.fresh {
            let Some(oldest) = self.windows.pop_front() else { return };
            age = age.saturating_sub(oldest.span());
        }
    }

    /// Sites that were found, or reported before.
    fn pcs(&self) -> Vec<u64> {
        let known = self.registrations.keys().copied();
        let counted = self.stretches.iter().chain(self.windows.iter().map(|window| &window.inside));
        let found = counted.flat_map(|interval| interval.sites.iter().map(|site| site.pc));
        let all: BTreeSet<u64> = found.collect();
        let room = MAX_SITES.saturating_sub(self.registrations.len());
        let new = all.into_iter().filter(|pc| !self.registrations.contains_key(pc)).take(room);
        let mut pcs: Vec<u64> = known.chain(new).collect();
        pcs.sort_unstable();
        pcs
    }
}

fn seconds(all: impl Iterator<Item = Duration>) -> f64 {
    all.fold(Duration::ZERO, Duration::saturating_add).as_secs_f64()
}
