//! What is kept of every series, over batches and reloads.
//!
//! Split by resource, so that batches of different processes do not wait for each other; one lock is held while the points of one
//! resource are judged. A series of which nothing is known but that it exists costs about 200 bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use super::clock::SeriesClock;
use super::condition::Condition;
use super::key::Keys;
use super::names::{NameId, Names};
use super::notice::{Alert, Notice};
use super::window::Window;

/// Independent parts of the state; a power of two.
const SHARDS: usize = 16;

/// The state of a threshold processor.
#[derive(Debug, Default)]
pub struct State {
    pub(super) names: Names,
    pub(super) keys: Keys,
    shards: [Mutex<Shard>; SHARDS],
    /// Series in all shards.
    series: AtomicUsize,
    /// Alerts that fire, by rule.
    firing: Mutex<BTreeMap<NameId, usize>>,
    /// Ends that were said with a batch, to be said once more: the batch may be refused later on its way, and nobody tells.
    endings: Mutex<Vec<Ending>>,
    /// Who speaks, in alerts.
    source: OnceLock<String>,
    /// Numbers the instances that were built over this state.
    generations: AtomicU64,
    /// The newest instance that has judged anything.
    current: AtomicU64,
}

/// An end that was said.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) resource: u128,
    pub(super) series: u128,
    pub(super) rule: NameId,
    pub(super) notice: Notice,
}

/// Most ends that are remembered until the next tick; further ones are said once only.
const MAX_ENDINGS: usize = 10_000;

/// The series of some resources.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) series: HashMap<u128, Series>,
}

impl Shard {
    /// Whether the alert of this end fires.
    fn fires(&self, ending: &Ending) -> bool {
        let cells = self.series.get(&ending.series).into_iter().flat_map(|series| &series.cells);
        let alert = cells.filter(|cell| cell.rule == ending.rule).find_map(|cell| cell.alert.as_ref());
        alert.is_some_and(|alert| alert.severity == ending.notice.alert.severity)
    }
}

/// One series, or one sum of several.
#[derive(Debug)]
pub(super) struct Series {
    /// Which instance has last decided which rules look at it.
    pub(super) generation: u64,
    pub(super) seen: Instant,
    pub(super) clock: SeriesClock,
    /// Indices, in the rule set of that instance, of the rules that look at it.
    pub(super) rules: SmallVec<[u32; 4]>,
    /// One for each length and use of a window that a rule has.
    pub(super) windows: SmallVec<[Track; 1]>,
    /// Of the rules that have something to remember.
    pub(super) cells: SmallVec<[Box<Cell>; 1]>,
}

/// A window and what it is for.
#[derive(Debug)]
pub(super) struct Track {
    /// In seconds.
    pub(super) length: f64,
    pub(super) counts: bool,
    pub(super) window: Window,
}

/// What one rule remembers of one series.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) rule: NameId,
    pub(super) condition: Condition,
    /// What was last said about it, while it fires.
    pub(super) alert: Option<Alert>,
    /// It would fire if the rule had not too many alerts already.
    pub(super) suppressed: bool,
}

