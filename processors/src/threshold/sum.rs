//! Series that are added up before they are judged.

use std::collections::HashMap;

use deferd_pdata::attributes::Attributes;
use deferd_pdata::build::EncodedAttributes;

use super::decide::{measure, use_of_window};
use super::judge::{Judge, Reading, Sample, Subject};
use super::state::{Series, Shard};

/// Series that a rule adds up, within one metric of one resource.
pub(super) struct Sum {
    rule: usize,
    values: Vec<(String, String)>,
    /// `None` while every series in it has ended.
    total: Option<f64>,
    time: u64,
}

impl Judge<'_> {
    /// Adds the point to the sums of the rules that want one.
    pub(super) fn add_up(
        &self,
        series: &Series,
        resource: u128,
        attributes: &Attributes<'_>,
        value: Option<f64>,
        time: u64,
        sums: &mut HashMap<u128, Sum>,
    ) {
        for index in series.rules.iter().map(|index| *index as usize) {
            let Some((rule, by)) = self.rules.get(index).and_then(|rule| Some((rule, rule.config.sum_by.as_ref()?))) else {
                continue;
            };
            let text = |key: &String| attributes.get(key).map(|value| value.to_text().into_owned()).unwrap_or_default();
            let values: Vec<(&str, String)> = by.iter().map(|key| (key.as_str(), text(key))).collect();
            let key = self.state.keys.sum(resource, rule.identity(), &values);
            let owned = || values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
            let sum = sums.entry(key).or_insert_with(|| Sum { rule: index, values: owned(), total: None, time });
            sum.time = sum.time.max(time);
            sum.total = match (sum.total, value) {
                (total, None) => total,
                (total, Some(value)) => Some(total.unwrap_or_default() + value),
            };
        }
    }

    /// Judges a sum.
    pub(super) fn sum(&mut self, shard: &mut Shard, subject: &mut Subject<'_>, key: u128, sum: &Sum, reading: Reading) {
        self.place = (subject.key, key);
        let Some(value) = sum.total.filter(|value| value.is_finite()) else { return self.end(shard, sum.time) };
        let Some(series) = self.series(shard, key) else { return };
        let mut labels = EncodedAttributes::default();
        for (key, value) in sum.values.iter().filter(|(_, value)| !value.is_empty()) {
            labels.push(key, value.as_str());
        }
        series.generation = self.generation;
        let Some(now) = series.advance(sum.time) else { return };
        let Some(rule) = self.rules.get(sum.rule) else { return };
        series.keep_windows(use_of_window(rule).as_slice());
        let sample = Sample { value, reading, time: sum.time, attributes: labels.view() };
        let measured = measure(series, rule, &sample, now);
        self.decide(series, subject, rule, sum.rule, measured, &sample);
    }
}
