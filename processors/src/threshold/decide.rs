//! One value against one rule: what it measures, and what is said about that.

use std::sync::Arc;

use deferd_pdata::build::EncodedAttributes;
use smallvec::SmallVec;

use super::condition::{Condition, Firing, Moment};
use super::config::Measure;
use super::judge::{Judge, Reading, Sample, Subject, ended};
use super::notice::{Alert, Notice};
use super::rule::Rule;
use super::state::{Cell, Series, shared};
use super::text::{Facts, Place, render};

impl Judge<'_> {
    /// Measures and judges one value by every rule that looks at its series alone.
    pub(super) fn sample(&mut self, series: &mut Series, subject: &mut Subject<'_>, sample: &Sample<'_>) {
        let Some(now) = series.advance(sample.time) else { return };
        let indices = series.rules.clone();
        let mut fed: SmallVec<[(u64, bool); 2]> = SmallVec::new();
        for index in indices.iter().map(|index| *index as usize) {
            let Some(rule) = self.rules.get(index).filter(|rule| rule.config.sum_by.is_none()) else { continue };
            let measured = match use_of_window(rule) {
                Some((length, counts)) if fed.contains(&(length.to_bits(), counts)) => read_window(series, rule),
                Some((length, counts)) => {
                    fed.push((length.to_bits(), counts));
                    measure(series, rule, sample, now)
                }
                None => Some(sample.value),
            };
            self.decide(series, subject, rule, index, measured, sample);
        }
    }

    /// Judges what was measured.
    pub(super) fn decide(
        &mut self,
        series: &mut Series,
        subject: &mut Subject<'_>,
        rule: &Rule,
        index: usize,
        measured: Option<f64>,
        sample: &Sample<'_>,
    ) {
        let Some(value) = measured else {
            // A window that was begun anew says nothing yet, so what was said last holds.
            let known = series.cell(rule.id).and_then(|cell| cell.alert.clone());
            self.verdict.notices.extend(known.map(|alert| Notice { alert, firing: true, time: sample.time }));
            return;
        };
        let at = series.clock.now();
        if series.fires_any(&rule.unless) {
            let (place, time) = (self.place, sample.time);
            if let Some(cell) = series.cell(rule.id) {
                self.verdict.end(place, rule.id, ended(self.state, cell, time));
            }
            series.cells.retain(|cell| cell.rule != rule.id);
            return;
        }
        if series.cell(rule.id).is_none() {
            // Most series are well, and then there is nothing to remember.
            if !rule.levels.iter().any(|level| level.limit.is_passed_by(value)) {
                return;
            }
            let cell = Cell { rule: rule.id, condition: Condition::default(), alert: None, suppressed: false };
            series.cells.push(Box::new(cell));
        }
        let Some(cell) = series.cell(rule.id) else { return };
        let before = cell.condition.clone();
        let firing = cell.condition.judge(value, Moment { at, time: sample.time }, &rule.levels, rule.timing);
        if let Some(firing) = firing {
            return self.fire(cell, &before, subject, rule, index, firing, value, sample);
        }
        self.verdict.end(self.place, rule.id, ended(self.state, cell, sample.time));
        (cell.alert, cell.suppressed) = (None, false);
        if cell.condition.is_idle(at) {
            series.cells.retain(|cell| cell.rule != rule.id);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "everything that an alert tells")]
    fn fire(
        &mut self,
        cell: &mut Cell,
        before: &Condition,
        subject: &mut Subject<'_>,
        rule: &Rule,
        index: usize,
        firing: Firing,
        value: f64,
        sample: &Sample<'_>,
    ) {
        let Some(level) = rule.levels.get(firing.level) else { return };
        if cell.alert.is_none() && !self.state.admit_alert(rule.id, self.limits.alerts_per_rule) {
            cell.condition.suppress(before);
            if !cell.suppressed {
                cell.suppressed = true;
                self.verdict.suppressed.push(index);
            }
            return;
        }
        cell.suppressed = false;
        if let Some(other) = cell.alert.as_ref().filter(|alert| alert.severity != level.severity) {
            let over = Notice { alert: other.clone(), firing: false, time: sample.time };
            self.verdict.end(self.place, rule.id, Some(over));
        }
        let place = Place::new(&subject.attributes, &sample.attributes);
        let facts = Facts {
            name: &rule.config.name,
            severity: level.severity.as_str(),
            value: value.into(),
            threshold: level.limit.number().into(),
            measure: rule.measure().as_str(),
            window: rule.config.window.to_string(),
            place: &place,
        };
        let (summary, remediation) = (render(&rule.config.summary, &facts), render(&rule.config.remediation, &facts));
        let (name, labels) = match cell.alert.take() {
            Some(Alert { name, labels, .. }) => (name, labels),
            None => (shared(&rule.config.name), Arc::new(EncodedAttributes::new(sample.attributes.clone()))),
        };
        let alert = Alert {
            name,
            severity: level.severity,
            resource: subject.encoded(),
            labels,
            since: firing.since.time,
            value,
            threshold: level.limit.number(),
            measure: rule.measure().as_str(),
            summary,
            remediation,
        };
        self.verdict.notices.push(Notice { alert: alert.clone(), firing: true, time: sample.time });
        cell.alert = Some(alert);
    }
}

/// Length of the window that a rule needs, and whether the window counts; `None` if it needs none.
pub(super) fn use_of_window(rule: &Rule) -> Option<(f64, bool)> {
    (rule.measure() != Measure::Value).then(|| (rule.window, rule.measure() == Measure::Rate))
}

/// Adds a value to the window that a rule needs, and reads that.
pub(super) fn measure(series: &mut Series, rule: &Rule, sample: &Sample<'_>, now: f64) -> Option<f64> {
    let Some((length, counts)) = use_of_window(rule) else { return Some(sample.value) };
    let window = &mut series.window(length, counts)?.window;
    match (counts, sample.reading) {
        (true, Reading::Level) => window.push_counter(now, sample.value, length),
        (true, Reading::Delta) => window.push_increase(now, sample.value, length),
        (false, _) => window.push(now, sample.value, length),
    }
    read_window(series, rule)
}

fn read_window(series: &mut Series, rule: &Rule) -> Option<f64> {
    let (length, counts) = use_of_window(rule)?;
    let window = &series.window(length, counts)?.window;
    if counts { window.rate() } else { window.slope() }
}
