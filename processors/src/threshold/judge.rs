//! One batch against the rules: which series are in it, what they measure, and what fires.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Instant;

use deferd_component::alert;
use deferd_pdata::attributes::Attributes;
use deferd_pdata::build::EncodedAttributes;
use deferd_pdata::metrics::{Data, Metric, Number, NumberPoint, Request, Temporality};
use smallvec::SmallVec;

use super::decide::use_of_window;
use super::names::NameId;
use super::notice::Notice;
use super::rule::RuleSet;
use super::state::{Cell, Ending, Series, Shard, State};
use super::sum::Sum;

/// Limits that protect the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) series: usize,
    pub(super) alerts_per_rule: usize,
}

/// What judging a batch brought.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) notices: Vec<Notice>,
    /// Those of the notices that say an end.
    pub(super) endings: Vec<Ending>,
    /// Points that a rule looked at.
    pub(super) judged: usize,
    /// Points whose series found no room.
    pub(super) rejected: usize,
    /// Alerts that would have fired but for the limit, by rule index.
    pub(super) suppressed: SmallVec<[usize; 2]>,
}

impl Verdict {
    /// Takes an end, which goes with the batch and is remembered.
    pub(super) fn end(&mut self, (resource, series): (u128, u128), rule: NameId, notice: Option<Notice>) {
        if let Some(notice) = notice {
            self.endings.push(Ending { resource, series, rule, notice: notice.clone() });
            self.notices.push(notice);
        }
    }
}

/// Judges requests by one set of rules.
pub(super) struct Judge<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) state: &'a State,
    pub(super) generation: u64,
    pub(super) limits: Limits,
    /// Monotonic, for staleness.
    pub(super) now: Instant,
    /// Nanoseconds since the epoch, for points that do not say when they were taken.
    pub(super) time: u64,
    /// Keys of the resource and the series that are being judged.
    pub(super) place: (u128, u128),
    pub(super) verdict: Verdict,
}

/// A resource whose points are being judged.
pub(super) struct Subject<'r> {
    pub(super) attributes: Attributes<'r>,
    pub(super) key: u128,
    /// Encoded once an alert needs it.
    encoded: Option<Arc<EncodedAttributes>>,
}

/// How the numbers of a metric are to be read.
#[derive(Clone, Copy)]
pub(super) enum Reading {
    Level,
    Delta,
}

/// One number to be judged.
pub(super) struct Sample<'a> {
    pub(super) value: f64,
    pub(super) reading: Reading,
    pub(super) time: u64,
    pub(super) attributes: Attributes<'a>,
}

