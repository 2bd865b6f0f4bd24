//! What is known about alerts, and what is to be posted now. Pure: time comes in, posts come out, and nothing here waits.
//!
//! An alert is one set of labels, and fires while at least one series shows it. Which Alertmanager knows what is kept for each on its
//! own, so that one that is down delays none of the others. Changes have numbers in the order in which they came about, and are
//! posted in that order: where a severity changes, the end of the old alert comes before the new one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::alert::{Alert, Observation};

/// An alert that is not posted again for so many refreshes ends by itself.
const LIFE: u32 = 3;

/// A moment by both clocks: waits go by the one that never jumps, what is posted by the one that others have too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Instant,
    /// Nanoseconds since the epoch.
    pub(super) wall: u64,
}

/// The waits of a configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) refresh: Duration,
    pub(super) stale: Duration,
    /// An event that could not be posted for so long is given up; zero is never.
    pub(super) patience: Duration,
}

/// What is posted about one alert.
#[derive(Debug, Clone)]
pub(super) struct Post {
    id: u64,
    revision: u64,
    content: u64,
    pub(super) alert: Arc<Alert>,
    /// Nanoseconds since the epoch.
    pub(super) starts: u64,
    /// Likewise; Alertmanager decides if there is none.
    pub(super) ends: Option<u64>,
}

/// Every alert that somebody still has to hear of.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    by_labels: HashMap<BTreeMap<String, String>, u64>,
    entries: BTreeMap<u64, Entry>,
    sources: HashMap<u64, Source>,
    endpoints: BTreeMap<String, HashMap<u64, Sent>>,
    live: usize,
    last_id: u64,
    last_revision: u64,
}

#[derive(Debug)]
struct Entry {
    alert: Arc<Alert>,
    starts: u64,
    phase: Phase,
    /// Series that show it.
    sources: usize,
    /// Number of the change that everybody must hear of at once.
    revision: u64,
    /// Counts every change, those of annotations too.
    content: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Firing,
    Resolved { ends: u64, since: Instant },
    Event { since: Instant },
}

#[derive(Debug)]
struct Source {
    id: u64,
    seen: Instant,
}

/// What an endpoint has heard of an alert.
#[derive(Debug, Clone, Copy)]
struct Sent {
    revision: u64,
    content: u64,
    at: Instant,
    refused: bool,
}

impl Alerts {
    /// Names the endpoints; what is known about others is forgotten.
    pub(super) fn set_endpoints(&mut self, addresses: &[String]) {
        self.endpoints.retain(|address, _| addresses.contains(address));
        for address in addresses {
            self.endpoints.entry(address.clone()).or_default();
        }
    }

    /// Takes what a point or record says. False if there is no room for it.
    pub(super) fn take(&mut self, observation: Observation, limit: usize, now: Moment) -> bool {
        match observation {
            Observation::Firing { source, alert, since } => self.fire(source, alert, since, limit, now),
            Observation::Resolved { source } => {
                self.leave(source, now);
                true
            }
            Observation::Event { alert, at } => {
                let starts = if at == 0 { now.wall } else { at.min(now.wall) };
                self.open(alert, starts, Phase::Event { since: now.at }, limit).is_some()
            }
        }
    }

