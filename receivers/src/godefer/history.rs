//! What successive snapshots of one process say together: growth, age, and which sites are shown.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use deferd_goproc::snapshot::{Site, SiteName};

/// Growth is the slope over this many looks: long enough to see past a burst, short enough to follow a leak within a minute.
const WINDOW: usize = 12;
/// A site that holds nothing any more is shown as 0 for this many looks, so that a series neither flickers nor stays for ever.
const LINGER: usize = 12;
/// An unshown site takes the place of a shown one only if it holds this many times as much, so that two sites of nearly equal
/// count do not take turns.
const TAKE_OVER: u64 = 2;

/// The sites of one process over time. Bounded by the number of sites that hold something plus those that lately did.
#[derive(Debug, Default)]
pub(super) struct History {
    tracks: HashMap<SiteName, Track>,
}

#[derive(Debug, Default)]
struct Track {
    samples: VecDeque<(Instant, u64)>,
    /// When each sampled goroutine was first seen with this site.
    first_seen: BTreeMap<u64, Instant>,
    memory_bytes: u64,
    shown: bool,
    idle: usize,
}

/// One site as it is reported.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) name: SiteName,
    pub(super) pending: u64,
    pub(super) memory_bytes: u64,
    /// Deferred calls per second; `None` until there are two looks.
    pub(super) growth: Option<f64>,
    /// At least so long one goroutine has been seen holding something from this site; `None` if it holds nothing.
    pub(super) oldest_age: Option<Duration>,
}

/// What one look adds up to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Report {
    /// The sites that are shown.
    pub(super) rows: Vec<Row>,
    /// Deferred calls pending and bytes held at all other sites, if there are any.
    pub(super) other: Option<(u64, u64)>,
}

impl History {
    /// Adds a look and says what is to be reported, at most `max_sites` rows.
    pub(super) fn add(&mut self, now: Instant, sites: &[Site], max_sites: usize) -> Report {
        let mut present: HashMap<&SiteName, &Site> = sites.iter().map(|site| (&site.name, site)).collect();
        for (name, track) in &mut self.tracks {
            track.add(now, present.remove(name));
        }
        for (name, site) in present {
            self.tracks.entry(name.clone()).or_default().add(now, Some(site));
        }
        self.tracks.retain(|_, track| track.idle <= LINGER);
        self.choose(max_sites);
        self.report(now)
    }

    /// Decides which sites are shown. Sticky: who is shown stays shown until it is gone or far outgrown.
    fn choose(&mut self, max_sites: usize) {
        let mut shown: Vec<(u64, SiteName)> = Vec::new();
        let mut waiting: Vec<(u64, SiteName)> = Vec::new();
        for (name, track) in &self.tracks {
            if track.shown {
                shown.push((track.pending(), name.clone()));
            } else if track.pending() > 0 {
                waiting.push((track.pending(), name.clone()));
            }
        }
        // The largest last in `shown`, first in `waiting`; equal ones by name, so that the choice does not depend on chance.
        shown.sort_by(|a, b| b.cmp(a));
        waiting.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        while shown.len() > max_sites {
            self.show(shown.pop(), false);
        }
        for (pending, name) in waiting {
            if shown.len() >= max_sites {
                let Some((smallest, _)) = shown.last() else { return };
                if pending < smallest.saturating_mul(TAKE_OVER).max(1) {
                    return;
                }
                self.show(shown.pop(), false);
            }
            self.show(Some((pending, name.clone())), true);
            let place = shown.partition_point(|(other, _)| *other > pending);
            shown.insert(place, (pending, name));
        }
    }

    fn show(&mut self, site: Option<(u64, SiteName)>, shown: bool) {
        if let Some(track) = site.and_then(|(_, name)| self.tracks.get_mut(&name)) {
            track.shown = shown;
        }
    }

    fn report(&self, now: Instant) -> Report {
        let mut report = Report::default();
        for (name, track) in &self.tracks {
            if track.shown {
                report.rows.push(track.row(name, now));
            } else if track.pending() > 0 {
                let (pending, bytes) = report.other.get_or_insert((0, 0));
                *pending += track.pending();
                *bytes += track.memory_bytes;
            }
        }
        report.rows.sort_by(|a, b| b.pending.cmp(&a.pending).then_with(|| a.name.cmp(&b.name)));
        report
    }
}

impl Track {
    fn add(&mut self, now: Instant, site: Option<&Site>) {
        self.samples.push_back((now, site.map_or(0, |site| site.pending)));
        if self.samples.len() > WINDOW {
            self.samples.pop_front();
        }
        self.memory_bytes = site.map_or(0, |site| site.memory_bytes);
        self.idle = if site.is_some() { 0 } else { self.idle + 1 };
        let holders = site.map_or([].as_slice(), |site| &site.sample_goids);
        self.first_seen.retain(|goid, _| holders.contains(goid));
        for goid in holders {
            self.first_seen.entry(*goid).or_insert(now);
        }
    }

