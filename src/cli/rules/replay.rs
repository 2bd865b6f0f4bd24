//! Running a recording through the rules.
//!
//! The processor itself is run, not a likeness of it. It takes its time from the points, so a recording of an hour is judged as it
//! would have been live, in a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{
    Batch, BuildContext, BuildError, Claims, Kind, Out, Processor as _, ProcessorFactory as _, Signal, alert,
};
use deferd_pdata::json::{self, JsonError, Request};
use deferd_pdata::metrics::{Data, Number, NumberPoint, count_points};
use deferd_pdata::{logs, metrics};
use deferd_processors::threshold::{Config, Factory, Threshold};

/// Longest line of a recording.
const MAX_LINE: u64 = 64 << 20;

/// What the rules said about a recording.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// Everything that began or ended to fire, in order.
    pub(super) changes: Vec<Change>,
    /// Log records that each rule has marked.
    pub(super) marked: BTreeMap<String, usize>,
    /// How long the recording lasts.
    pub(super) length: Duration,
    is_empty: bool,
    firing: BTreeSet<Alert>,
    started: Option<u64>,
    now: u64,
}

/// That an alert began, or ended, to fire.
#[derive(Debug)]
pub(super) struct Change {
    /// Since the first point of the recording.
    pub(super) at: Duration,
    pub(super) alert: Alert,
    pub(super) firing: bool,
}

/// An alert's identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alert {
    pub(super) name: String,
    pub(super) severity: String,
    /// Attributes of the series, and `resource.KEY`.
    pub(super) labels: BTreeMap<String, String>,
}

/// Why a recording could not be run.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplayError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{line}: no OTLP in JSON: {source}", path.display())]
    Json { path: PathBuf, line: usize, source: JsonError },
    #[error("{}:{line}: the longest line is {MAX_LINE} bytes", path.display())]
    TooLong { path: PathBuf, line: usize },
    #[error("{}: there is nothing in the recording", path.display())]
    Empty { path: PathBuf },
    #[error("{}:{line}: the request is refused", path.display())]
    Refused { path: PathBuf, line: usize },
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the type of the processor is no id")]
    Id,
}

impl Replay {
    /// Runs a file of OTLP in JSON, one request per line.
    pub(super) fn run(config: &Config, path: &Path) -> Result<Self, ReplayError> {
        let reading = |source| ReplayError::Read { path: path.to_path_buf(), source };
        let mut reader = BufReader::new(File::open(path).map_err(reading)?);
        let threshold = build(config)?;
        let (mut replay, mut text, mut line) = (Self { is_empty: true, ..Self::default() }, String::new(), 0);
        loop {
            text.clear();
            line += 1;
            if reader.by_ref().take(MAX_LINE).read_line(&mut text).map_err(reading)? == 0 {
                // A recording in which nothing is would pass whatever is expected not to fire.
                return if replay.is_empty { Err(ReplayError::Empty { path: path.to_path_buf() }) } else { Ok(replay) };
            }
            if text.len() as u64 >= MAX_LINE {
                return Err(ReplayError::TooLong { path: path.to_path_buf(), line });
            }
            if !text.trim().is_empty() {
                replay.line(&threshold, text.trim()).map_err(|wrong| wrong.at(path, line))?;
            }
        }
    }

    /// What fires at a time since the first point.
    pub(super) fn firing_at(&self, at: Duration) -> BTreeSet<&Alert> {
        let mut firing = BTreeSet::new();
        for change in self.changes.iter().take_while(|change| change.at <= at) {
            if change.firing {
                firing.insert(&change.alert);
            } else {
                firing.remove(&change.alert);
            }
        }
        firing
    }

    /// What fired at some time.
    pub(super) fn fired(&self) -> BTreeSet<&Alert> {
        self.changes.iter().filter(|change| change.firing).map(|change| &change.alert).collect()
    }

