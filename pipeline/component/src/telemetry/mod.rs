//! The service's own metrics and health, and the Prometheus text they are shown in.

mod exposition;
mod health;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

pub use exposition::{Exposition, LabelSet, MetricKind};
pub use health::{Degraded, Health};

/// Label names and values of one series, in the order in which they are shown.
pub type Labels = Vec<(&'static str, String)>;

/// A count that only grows. Cloning gives another handle to the same series.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A value at an instant. The series is shown as long as a handle to it lives.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The value last set, 0 at first.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// The registry of the service's own metrics.
///
/// Deliberately small: counters and gauges of atomics, rendered on request. A metrics SDK would bring its own pipeline into a
/// service whose business is pipelines.
#[derive(Debug, Default)]
pub struct Telemetry {
    families: RwLock<BTreeMap<&'static str, Family>>,
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    series: Series,
}

#[derive(Debug)]
enum Series {
    Counters(BTreeMap<Labels, Counter>),
    Gauges(BTreeMap<Labels, Weak<AtomicU64>>),
}

impl Telemetry {
    /// The counter of these labels, made on first use. A name already used for gauges gives a counter that is not shown.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: Labels) -> Counter {
        let mut families = self.families.write();
        let family = families.entry(name).or_insert_with(|| Family { help, series: Series::Counters(BTreeMap::new()) });
        match &mut family.series {
            Series::Counters(series) => series.entry(labels).or_default().clone(),
            Series::Gauges(_) => Counter::default(),
        }
    }

    /// The gauge of these labels, made on first use. A name already used for counters gives a gauge that is not shown.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: Labels) -> Gauge {
        let mut families = self.families.write();
        let family = families.entry(name).or_insert_with(|| Family { help, series: Series::Gauges(BTreeMap::new()) });
        let Series::Gauges(series) = &mut family.series else { return Gauge::default() };
        series.retain(|_, value| value.strong_count() > 0);
        if let Some(value) = series.get(&labels).and_then(Weak::upgrade) {
            return Gauge(value);
        }
        let gauge = Gauge::default();
        series.insert(labels, Arc::downgrade(&gauge.0));
        gauge
    }

    /// The sum of the counters of this name that have this label.
    pub fn total(&self, name: &str, label: (&str, &str)) -> u64 {
        let families = self.families.read();
        let Some(Family { series: Series::Counters(series), .. }) = families.get(name) else { return 0 };
        let has = |labels: &Labels| labels.iter().any(|(key, value)| (*key, value.as_str()) == label);
        series.iter().filter(|(labels, _)| has(labels)).map(|(_, counter)| counter.get()).sum()
    }

    /// Writes every series.
    pub fn render(&self, out: &mut Exposition) {
        for (name, family) in self.families.read().iter() {
            match &family.series {
                Series::Counters(series) => {
                    out.family(name, family.help, MetricKind::Counter);
                    for (labels, counter) in series {
                        out.sample(name, labels.iter().map(|(key, value)| (*key, value.as_str())), integer(counter.get()), None);
                    }
                }
                Series::Gauges(series) => {
                    out.family(name, family.help, MetricKind::Gauge);
                    for (labels, value) in series.iter().filter_map(|(labels, value)| Some((labels, value.upgrade()?))) {
                        let labels = labels.iter().map(|(key, value)| (*key, value.as_str()));
                        out.sample(name, labels, Gauge(value).get(), None);
                    }
                }
            }
        }
    }
}

/// A count as the sample value of the text format, which knows only floating point. Exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "the exposition format has no integers")]
pub const fn integer(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(telemetry: &Telemetry) -> String {
        let mut out = Exposition::new();
        telemetry.render(&mut out);
        out.finish()
    }

    #[test]
    fn the_same_labels_are_the_same_series() {
        let telemetry = Telemetry::default();
        telemetry.counter("otelcol_x", "help", vec![("a", "1".into())]).add(2);
        telemetry.counter("otelcol_x", "help", vec![("a", "1".into())]).add(3);
        assert_eq!(text(&telemetry), "# HELP otelcol_x help\n# TYPE otelcol_x counter\notelcol_x{a=\"1\"} 5\n");
    }

    #[test]
    fn a_gauge_is_shown_while_somebody_holds_it() {
        let telemetry = Telemetry::default();
        let gauge = telemetry.gauge("otelcol_q", "help", vec![]);
        gauge.set(1.5);
        assert!(text(&telemetry).contains("otelcol_q 1.5\n"));
        drop(gauge);
        assert!(!text(&telemetry).contains("otelcol_q 1.5"));
    }
}