impl Judge<'_> {
    /// Judges every point of a serialized request that a rule looks at.
    pub(super) fn request(&mut self, bytes: &[u8]) {
        for resource in Request::new(bytes).resources() {
            let attributes = resource.resource.attributes();
            let mut subject: Option<Subject<'_>> = None;
            let mut guard = None;
            for scope in resource.scopes().filter(|scope| scope.scope.name != alert::SCOPE) {
                for metric in scope.items() {
                    let rules = self.rules;
                    let wanted = rules.of_metric(metric.name.as_bytes());
                    if wanted.is_empty() {
                        continue;
                    }
                    let subject = subject.get_or_insert_with(|| {
                        let key = self.state.keys.resource(&attributes);
                        Subject { attributes: attributes.clone(), key, encoded: None }
                    });
                    if guard.is_none() {
                        guard = self.state.shard(subject.key);
                        // Asked under the lock: a reload may have put another instance to work since the batch came.
                        if !self.state.is_current(self.generation) {
                            return;
                        }
                    }
                    if let Some(shard) = guard.as_deref_mut() {
                        self.metric(shard, subject, &metric, wanted);
                    }
                }
            }
        }
    }

    fn metric(&mut self, shard: &mut Shard, subject: &mut Subject<'_>, metric: &Metric<'_>, wanted: &[usize]) {
        let (points, reading) = match metric.data() {
            Data::Sum { points, temporality: Temporality::Delta, .. } => (points, Reading::Delta),
            Data::Gauge(points) | Data::Sum { points, .. } => (points, Reading::Level),
            _ => return,
        };
        let mut sums = HashMap::new();
        for point in points {
            self.point(shard, subject, metric, wanted, &point, reading, &mut sums);
        }
        for (key, sum) in sums {
            self.sum(shard, subject, key, &sum, reading);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the levels of a request, each needed")]
    fn point(
        &mut self,
        shard: &mut Shard,
        subject: &mut Subject<'_>,
        metric: &Metric<'_>,
        wanted: &[usize],
        point: &NumberPoint<'_>,
        reading: Reading,
        sums: &mut HashMap<u128, Sum>,
    ) {
        let attributes = point.attributes();
        let key = self.state.keys.series(subject.key, metric.name.as_bytes(), &attributes);
        let time = if point.time == 0 { self.time } else { point.time };
        self.place = (subject.key, key);
        let Some(series) = self.series(shard, key) else { return };
        if series.generation > self.generation {
            return;
        }
        if series.generation != self.generation {
            self.choose_rules(series, subject, &attributes, wanted, time);
        }
        let value = point.value.map(Number::as_f64).filter(|_| !point.no_recorded_value());
        if value.is_some_and(|value| !value.is_finite()) {
            // No number says nothing, not even that the series has ended.
            return;
        }
        self.add_up(series, subject.key, &attributes, value, time, sums);
        let Some(value) = value else { return self.end(shard, time) };
        self.verdict.judged += 1;
        self.sample(series, subject, &Sample { value, reading, time, attributes });
    }

    /// The series of a key, new if there is room for it.
    pub(super) fn series<'s>(&mut self, shard: &'s mut Shard, key: u128) -> Option<&'s mut Series> {
        let series = match shard.series.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if !self.state.admit_series(self.limits.series) => {
                self.verdict.rejected += 1;
                return None;
            }
            Entry::Vacant(place) => place.insert(Series::new(self.now)),
        };
        series.seen = self.now;
        Some(series)
    }

    /// Decides which rules look at the series; what others have said about it ends.
    fn choose_rules(
        &mut self,
        series: &mut Series,
        subject: &Subject<'_>,
        attributes: &Attributes<'_>,
        wanted: &[usize],
        time: u64,
    ) {
        let fits = |index: &&usize| self.rules.get(**index).is_some_and(|rule| rule.matches(&subject.attributes, attributes));
        series.rules = wanted.iter().filter(fits).filter_map(|index| u32::try_from(*index).ok()).collect();
        series.generation = self.generation;
        let single = |index: &u32| self.rules.get(*index as usize).filter(|rule| rule.config.sum_by.is_none());
        let kept: SmallVec<[_; 4]> = series.rules.iter().filter_map(single).map(|rule| rule.id).collect();
        self.drop_cells(series, time, |cell| !kept.contains(&cell.rule));
        let windows: SmallVec<[_; 4]> = series.rules.iter().filter_map(single).filter_map(use_of_window).collect();
        series.keep_windows(&windows);
    }

    fn drop_cells(&mut self, series: &mut Series, time: u64, unwanted: impl Fn(&Cell) -> bool) {
        series.cells.retain(|cell| {
            let goes = unwanted(cell);
            if goes {
                self.verdict.end(self.place, cell.rule, ended(self.state, cell, time));
            }
            !goes
        });
    }

    /// The series has ended: so have its alerts.
    pub(super) fn end(&mut self, shard: &mut Shard, time: u64) {
        let Some(series) = shard.series.get_mut(&self.place.1) else { return };
        let now = series.clock.now();
        for cell in &mut series.cells {
            self.verdict.end(self.place, cell.rule, ended(self.state, cell, time));
            (cell.alert, cell.suppressed) = (None, false);
            cell.condition.end(now);
        }
        // A site that comes and goes with what it holds must not begin anew each time: then nothing would damp its flapping.
        series.cells.retain(|cell| !cell.condition.is_idle(now));
        series.windows.clear();
        if series.cells.is_empty() {
            shard.series.remove(&self.place.1);
            self.state.forget_series(1);
        }
    }
}

impl Subject<'_> {
    pub(super) fn encoded(&mut self) -> Arc<EncodedAttributes> {
        let attributes = &self.attributes;
        Arc::clone(self.encoded.get_or_insert_with(|| Arc::new(EncodedAttributes::new(attributes.clone()))))
    }
}

/// What is said about a cell that is let go while it fires.
pub(super) fn ended(state: &State, cell: &Cell, time: u64) -> Option<Notice> {
    let alert = cell.alert.clone()?;
    state.forget_alert(cell.rule);
    Some(Notice { alert, firing: false, time })
}