    fn pending(&self) -> u64 {
        self.samples.back().map_or(0, |(_, pending)| *pending)
    }

    fn row(&self, name: &SiteName, now: Instant) -> Row {
        let oldest = self.first_seen.values().min();
        Row {
            name: name.clone(),
            pending: self.pending(),
            memory_bytes: self.memory_bytes,
            growth: slope(&self.samples),
            oldest_age: oldest.map(|seen| now.saturating_duration_since(*seen)),
        }
    }
}

/// The slope of the line of least squares through the samples, per second.
#[expect(clippy::cast_precision_loss, reason = "a count above 2^53 does not exist, and a slope needs no more")]
fn slope(samples: &VecDeque<(Instant, u64)>) -> Option<f64> {
    let (first, _) = samples.front()?;
    let points: Vec<(f64, f64)> =
        samples.iter().map(|(at, pending)| (at.saturating_duration_since(*first).as_secs_f64(), *pending as f64)).collect();
    let count = points.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
    let (mean_time, mean_pending) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|(time, _)| (time - mean_time).powi(2)).sum();
    let common: f64 = points.iter().map(|(time, pending)| (time - mean_time) * (pending - mean_pending)).sum();
    (spread > 0.0).then(|| common / spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use deferd_goproc::snapshot::DeferKind;

    fn site(line: u32, pending: u64, goids: &[u64]) -> Site {
        let name = SiteName {
            function: "main.work".into(),
            file: "main.go".into(),
            line,
            callee: "os.(*File).Close".into(),
            kind: DeferKind::Heap,
        };
        Site { name, pending, memory_bytes: pending * 64, goroutines: 1, max_chain: pending, sample_goids: goids.to_vec() }
    }

    fn lines(report: &Report) -> Vec<(u32, u64)> {
        report.rows.iter().map(|row| (row.name.line, row.pending)).collect()
    }

    #[test]
    fn growth_is_the_slope_over_the_window_and_age_counts_from_the_first_look() {
        let (start, mut history) = (Instant::now(), History::default());
        let first = history.add(start, &[site(1, 100, &[7])], 10);
        assert_eq!((first.rows[0].growth, first.rows[0].oldest_age), (None, Some(Duration::ZERO)));
        let mut last = first;
        for look in 1..20_u32 {
            last = history.add(start + Duration::from_secs(5) * look, &[site(1, 100 + u64::from(look) * 60, &[7])], 10);
        }
        assert!((last.rows[0].growth.unwrap() - 12.0).abs() < 1e-9);
        assert_eq!(last.rows[0].oldest_age, Some(Duration::from_secs(95)));
    }

    #[test]
    fn another_goroutine_at_the_same_site_starts_its_own_age() {
        let (start, mut history) = (Instant::now(), History::default());
        history.add(start, &[site(1, 5, &[7])], 10);
        let report = history.add(start + Duration::from_secs(5), &[site(1, 5, &[8])], 10);
        assert_eq!(report.rows[0].oldest_age, Some(Duration::ZERO));
    }

    #[test]
    fn shown_sites_stay_shown_until_far_outgrown() {
        let (mut now, mut history) = (Instant::now(), History::default());
        let mut look = |history: &mut History, sites: &[Site]| {
            now += Duration::from_secs(5);
            history.add(now, sites, 2)
        };
        let report = look(&mut history, &[site(1, 10, &[]), site(2, 9, &[]), site(3, 8, &[])]);
        assert_eq!((lines(&report), report.other), (vec![(1, 10), (2, 9)], Some((8, 512))));
        let report = look(&mut history, &[site(1, 10, &[]), site(2, 9, &[]), site(3, 12, &[])]);
        assert_eq!(lines(&report), [(1, 10), (2, 9)], "nearly equal sites do not take turns");
        let report = look(&mut history, &[site(1, 10, &[]), site(2, 9, &[]), site(3, 18, &[])]);
        assert_eq!(lines(&report), [(3, 18), (1, 10)]);
    }

    #[test]
    fn a_site_that_holds_nothing_is_shown_as_zero_for_a_while_and_then_forgotten() {
        let (start, mut history) = (Instant::now(), History::default());
        history.add(start, &[site(1, 10, &[])], 2);
        let looks: Vec<_> = (1..=13).map(|look| lines(&history.add(start + Duration::from_secs(look), &[], 2))).collect();
        assert_eq!(looks.iter().filter(|rows| **rows == [(1, 0)]).count(), LINGER);
        assert_eq!(looks.last(), Some(&vec![]));
        assert!(history.tracks.is_empty());
    }

    #[test]
    fn fewer_rows_after_a_smaller_limit_keep_the_largest() {
        let (start, mut history) = (Instant::now(), History::default());
        let sites = [site(1, 1, &[]), site(2, 2, &[]), site(3, 3, &[])];
        history.add(start, &sites, 3);
        let report = history.add(start + Duration::from_secs(1), &sites, 1);
        assert_eq!((lines(&report), report.other), (vec![(3, 3)], Some((3, 192))));
    }
}
