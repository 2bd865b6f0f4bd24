//! The series that a scrape shows, as OTLP knows them.
//!
//! Nothing of the configuration is in here: names, labels and their collisions are decided when the text is made. So the store survives
//! every change of configuration, and a counter that was accumulated from deltas goes on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_pdata::envelope::Resource;
use deferd_pdata::envelope::ScopeItems;

use super::origin::Origin;
use super::series::{Kind, Point, Reason, Series};

/// Bytes of labels and buckets per allowed series, on average: what bounds memory when labels are absurdly long. Typical series have 200.
const BYTES_PER_SERIES: usize = 1 << 10;
/// Characters kept of a description that is not shown; it is for one line in the log.
const OTHER_HELP_MAX: usize = 200;
/// Time between two looks for expired series, so that a store that nobody scrapes stays small too.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// What makes a metric another metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetricId {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) kind: Kind,
}

/// A metric of all origins.
#[derive(Debug)]
pub(super) struct Metric {
    /// Metrics are numbered as they come: where names collide, the first wins.
    pub(super) order: u64,
    /// Its first description.
    pub(super) help: String,
    /// A description that differs from the first.
    pub(super) other_help: Option<String>,
    pub(super) series: HashMap<Box<[u8]>, Series>,
}

/// All series.
#[derive(Debug, Default)]
pub(super) struct Store {
    metrics: BTreeMap<MetricId, Metric>,
    origins: HashMap<Box<[u8]>, Arc<Origin>>,
    next_id: u64,
    used: Used,
    swept: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Used {
    series: usize,
    bytes: usize,
}

/// The series of one metric, being updated.
pub(super) struct Update<'a> {
    metric: &'a mut Metric,
    used: &'a mut Used,
    max_series: usize,
    now: Instant,
}

impl Store {
    /// The metrics by id.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (&MetricId, &Metric)> {
        self.metrics.iter()
    }

    /// How many series there are.
    pub(super) fn series(&self) -> usize {
        self.used.series
    }

    /// The origin of a scope's series. `None` if there are too many.
    pub(super) fn origin<T>(
        &mut self,
        resource: &Resource<'_>,
        items: &ScopeItems<'_, T>,
        max_series: usize,
    ) -> Option<Arc<Origin>> {
        let key = Origin::key(resource, &items.scope, items.schema_url);
        if let Some(origin) = self.origins.get(&key) {
            return Some(Arc::clone(origin));
        }
        let bytes = self.used.bytes.saturating_add(key.len());
        if self.origins.len() >= max_series || bytes > max_series.saturating_mul(BYTES_PER_SERIES) {
            return None;
        }
        self.used.bytes = bytes;
        self.next_id += 1;
        let origin = Arc::new(Origin::new(self.next_id, resource, &items.scope, items.schema_url));
        self.origins.insert(key, Arc::clone(&origin));
        Some(origin)
    }

    /// Opens a metric for points. `None` if there are too many.
    pub(super) fn update(&mut self, id: MetricId, help: &str, max_series: usize, now: Instant) -> Option<Update<'_>> {
        if !self.metrics.contains_key(&id) {
            let bytes = self.used.bytes.saturating_add(id.name.len() + id.unit.len() + help.len());
            if self.metrics.len() >= max_series || bytes > max_series.saturating_mul(BYTES_PER_SERIES) {
                return None;
            }
            self.used.bytes = bytes;
        }
        self.next_id += 1;
        let order = self.next_id;
        let metric = self.metrics.entry(id).or_insert_with(|| Metric {
            order,
            help: help.to_owned(),
            other_help: None,
            series: HashMap::new(),
        });
        if metric.help != help && metric.other_help.is_none() {
            metric.other_help = Some(help.chars().take(OTHER_HELP_MAX).collect());
        }
        Some(Update { metric, used: &mut self.used, max_series, now })
    }

    /// Forgets what was not updated for `expiration`, if it is time to look.
    pub(super) fn sweep_now_and_then(&mut self, now: Instant, expiration: Duration) {
        let interval = SWEEP_INTERVAL.min(expiration);
        if self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= interval) {
            self.sweep(now, expiration);
        }
    }

    /// Forgets what was not updated for `expiration`.
    pub(super) fn sweep(&mut self, now: Instant, expiration: Duration) {
        self.swept = Some(now);
        self.used = Used::default();
        let used = &mut self.used;
        self.metrics.retain(|id, metric| {
            used.bytes += id.name.len() + id.unit.len() + metric.help.len();
            metric.series.retain(|key, series| {
                let lives = now.saturating_duration_since(series.updated) < expiration;
                if lives {
                    used.series += 1;
                    used.bytes += key.len() + series.point.heap_bytes();
                }
                lives
            });
            !metric.series.is_empty()
        });
        self.origins.retain(|key, origin| {
            let lives = Arc::strong_count(origin) > 1;
            used.bytes += if lives { key.len() } else { 0 };
            lives
        });
    }
}

impl Update<'_> {
    /// Takes a point of the series `key`; adds it to what is there if it is a delta.
    pub(super) fn put(&mut self, origin: &Arc<Origin>, key: &[u8], point: Point, delta: bool) -> Result<(), Reason> {
        let room = self.max_series.saturating_mul(BYTES_PER_SERIES);
        let Some(series) = self.metric.series.get_mut(key) else {
            let bytes = self.used.bytes.saturating_add(key.len() + point.heap_bytes());
            if self.used.series >= self.max_series || bytes > room {
                return Err(Reason::SeriesLimit);
            }
            *self.used = Used { series: self.used.series + 1, bytes };
            self.metric.series.insert(key.into(), Series { origin: Arc::clone(origin), point, updated: self.now });
            return Ok(());
        };
        let point = series.point.followed_by(point, delta)?;
        let bytes = (self.used.bytes + point.heap_bytes()).saturating_sub(series.point.heap_bytes());
        if bytes > room && point.heap_bytes() > series.point.heap_bytes() {
            return Err(Reason::SeriesLimit);
        }
        self.used.bytes = bytes;
        series.point = point;
        series.updated = self.now;
        Ok(())
    }

    /// Ends a series.
    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some((key, series)) = self.metric.series.remove_entry(key) {
            self.used.series = self.used.series.saturating_sub(1);
            self.used.bytes = self.used.bytes.saturating_sub(key.len() + series.point.heap_bytes());
        }
    }
}