    fn fire(&mut self, source: u64, alert: Alert, since: u64, limit: usize, now: Moment) -> bool {
        if let Some(known) = self.sources.get_mut(&source) {
            known.seen = now.at;
            if let Some(entry) = self.entries.get_mut(&known.id).filter(|entry| entry.alert.labels == alert.labels) {
                entry.update(alert);
                return true;
            }
            // Its labels are made in another way now. The old alert ends first.
            self.leave(source, now);
        }
        if self.sources.len() >= limit {
            return false;
        }
        let starts = if since == 0 { now.wall } else { since.min(now.wall) };
        let Some(id) = self.open(alert, starts, Phase::Firing, limit) else { return false };
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.sources += 1;
        }
        self.sources.insert(source, Source { id, seen: now.at });
        true
    }

    /// The alert of these labels, in that phase; made if there is none, begun anew if it had ended.
    fn open(&mut self, alert: Alert, starts: u64, phase: Phase, limit: usize) -> Option<u64> {
        if let Some(id) = self.by_labels.get(&alert.labels).copied()
            && let Some(entry) = self.entries.get_mut(&id)
        {
            entry.update(alert);
            if entry.phase == Phase::Firing && phase == Phase::Firing {
                return Some(id);
            }
            self.live += usize::from(matches!(entry.phase, Phase::Resolved { .. }));
            self.last_revision += 1;
            (entry.phase, entry.starts, entry.revision) = (phase, starts, self.last_revision);
            return Some(id);
        }
        // Ended ones have as much room again, so that a change of severity finds some.
        if self.live >= limit || self.entries.len() >= limit.saturating_mul(2) {
            return None;
        }
        self.live += 1;
        self.last_id += 1;
        self.last_revision += 1;
        self.by_labels.insert(alert.labels.clone(), self.last_id);
        let entry = Entry { alert: Arc::new(alert), starts, phase, sources: 0, revision: self.last_revision, content: 0 };
        self.entries.insert(self.last_id, entry);
        Some(self.last_id)
    }

    /// The series no longer shows its alert, which ends if it was the last.
    fn leave(&mut self, source: u64, now: Moment) {
        let Some(Source { id, .. }) = self.sources.remove(&source) else { return };
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.sources = entry.sources.saturating_sub(1);
        if entry.sources == 0 && entry.phase == Phase::Firing {
            self.live = self.live.saturating_sub(1);
            self.last_revision += 1;
            entry.revision = self.last_revision;
            entry.content += 1;
            entry.phase = Phase::Resolved { ends: now.wall.max(entry.starts), since: now.at };
        }
    }

    /// Resolves what has not been seen for too long, and forgets what everybody has heard of. Returns how many were forgotten although
    /// somebody had not.
    pub(super) fn sweep(&mut self, timing: &Timing, now: Moment) -> usize {
        let stale = |source: &Source| now.at.saturating_duration_since(source.seen) >= timing.stale;
        let mut gone: Vec<(u64, u64)> =
            self.sources.iter().filter(|(_, source)| stale(source)).map(|(key, source)| (source.id, *key)).collect();
        gone.sort_unstable();
        for (_, source) in gone {
            self.leave(source, now);
        }

        let (mut forgotten, mut unheard) = (Vec::new(), 0);
        for (id, entry) in self.entries.iter().filter(|(_, entry)| entry.phase != Phase::Firing) {
            let heard = |sent: &HashMap<u64, Sent>| sent.get(id).is_some_and(|sent| sent.revision >= entry.revision);
            let all = !self.endpoints.is_empty() && self.endpoints.values().all(heard);
            // An end is said again for a while: an Alertmanager whose clock is behind takes it for one that is still to come.
            let said = all && !matches!(entry.phase, Phase::Resolved { .. });
            if said || timing.gives_up(entry.phase, now.at) {
                forgotten.push(*id);
                unheard += usize::from(!all);
            }
        }
        for id in forgotten {
            self.forget(id);
        }
        unheard
    }

    fn forget(&mut self, id: u64) {
        if let Some(entry) = self.entries.remove(&id) {
            self.by_labels.remove(&entry.alert.labels);
            self.live = self.live.saturating_sub(usize::from(matches!(entry.phase, Phase::Event { .. })));
        }
        for sent in self.endpoints.values_mut() {
            sent.remove(&id);
        }
    }

    /// What the endpoint is to hear now: changes in the order in which they came about, then refreshes; `limit` at most.
    pub(super) fn due(&self, endpoint: &str, timing: &Timing, now: Moment, limit: usize) -> Vec<Post> {
        let Some(sent) = self.endpoints.get(endpoint) else { return Vec::new() };
        let (mut changed, mut refreshed, mut overdue) = (Vec::new(), Vec::new(), false);
        for (id, entry) in &self.entries {
            match sent.get(id) {
                Some(sent) if sent.revision >= entry.revision => {
                    let age = now.at.saturating_duration_since(sent.at);
                    overdue |= sent.refreshes(entry) && age >= timing.refresh;
                    // Those that are due soon come along, so that there are few posts.
                    if sent.refreshes(entry) && age >= timing.refresh / 2 {
                        refreshed.push(*id);
                    }
                }
                _ => changed.push((entry.revision, *id)),
            }
        }
        changed.sort_unstable();
        let ids = changed.into_iter().map(|(_, id)| id).chain(refreshed.into_iter().filter(|_| overdue));
        ids.take(limit).filter_map(|id| Some(self.entries.get(&id)?.post(id, timing, now))).collect()
    }

    /// When the endpoint is to hear something, or something is to be swept, if nothing changes until then.
    pub(super) fn next(&self, endpoint: &str, timing: &Timing, now: Moment) -> Instant {
        let sent = self.endpoints.get(endpoint);
        let posts = self.entries.iter().filter_map(|(id, entry)| match sent?.get(id) {
            Some(sent) if sent.revision >= entry.revision => sent.refreshes(entry).then(|| sent.at + timing.refresh),
            _ => Some(now.at),
        });
        let stale = self.sources.values().map(|source| source.seen + timing.stale);
        let ends = self.entries.values().filter_map(|entry| timing.ends(entry.phase));
        posts.chain(stale).chain(ends).min().unwrap_or(now.at + timing.refresh)
    }

    /// The endpoint has these, or (`refused`) will not have them until they change.
    pub(super) fn record(&mut self, endpoint: &str, posts: &[Post], refused: bool, now: Moment) {
        let Some(sent) = self.endpoints.get_mut(endpoint) else { return };
        for post in posts.iter().filter(|post| self.entries.contains_key(&post.id)) {
            sent.insert(post.id, Sent { revision: post.revision, content: post.content, at: now.at, refused });
        }
    }

    /// The endpoint could not be reached. It may have been restarted and be empty, so it is to hear everything again.
    pub(super) fn lost(&mut self, endpoint: &str) {
        if let Some(sent) = self.endpoints.get_mut(endpoint) {
            sent.retain(|id, _| self.entries.get(id).is_some_and(|entry| entry.phase != Phase::Firing));
        }
    }

    /// The endpoint is to hear once more of everything that fires, for longer than a refresh lasts: who serves it next has to find out first.
    pub(super) fn farewell(&mut self, endpoint: &str) {
        self.lost(endpoint);
    }

    /// Everything that takes memory.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        let sent = self.endpoints.values().map(HashMap::len).sum::<usize>();
        self.entries.len() + self.by_labels.len() + self.sources.len() + sent
    }

    /// How many fire, and the end of how many is still to be told.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.live, self.entries.len().saturating_sub(self.live))
    }
}