    fn line(&mut self, threshold: &Threshold, text: &str) -> Result<(), Wrong> {
        let (request, bytes) = json::decode_any(text).map_err(Wrong::Json)?;
        self.is_empty = false;
        let batch = match request {
            Request::Metrics => {
                self.advance(&bytes);
                let items = count_points(&bytes).map_err(|_| Wrong::Refused)?;
                Batch::new(Signal::Metrics, bytes, items)
            }
            Request::Logs => {
                let items = logs::count_records(&bytes).map_err(|_| Wrong::Refused)?;
                Batch::new(Signal::Logs, bytes, items)
            }
            Request::Traces => return Ok(()),
        };
        let mut out = Out::new();
        threshold.process(batch, &mut out).map_err(|_| Wrong::Refused)?;
        for emitted in out.take_emitted() {
            let payload = emitted.batch.payload();
            match emitted.batch.signal() {
                Signal::Metrics => self.note_alerts(&payload),
                _ => self.note_marks(&payload),
            }
        }
        Ok(())
    }

    /// Sets the time to that of the newest point.
    fn advance(&mut self, request: &[u8]) {
        each_point(request, |_, _, point| {
            self.now = self.now.max(point.time);
            self.started = self.started.or(Some(point.time).filter(|time| *time > 0));
        });
        self.length = Duration::from_nanos(self.now.saturating_sub(self.started.unwrap_or_default()));
    }

    fn note_alerts(&mut self, request: &[u8]) {
        let at = self.length;
        let mut said = Vec::new();
        each_point(request, |name, resource, point| {
            if name == alert::METRIC {
                let firing = point.value == Some(Number::Int(alert::FIRING));
                said.push((Alert::new(resource, point), firing));
            }
        });
        for (alert, firing) in said {
            let news = if firing { self.firing.insert(alert.clone()) } else { self.firing.remove(&alert) };
            if news {
                self.changes.push(Change { at, alert, firing });
            }
        }
    }

    fn note_marks(&mut self, request: &[u8]) {
        let records =
            logs::Request::new(request).resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.items());
        for name in records.filter_map(|record| record.attributes().get(alert::NAME)) {
            *self.marked.entry(name.to_text().into_owned()).or_default() += 1;
        }
    }
}

/// What is wrong with a line.
enum Wrong {
    Json(JsonError),
    Refused,
}

impl Wrong {
    fn at(self, path: &Path, line: usize) -> ReplayError {
        let path = path.to_path_buf();
        match self {
            Self::Json(source) => ReplayError::Json { path, line, source },
            Self::Refused => ReplayError::Refused { path, line },
        }
    }
}

impl Alert {
    fn new(resource: &metrics::ResourceMetrics<'_>, point: &NumberPoint<'_>) -> Self {
        let own = point.attributes().iter().map(|(key, value)| (key.to_string(), value.to_text().into_owned()));
        let shared = resource.resource.attributes();
        let of_resource = shared.iter().map(|(key, value)| (format!("resource.{key}"), value.to_text().into_owned()));
        let mut labels: BTreeMap<String, String> = own.chain(of_resource).collect();
        let mut take = |key: &str| labels.remove(key).unwrap_or_default();
        Self { name: take(alert::NAME), severity: take(alert::SEVERITY), labels }
    }
}

fn each_point(request: &[u8], mut look: impl FnMut(&str, &metrics::ResourceMetrics<'_>, &NumberPoint<'_>)) {
    for resource in metrics::Request::new(request).resources() {
        for metric in resource.scopes().flat_map(|scope| scope.items()) {
            let name = metric.name.to_str_lossy();
            if let Data::Gauge(points) | Data::Sum { points, .. } = metric.data() {
                points.for_each(|point| look(&name, &resource, &point));
            }
        }
    }
}

fn build(config: &Config) -> Result<Threshold, ReplayError> {
    let context = BuildContext {
        kind: Kind::Processor,
        id: Factory::METADATA.component_type.parse().map_err(|_| ReplayError::Id)?,
        signals: Factory::METADATA.signals.to_vec(),
        pipeline: None,
        telemetry: Arc::new(Telemetry::default()),
        health: Arc::new(Health::default()),
        sockets: Arc::new(Claims::default()),
    };
    Ok(Factory::build(config.clone(), Arc::default(), &context)?)
}
