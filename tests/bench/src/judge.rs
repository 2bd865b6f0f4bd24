//! What deferd reported about a run, held against the program's own account.

use std::collections::BTreeMap;

use deferd_integration::rates::Announcement;
use deferd_integration::recording::{Point, Recording};

use crate::spread::Spread;
use crate::truth::{Account, Truth, real};

/// The counter of registrations.
pub const REGISTRATIONS: &str = "go.defer.registrations";
/// The rate of the latest interval; its bounds have these names with `.lower` and `.upper`.
pub const RATE: &str = "go.defer.registrations.rate";
/// What probes cost, as a share of one CPU.
pub const OVERHEAD: &str = "deferd.target.overhead";

/// What the promise allows at any CPU use, as a share of one CPU: a millisecond a second.
pub const LEAST_ALLOWANCE: f64 = 0.001;
/// What it allows of the CPU that the target uses.
const ALLOWANCE: f64 = 0.01;

/// How well one run was reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// Registrations that the counter showed, and what truly happened between its first and its last point; both per second.
    pub counter: Option<(f64, f64)>,
    /// Points at which a counter fell, which it never may.
    pub fell: u32,
    /// Reports of a rate with both bounds.
    pub reports: u32,
    /// Those whose interval holds the truth.
    pub held: u32,
    /// Reports without an upper bound. They are judged apart: whoever says less is right more easily.
    pub at_least: u32,
    /// Those whose lower bound lies below the truth.
    pub at_least_held: u32,
    /// Reports that state no bound at all.
    pub unbounded: u32,
    /// The widest part of the intervals, as a share of the rate: the median over the reports with both bounds.
    pub width: Option<f64>,
    /// What probes cost on average, as a share of one CPU.
    pub overhead: Option<f64>,
    /// What the promise allowed, as a share of one CPU.
    pub allowed: f64,
}

impl Verdict {
    /// Whether the promise about costs was kept, by what was reported; no if nothing was.
    pub fn within_budget(&self) -> bool {
        self.overhead.is_some_and(|overhead| overhead <= self.allowed)
    }

    /// By how much the counter is off, in percent of the truth.
    pub fn error(&self) -> Option<f64> {
        self.counter.filter(|(_, truth)| *truth > 0.0).map(|(reported, truth)| (reported / truth - 1.0) * 100.0)
    }
}

/// Points of one series by time.
type Series<'a> = BTreeMap<u64, &'a Point>;

/// Judges what was recorded between two times in nanoseconds.
pub fn judge(said: &Announcement, account: &Account, recording: &Recording, from: u64, to: u64) -> Verdict {
    let mut verdict = Verdict::default();
    let share = 1.0 / real(said.sites.len().max(1) as u64);
    let of = |metric| series(recording, metric, said, from, to);
    let (mut reported, mut truth) = (0.0, 0.0);
    let (lower, upper) = (of("go.defer.registrations.rate.lower"), of("go.defer.registrations.rate.upper"));
    for (site, points) in of(REGISTRATIONS) {
        // Where only "at least" is known a counter is behind by design, and catches up as soon as a rate is known.
        let known = upper.get(site).and_then(|upper| Some((upper.first_key_value()?.0, upper.last_key_value()?.0)));
        let known = known.filter(|(from, to)| from < to);
        let mut compared = points.iter().filter(|(time, _)| known.is_none_or(|(from, to)| (from..=to).contains(time)));
        let Some((&begin, first)) = compared.next() else { continue };
        let (&end, last) = compared.next_back().unwrap_or((&begin, first));
        let falls = points.values().zip(points.values().skip(1)).filter(|(before, after)| after.value < before.value);
        verdict.fell += u32::try_from(falls.count()).unwrap_or(u32::MAX);
        if let Some(registered) = account.registrations(begin, end).filter(|_| begin < end) {
            let seconds = real(end - begin) / 1e9;
            reported += (last.value - first.value) / seconds;
            truth += registered.middle() * share / seconds;
            verdict.counter = Some((reported, truth));
        }
    }
    let mut widths = Vec::new();
    for (site, rates) in of(RATE) {
        let bound = |series: &BTreeMap<_, Series<'_>>, time: &u64| series.get(site)?.get(time).map(|point| point.value);
        for (earlier, (time, rate)) in std::iter::once(None).chain(rates.keys().map(Some)).zip(&rates) {
            let begin = if rate.start > 0 { Some(rate.start) } else { earlier.copied() };
            let Some(truth) = begin.and_then(|begin| per_second(account, begin, *time, share)) else { continue };
            let (Some(least), most) = (bound(&lower, time), bound(&upper, time)) else {
                verdict.unbounded += 1;
                continue;
            };
            let Some(most) = most else {
                verdict.at_least += 1;
                verdict.at_least_held += u32::from(least <= truth.most);
                continue;
            };
            verdict.reports += 1;
            verdict.held += u32::from(least <= truth.most && most >= truth.least);
            widths.extend((rate.value > 0.0).then(|| (most - rate.value).max(rate.value - least) / rate.value));
        }
    }
    verdict.width = Spread::of(widths).map(|spread| spread.median);
    verdict.overhead = overhead(recording, from, to);
    let used = account.cpu(from, to).unwrap_or_default() / (real(to.saturating_sub(from).max(1)) / 1e9);
    verdict.allowed = (used * ALLOWANCE).max(LEAST_ALLOWANCE);
    verdict
}

/// The series of a metric that belong to the program's sites.
fn series<'a>(
    recording: &'a Recording,
    metric: &'a str,
    said: &Announcement,
    from: u64,
    to: u64,
) -> BTreeMap<&'a BTreeMap<String, String>, Series<'a>> {
    let mut all: BTreeMap<_, Series<'_>> = BTreeMap::new();
    for point in recording.of(metric).filter(|point| (from..=to).contains(&point.time)) {
        let is = |key: &str, value: &str| point.attributes.get(key).is_some_and(|found| found == value);
        let at_site = said.sites.iter().any(|line| is("code.line.number", &line.to_string()));
        if at_site && is("code.function.name", &said.function) {
            all.entry(&point.attributes).or_default().insert(point.time, point);
        }
    }
    all
}

fn per_second(account: &Account, from: u64, to: u64, share: f64) -> Option<Truth> {
    let truth = account.registrations(from, to).filter(|_| from < to)?;
    let factor = share / (real(to - from) / 1e9);
    Some(Truth { least: truth.least * factor, most: truth.most * factor })
}

/// The average over time of all probes together.
fn overhead(recording: &Recording, from: u64, to: u64) -> Option<f64> {
    let mut at: BTreeMap<u64, f64> = BTreeMap::new();
    for point in recording.of(OVERHEAD).filter(|point| (from..=to).contains(&point.time)) {
        *at.entry(point.time).or_default() += point.value;
    }
    (!at.is_empty()).then(|| at.values().sum::<f64>() / real(at.len() as u64))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
