//! From the store to the text that Prometheus reads.
//!
//! Families by name, series by labels, so that two scrapes of the same series are the same text. Metrics whose names fall together are
//! one family: the type and description of the first stand, a metric of another type is left out, and of series whose labels
//! fall together the one updated last is shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use deferd_component::telemetry::{Exposition, LabelSet, MetricKind, integer};

use super::config::Config;
use super::key;
use super::labels::Labels;
use super::names::MetricNames;
use super::series::{Histogram, Point, Series, Value};
use super::store::{Metric, MetricId, Store};

/// Something that does not fit and was left out, for the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Conflict {
    /// Nothing of a metric's name can be in a Prometheus name.
    Name(String),
    /// Two metrics of one name and different types.
    Type { family: String, metric: String, existing: MetricKind, dropped: MetricKind },
    /// Two metrics of one name and different descriptions.
    Help { family: String, existing: String, dropped: String },
}

/// The whole text, and what did not fit into it.
pub(super) fn render(store: &Store, config: &Config, now: Instant) -> (String, Vec<Conflict>) {
    let mut page = Renderer { config, labels: Labels::new(config), now, out: Exposition::new(), conflicts: Vec::new() };
    let names = MetricNames { namespace: &config.namespace, suffixes: config.add_metric_suffixes };
    let target_info = names.prefixed("target_info");
    let mut families: BTreeMap<String, Vec<(&MetricId, &Metric)>> = BTreeMap::new();
    for (id, metric) in store.metrics() {
        match names.build(&id.name, &id.unit, id.kind) {
            Some(name) => families.entry(name).or_default().push((id, metric)),
            None => page.conflicts.push(Conflict::Name(id.name.clone())),
        }
    }
    page.targets(&target_info, store);
    for (name, mut metrics) in families {
        metrics.sort_by_key(|(_, metric)| metric.order);
        if name == target_info {
            page.conflicts.extend(metrics.iter().map(|(id, _)| type_conflict(&name, id, MetricKind::Gauge)));
        } else {
            page.family(&name, &metrics);
        }
    }
    (page.out.finish(), page.conflicts)
}

struct Renderer<'a> {
    config: &'a Config,
    labels: Labels<'a>,
    now: Instant,
    out: Exposition,
    conflicts: Vec<Conflict>,
}