impl Series {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            // No instance has this number.
            generation: 0,
            seen: now,
            clock: SeriesClock::default(),
            rules: SmallVec::new(),
            windows: SmallVec::new(),
            cells: SmallVec::new(),
        }
    }

    /// The window of that length, new if it is not there.
    pub(super) fn window(&mut self, length: f64, counts: bool) -> Option<&mut Track> {
        let same = |track: &Track| track.length.to_bits() == length.to_bits() && track.counts == counts;
        let place = self.windows.iter().position(same).unwrap_or(self.windows.len());
        if place == self.windows.len() {
            self.windows.push(Track { length, counts, window: Window::default() });
        }
        self.windows.get_mut(place)
    }

    /// Takes the time of a point; see [`SeriesClock::advance`]. Where time has not passed as the points say, windows begin anew.
    pub(super) fn advance(&mut self, time: u64) -> Option<f64> {
        let tick = self.clock.advance(time)?;
        if tick.broken {
            self.windows.clear();
        }
        Some(tick.now)
    }

    /// Forgets windows that no rule uses any more.
    pub(super) fn keep_windows(&mut self, used: &[(f64, bool)]) {
        let same =
            |track: &Track, (length, counts): &(f64, bool)| track.length.to_bits() == length.to_bits() && track.counts == *counts;
        self.windows.retain(|track| used.iter().any(|used| same(track, used)));
    }

    /// Whether an alert of one of these rules fires.
    pub(super) fn fires_any(&self, rules: &[NameId]) -> bool {
        !rules.is_empty() && self.cells.iter().any(|cell| cell.alert.is_some() && rules.contains(&cell.rule))
    }

    pub(super) fn cell(&mut self, rule: NameId) -> Option<&mut Cell> {
        self.cells.iter_mut().find(|cell| cell.rule == rule).map(AsMut::as_mut)
    }
}

impl State {
    /// The number of a new instance, from 1.
    pub(super) fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Says that the instance is at work. False if a newer one is: then a reload has replaced this one, and what it would judge by
    /// is no longer wanted.
    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.current.fetch_max(generation, Ordering::Relaxed) <= generation
    }

    /// Names who speaks. It stays the same for as long as the state lives.
    pub(super) fn set_source(&self, source: impl FnOnce() -> String) {
        self.source.get_or_init(source);
    }

    /// Who speaks.
    pub(super) fn source(&self) -> &str {
        self.source.get().map_or("", String::as_str)
    }

    /// Remembers ends that go with a batch.
    pub(super) fn remember_endings(&self, endings: Vec<Ending>) {
        if !endings.is_empty() {
            let mut known = self.endings.lock();
            let room = MAX_ENDINGS.saturating_sub(known.len());
            known.extend(endings.into_iter().take(room));
        }
    }

    /// The ends that were remembered, less those of alerts that fire again by now.
    pub(super) fn take_endings(&self) -> Vec<Notice> {
        let endings = std::mem::take(&mut *self.endings.lock());
        let over = |ending: &Ending| !self.shard(ending.resource).is_some_and(|shard| shard.fires(ending));
        endings.into_iter().filter(over).map(|ending| ending.notice).collect()
    }

    /// The part of the state that has the series of a resource.
    pub(super) fn shard(&self, resource: u128) -> Option<MutexGuard<'_, Shard>> {
        let [low, ..] = resource.to_le_bytes();
        self.shards.get(usize::from(low) % SHARDS).map(Mutex::lock)
    }

    /// All parts of the state, one after the other.
    pub(super) fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(Mutex::lock)
    }

    /// Series that are known.
    pub(super) fn count_series(&self) -> usize {
        self.series.load(Ordering::Relaxed)
    }

    /// Takes room for one more series, if there is any.
    pub(super) fn admit_series(&self, max: usize) -> bool {
        let taken = self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < max).then_some(count + 1));
        taken.is_ok()
    }

    /// Gives the room of `count` series back.
    pub(super) fn forget_series(&self, count: usize) {
        self.series.fetch_sub(count, Ordering::Relaxed);
    }

    /// Takes room for one more firing alert of a rule, if there is any.
    pub(super) fn admit_alert(&self, rule: NameId, max: usize) -> bool {
        let mut firing = self.firing.lock();
        let count = firing.entry(rule).or_default();
        let room = *count < max;
        *count += usize::from(room);
        room
    }

    /// Gives the room of an alert back.
    pub(super) fn forget_alert(&self, rule: NameId) {
        let mut firing = self.firing.lock();
        if let Some(count) = firing.get_mut(&rule) {
            *count = count.saturating_sub(1);
        }
    }

    /// Alerts that fire now.
    pub(super) fn count_alerts(&self) -> usize {
        self.firing.lock().values().sum()
    }
}

/// The name of a rule as alerts carry it.
pub(super) fn shared(name: &str) -> Arc<str> {
    Arc::from(name)
}
