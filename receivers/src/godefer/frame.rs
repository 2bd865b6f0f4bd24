//! From one look at a process to one OTLP request.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use deferd_goproc::snapshot::{SiteName, Snapshot};
use deferd_pdata::build::{
    EncodedAttributes, HistogramPoint, HistogramPoints, MetricsBuilder, MetricsScope, NumberPoint, NumberPoints, Value,
};
use deferd_pdata::metrics::{Number, Temporality};

use super::files::FileFigures;
use super::history::{Report, Row};
use super::metric::{Metric, Shape};

/// The attributes of a series; equal if their encoded forms are.
#[derive(Debug, Clone)]
pub(super) struct Series(Arc<EncodedAttributes>);

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes() == other.0.as_bytes()
    }
}

impl Eq for Series {}

impl Hash for Series {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

impl Series {
    pub(super) fn new(attributes: &[(&str, Value<'_>)]) -> Self {
        Self(Arc::new(EncodedAttributes::new(attributes)))
    }
}

/// The series that a consumer believes to be alive.
pub(super) type Alive = HashSet<(Metric, Series)>;

/// The points of one look.
#[derive(Debug, Default)]
pub(super) struct Frame {
    points: Vec<(Metric, Series, Reading)>,
    /// Series that go on without a point.
    kept: Alive,
}

/// What a point says.
#[derive(Debug, Clone)]
pub(super) enum Reading {
    Number(Number),
    /// Of a time of its own: from where to where, in nanoseconds since the epoch.
    Between(f64, Times),
    Distribution(Arc<Distribution>),
}

/// How many values were up to each bound, each counted at the first, and beyond the last.
#[derive(Debug, Clone)]
pub(super) struct Distribution {
    pub(super) bounds: Vec<f64>,
    pub(super) counts: Vec<u64>,
    pub(super) sum: f64,
}

impl From<i64> for Reading {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<f64> for Reading {
    fn from(number: f64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Arc<Distribution>> for Reading {
    fn from(values: Arc<Distribution>) -> Self {
        Self::Distribution(values)
    }
}

/// The times that go with the points, in nanoseconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// When the process began: from there its counters count. 0 if unknown.
    pub(super) start: u64,
    /// When the values were taken.
    pub(super) taken: u64,
}

impl Frame {
    /// All points of one look.
    pub(super) fn new(snapshot: &Snapshot, report: &Report, files: &FileFigures) -> Self {
        let mut frame = Self::default();
        report.rows.iter().for_each(|row| frame.site(row));
        if let Some((pending, bytes)) = report.other {
            let other = Series::new(&[("code.function.name", "other".into())]);
            frame.add(Metric::Pending, &other, count(pending));
            frame.add(Metric::PendingMemory, &other, count(bytes));
        }
        frame.chains(snapshot);
        frame.goroutines(snapshot);
        frame.runtime(snapshot);
        frame.files(files);
        frame.cost(snapshot);
        frame
    }

    pub(super) fn add(&mut self, metric: Metric, series: &Series, value: impl Into<Reading>) {
        self.points.push((metric, series.clone(), value.into()));
    }

    pub(super) fn add_plain(&mut self, metric: Metric, value: impl Into<Reading>) {
        self.add(metric, &Series::new(&[]), value);
    }

    fn site(&mut self, row: &Row) {
        let series = site_series(&row.name);
        self.add(Metric::Pending, &series, count(row.pending));
        self.add(Metric::PendingMemory, &series, count(row.memory_bytes));
        if let Some(growth) = row.growth {
            self.add(Metric::PendingGrowth, &series, growth);
        }
        if let Some(age) = row.oldest_age {
            self.add(Metric::PendingOldestAge, &series, age.as_secs_f64());
        }
    }

    fn chains(&mut self, snapshot: &Snapshot) {
        self.add_plain(Metric::ChainMax, count(snapshot.chains.max));
        for step in &snapshot.chains.at_least {
            let length = Series::new(&[("go.defer.chain.at_least", count(step.length).into())]);
            self.add(Metric::ChainGoroutines, &length, count(step.goroutines));
        }
    }

    fn goroutines(&mut self, snapshot: &Snapshot) {
        for group in &snapshot.goroutines.groups {
            let state = ("go.goroutine.state", Value::from(group.state.name()));
            let series = if group.wait_reason.is_empty() {
                Series::new(&[state])
            } else {
                Series::new(&[state, ("go.goroutine.wait_reason", group.wait_reason.into())])
            };
            self.add(Metric::Goroutines, &series, count(group.count));
        }
    }

    fn runtime(&mut self, snapshot: &Snapshot) {
        let figures = &snapshot.runtime;
        let counts = [
            (Metric::MemoryUsed, figures.heap_live),
            (Metric::MemoryGcGoal, figures.heap_goal),
            (Metric::MemoryAllocated, figures.allocated_total),
            (Metric::GcCycles, figures.gc_cycles),
        ];
        for (metric, value) in counts {
            if let Some(value) = value {
                self.add_plain(metric, count(value));
            }
        }
        if let Some(pauses) = figures.gc_pause_total {
            self.add_plain(Metric::GcPauses, pauses.as_secs_f64());
        }
    }

    fn files(&mut self, files: &FileFigures) {
        if let Some(total) = files.total {
            self.add_plain(Metric::FileDescriptors, count(total));
        }
        for (kind, files) in &files.by_type {
            let kind = Series::new(&[("process.unix.file_descriptor.type", (*kind).into())]);
            self.add(Metric::FileDescriptorsByType, &kind, count(*files));
        }
        if let Some(growth) = files.growth {
            self.add_plain(Metric::FileDescriptorGrowth, growth);
        }
    }

    fn cost(&mut self, snapshot: &Snapshot) {
        self.add_plain(Metric::SnapshotDuration, snapshot.cost.wall.as_secs_f64());
        self.add_plain(Metric::SnapshotCpu, snapshot.cost.cpu.as_secs_f64());
        self.add_plain(Metric::SnapshotUnverified, count(snapshot.unverified.goroutines));
        self.add_plain(Metric::SnapshotUnsearched, count(snapshot.open_coded.skipped));
    }

    /// The probes did not answer in time, as when they are busy with another process: what they tell goes on with the next look. To
    /// end their series would say that there is nothing any more, and rules would begin to wait anew.
    pub(super) fn keep_probes(&mut self, alive: &Alive) {
        self.kept = alive.iter().filter(|(metric, _)| metric.is_of_probes()).cloned().collect();
    }

    /// The series in it.
    pub(super) fn series(&self) -> Alive {
        let shown = self.points.iter().map(|(metric, series, _)| (*metric, series.clone()));
        shown.chain(self.kept.iter().cloned()).collect()
    }

    /// One request with these points, and an end mark for each series of `alive` that is not among them. Returns the bytes and
    /// the number of points.
    pub(super) fn encode(&self, resource: &EncodedAttributes, alive: &Alive, times: Times) -> (deferd_pdata::Bytes, usize) {
        let now = self.series();
        let ended: Vec<&(Metric, Series)> = alive.difference(&now).collect();
        let mut request = MetricsBuilder::default();
        request.resource(resource, |resource| {
            resource.scope("deferd/godefer", env!("CARGO_PKG_VERSION"), |scope| {
                for metric in Metric::ALL {
                    let values =
                        self.points.iter().filter(|(of, _, _)| of == metric).map(|(_, series, value)| (series, Some(value)));
                    let ends = ended.iter().filter(|(of, _)| of == metric).map(|(_, series)| (series, None));
                    write_metric(scope, *metric, values.chain(ends), times);
                }
            });
        });
        let points = request.count_points();
        (request.finish(), points)
    }
}

fn write_metric<'a>(
    scope: &mut MetricsScope<'_>,
    metric: Metric,
    points: impl Iterator<Item = (&'a Series, Option<&'a Reading>)>,
    times: Times,
) {
    let (name, description, unit) = (metric.name(), metric.description(), metric.unit());
    match metric.shape() {
        Shape::Gauge => scope.gauge(name, description, unit, |out| write_numbers(out, points, Times { start: 0, ..times })),
        Shape::Level => {
            scope.sum(name, description, unit, (Temporality::Cumulative, false), |out| write_numbers(out, points, times));
        }
        Shape::Counter => {
            scope.sum(name, description, unit, (Temporality::Cumulative, true), |out| write_numbers(out, points, times));
        }
        Shape::Histogram => {
            scope.histogram(name, description, unit, Temporality::Cumulative, |out| write_distributions(out, points, times));
        }
    }
}

fn write_numbers<'a>(out: &mut NumberPoints<'_>, points: impl Iterator<Item = (&'a Series, Option<&'a Reading>)>, times: Times) {
    for (series, reading) in points {
        let attributes = series.0.as_ref();
        let point = match reading {
            Some(Reading::Number(value)) => NumberPoint::new(attributes, times.taken, *value).since(times.start),
            Some(Reading::Between(value, times)) => NumberPoint::new(attributes, times.taken, *value).since(times.start),
            _ => NumberPoint::no_recorded_value(attributes, times.taken).since(times.start),
        };
        out.add(&point);
    }
}

fn write_distributions<'a>(
    out: &mut HistogramPoints<'_>,
    points: impl Iterator<Item = (&'a Series, Option<&'a Reading>)>,
    times: Times,
) {
    for (series, reading) in points {
        let attributes = series.0.as_ref();
        let point = match reading {
            Some(Reading::Distribution(values)) => HistogramPoint {
                attributes: attributes.into(),
                time: times.taken,
                count: values.counts.iter().sum(),
                sum: Some(values.sum),
                bucket_counts: &values.counts,
                explicit_bounds: &values.bounds,
                ..HistogramPoint::default()
            },
            _ => HistogramPoint::no_recorded_value(attributes, times.taken),
        };
        out.add(&HistogramPoint { start_time: times.start, ..point });
    }
}

fn site_series(name: &SiteName) -> Series {
    Series::new(&[
        ("code.function.name", name.function.as_str().into()),
        ("code.file.path", name.file.as_str().into()),
        ("code.line.number", i64::from(name.line).into()),
        ("go.defer.callee", name.callee.as_str().into()),
        ("go.defer.kind", name.kind.name().into()),
    ])
}

/// OTLP integers are signed; no count of ours comes near the limit.
pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Nanoseconds since the epoch; 0 before it.
pub(super) fn nanoseconds(time: std::time::SystemTime) -> u64 {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use deferd_pdata::metrics::{Data, Request};

    use super::*;

    /// Names of the metrics in a request, and whether their first point is an end.
    fn told(payload: &deferd_pdata::Bytes) -> Vec<(String, bool)> {
        let mut told = Vec::new();
        for resource in Request::new(payload).resources() {
            for metric in resource.scopes().flat_map(|scope| scope.items()) {
                let (Data::Gauge(points) | Data::Sum { points, .. }) = metric.data() else { continue };
                told.extend(points.map(|point| (metric.name.to_string(), point.value.is_none())).take(1));
            }
        }
        told
    }

    #[test]
    fn probes_that_do_not_answer_in_time_end_no_series_of_theirs_and_hold_up_the_end_of_no_other() {
        let (times, nobody) = (Times { start: 1, taken: 2 }, EncodedAttributes::default());
        let mut first = Frame::default();
        first.add_plain(Metric::Pending, 1);
        first.add_plain(Metric::OpenFiles, 5);
        let mut busy = Frame::default();
        busy.keep_probes(&first.series());
        let (payload, _) = busy.encode(&nobody, &first.series(), times);
        assert_eq!(told(&payload), [("go.defer.pending".to_owned(), true)]);
        assert_eq!(busy.series().len(), 1, "it is still alive");
        let (payload, _) = Frame::default().encode(&nobody, &busy.series(), times);
        assert_eq!(told(&payload), [("go.file.open".to_owned(), true)], "and ends when the probes say so");
    }
}