impl Renderer<'_> {
    /// One series for each resource that has any.
    fn targets(&mut self, name: &str, store: &Store) {
        let live = store.metrics().flat_map(|(_, metric)| metric.series.values()).filter(|series| self.is_live(series));
        let mut origins: Vec<_> = live.map(|series| (series.origin.id, &series.origin)).collect();
        origins.sort_unstable_by_key(|(id, _)| *id);
        origins.dedup_by_key(|(id, _)| *id);
        // Of resources with one identity the newest is shown: two would be two values of one series.
        let targets: BTreeMap<_, _> = origins
            .iter()
            .filter_map(|(_, origin)| Some(((&origin.job, &origin.instance), Labels::of_target(origin)?)))
            .collect();
        if !targets.is_empty() {
            self.out.family(name, "Target metadata", MetricKind::Gauge);
        }
        for labels in targets.values() {
            self.out.sample_of((name, ""), labels, None, 1.0, None);
        }
    }

    fn family(&mut self, name: &str, metrics: &[(&MetricId, &Metric)]) {
        let Some((first, rest)) = metrics.split_first() else { return };
        let (kind, help) = (first.0.kind.shown(), &first.1.help);
        let mut shown = vec![*first];
        for (id, metric) in rest {
            if id.kind.shown() == kind { shown.push((id, metric)) } else { self.conflicts.push(type_conflict(name, id, kind)) }
        }
        for (_, metric) in &shown {
            let others = [Some(&metric.help), metric.other_help.as_ref()];
            let differing = others.into_iter().flatten().filter(|other| *other != help);
            self.conflicts.extend(differing.map(|other| Conflict::Help {
                family: name.to_owned(),
                existing: help.clone(),
                dropped: other.clone(),
            }));
        }
        let series = self.series(&shown);
        if series.is_empty() {
            return;
        }
        self.out.family(name, help, kind);
        for (labels, point) in &series {
            self.point(name, labels, point);
        }
    }

    /// The live series of metrics that are shown as one, sorted by labels, one for each label set.
    fn series<'s>(&mut self, metrics: &[(&MetricId, &'s Metric)]) -> Vec<(LabelSet, &'s Point)> {
        let mut all: Vec<(LabelSet, &Series)> = Vec::new();
        for (id, metric) in metrics {
            for (key, series) in &metric.series {
                if self.is_live(series) {
                    all.push((self.labels.of_series(id.kind, &series.origin, key::attributes(key)), series));
                }
            }
        }
        all.sort_unstable_by(|(a, one), (b, other)| {
            a.cmp(b).then_with(|| (other.updated, other.point.time).cmp(&(one.updated, one.point.time)))
        });
        all.dedup_by(|(labels, _), (kept, _)| labels == kept);
        all.into_iter().map(|(labels, series)| (labels, &series.point)).collect()
    }

    fn is_live(&self, series: &Series) -> bool {
        self.now.saturating_duration_since(series.updated) < self.config.metric_expiration.get()
    }

    fn point(&mut self, name: &str, labels: &LabelSet, point: &Point) {
        let nanos = i64::try_from(point.time).unwrap_or(i64::MAX);
        let timestamp = (self.config.send_timestamps && nanos > 0).then_some(nanos / 1_000_000);
        let out = &mut self.out;
        match &point.value {
            Value::Number(value) => out.sample_of((name, ""), labels, None, *value, timestamp),
            Value::Histogram(histogram) => buckets(out, name, labels, histogram, timestamp),
            Value::Summary { count, sum, quantiles } => {
                for at in quantiles {
                    out.sample_of((name, ""), labels, Some(("quantile", at.quantile)), at.value, timestamp);
                }
                out.sample_of((name, "_sum"), labels, None, *sum, timestamp);
                out.sample_of((name, "_count"), labels, None, integer(*count), timestamp);
            }
        }
    }
}

fn buckets(out: &mut Exposition, name: &str, labels: &LabelSet, histogram: &Histogram, timestamp: Option<i64>) {
    let (cumulative, count) = histogram.cumulative();
    // A sender may say the infinite bound itself; it is written once, below.
    let finite = histogram.bounds.iter().zip(&cumulative).filter(|(bound, _)| **bound != f64::INFINITY);
    for (bound, up_to) in finite {
        out.sample_of((name, "_bucket"), labels, Some(("le", *bound)), integer(*up_to), timestamp);
    }
    out.sample_of((name, "_bucket"), labels, Some(("le", f64::INFINITY)), integer(count), timestamp);
    if let Some(sum) = histogram.sum {
        out.sample_of((name, "_sum"), labels, None, sum, timestamp);
    }
    out.sample_of((name, "_count"), labels, None, integer(count), timestamp);
}

fn type_conflict(family: &str, id: &MetricId, existing: MetricKind) -> Conflict {
    Conflict::Type { family: family.to_owned(), metric: id.name.clone(), existing, dropped: id.kind.shown() }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(metric) => write!(f, "normalization for metric {metric:?} resulted in empty name; it is left out"),
            Self::Type { family, metric, existing, dropped } => write!(
                f,
                "instrument type conflict, using existing type definition. instrument: {family}, existing: {existing:?}, \
                 dropped: {dropped:?} (metric {metric:?} is left out)"
            ),
            Self::Help { family, existing, dropped } => write!(
                f,
                "instrument description conflict, using existing. instrument: {family}, existing: {existing:?}, dropped: {dropped:?}"
            ),
        }
    }
}