impl Entry {
    fn update(&mut self, alert: Alert) {
        if *self.alert != alert {
            self.alert = Arc::new(alert);
            self.content += 1;
        }
    }

    fn post(&self, id: u64, timing: &Timing, now: Moment) -> Post {
        let life = u64::try_from((timing.refresh * LIFE).as_nanos()).unwrap_or(u64::MAX);
        let ends = match self.phase {
            // A clock that was set back must not make an alert end before it begins.
            Phase::Firing => Some(now.wall.max(self.starts).saturating_add(life)),
            Phase::Resolved { ends, .. } => Some(ends),
            Phase::Event { .. } => None,
        };
        Post { id, revision: self.revision, content: self.content, alert: Arc::clone(&self.alert), starts: self.starts, ends }
    }
}

impl Sent {
    /// Whether the alert, of which this endpoint has heard, is posted again and again.
    fn refreshes(&self, entry: &Entry) -> bool {
        !matches!(entry.phase, Phase::Event { .. }) && (!self.refused || self.content != entry.content)
    }
}

impl Timing {
    /// The same for the last post: what fires is to last until it would be stale.
    pub(super) fn farewell(self) -> Self {
        Self { refresh: self.refresh.max(self.stale / LIFE), ..self }
    }

    /// When trying to tell is given up. By the time an end is, no Alertmanager takes the alert for firing any more.
    fn ends(&self, phase: Phase) -> Option<Instant> {
        match phase {
            Phase::Firing => None,
            Phase::Resolved { since, .. } => Some(since + self.refresh * LIFE),
            Phase::Event { since } => (!self.patience.is_zero()).then(|| since + self.patience),
        }
    }

    fn gives_up(&self, phase: Phase, now: Instant) -> bool {
        self.ends(phase).is_some_and(|end| now >= end)
    }
}
