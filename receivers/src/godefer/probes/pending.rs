//! Registrations that no return has shown yet: of functions that go on, perhaps for ever.
//!
//! The probe counts records when the function that registered them returns. What was registered in all is what it counted, and
//! what is pending now, less what was pending when counting began. Looks know what is pending.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use deferd_goproc::snapshot::{DeferKind, Site};

use super::super::frame::nanoseconds;
use super::figures::Registrations;

/// Sites that are followed; snapshots report fewer.
const MOST_SITES: usize = 4096;

type Name = (String, String, u32);

/// What was pending at the sites of one process.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    sites: HashMap<Name, Seen>,
    /// When the last look was, if there was one.
    looked: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When counting began.
    first: u64,
    /// At the last look that could be trusted.
    last: u64,
    /// The most that was told, which never falls.
    told: f64,
    kind: &'static str,
}

impl Pending {
    /// Adds what is pending to what was counted. Looks that could not follow every goroutine (`is_whole` is false) change nothing:
    /// what they miss would look like returned.
    pub(crate) fn add(&mut self, found: &mut Vec<Registrations>, sites: &[Site], is_whole: bool, now: Instant) {
        let elapsed = self.looked.map(|looked| now.saturating_duration_since(looked).as_secs_f64());
        let taken = nanoseconds(SystemTime::now());
        let begun = elapsed.map_or(taken, |elapsed| taken.saturating_sub(nanoseconds_of(elapsed)));
        let about = (begun, taken);
        let grown = if is_whole { self.look(sites, elapsed) } else { HashMap::new() };
        if is_whole {
            self.looked = Some(now);
        }
        for (name, seen) in &mut self.sites {
            let growth = grown.get(name).copied().unwrap_or(0.0);
            let known = found.iter_mut().find(|known| known.site == *name);
            let Some(known) = known else {
                if let Some(new) = seen.alone(name, growth, about) {
                    found.push(new);
                }
                continue;
            };
            seen.told = seen.told.max(known.total + real(seen.last) - real(seen.first));
            known.total = seen.told;
            known.rate = (known.rate + growth).max(0.0);
            known.lower = (known.lower + growth).max(0.0);
            known.upper = known.upper.map(|upper| (upper + growth).max(known.lower));
        }
    }

    /// Takes note of what is pending, and says by how much a second it has grown at which site.
    fn look(&mut self, sites: &[Site], elapsed: Option<f64>) -> HashMap<Name, f64> {
        let mut pending: HashMap<Name, (u64, &'static str)> = HashMap::new();
        for site in sites.iter().filter(|site| site.name.kind != DeferKind::OpenCoded) {
            let name = (site.name.function.clone(), site.name.file.clone(), site.name.line);
            pending.entry(name).or_insert((0, site.name.kind.name())).0 += site.pending;
        }
        let mut grown = HashMap::new();
        for (name, seen) in &mut self.sites {
            let now = pending.remove(name).map_or(0, |(now, _)| now);
            if let Some(elapsed) = elapsed.filter(|elapsed| *elapsed > 0.0) {
                grown.insert(name.clone(), (real(now) - real(seen.last)) / elapsed);
            }
            seen.last = now;
        }
        for (name, (now, kind)) in pending {
            if self.sites.len() < MOST_SITES {
                // What a later look finds at a new site was registered since the first.
                let first = if elapsed.is_none() { now } else { 0 };
                if let Some(elapsed) = elapsed.filter(|elapsed| *elapsed > 0.0) {
                    grown.insert(name.clone(), real(now) / elapsed);
                }
                self.sites.insert(name, Seen { first, last: now, told: 0.0, kind });
            }
        }
        grown
    }
}

impl Seen {
    /// A site of which the probe knows nothing: none of its functions has returned.
    fn alone(&mut self, name: &Name, growth: f64, about: (u64, u64)) -> Option<Registrations> {
        self.told = self.told.max(real(self.last) - real(self.first));
        let rate = growth.max(0.0);
        (self.told > 0.0).then(|| Registrations {
            site: name.clone(),
            kind: self.kind,
            total: self.told,
            rate,
            lower: rate,
            upper: Some(rate),
            about,
            per_call: Vec::new(),
            per_call_sum: 0,
        })
    }
}

fn nanoseconds_of(seconds: f64) -> u64 {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "no process has 2^52 records")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use deferd_goproc::snapshot::SiteName;

    use super::*;

    fn site(pending: u64) -> Site {
        let name = SiteName {
            function: "main.leak".to_owned(),
            file: "main.go".to_owned(),
            line: 7,
            callee: "main.f".to_owned(),
            kind: DeferKind::Heap,
        };
        Site { name, pending, memory_bytes: 0, goroutines: 1, max_chain: pending, sample_goids: Vec::new() }
    }

    fn counted(total: f64, rate: f64) -> Registrations {
        let site = ("main.leak".to_owned(), "main.go".to_owned(), 7);
        Registrations {
            site,
            kind: "heap",
            total,
            rate,
            lower: rate,
            upper: None,
            about: (0, 0),
            per_call: Vec::new(),
            per_call_sum: 0,
        }
    }

    #[test]
    fn a_loop_that_never_returns_registers_what_becomes_pending() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let mut found = Vec::new();
        pending.add(&mut found, &[site(1_000)], true, start);
        assert!(found.is_empty(), "what was there before is not ours");
        pending.add(&mut found, &[site(1_500)], true, start + Duration::from_secs(5));
        assert_eq!((found[0].total, found[0].rate, found[0].upper), (500.0, 100.0, Some(100.0)));
    }

    #[test]
    fn what_returns_between_looks_is_counted_once() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        pending.add(&mut vec![counted(0.0, 0.0)], &[site(0)], true, start);
        let mut found = vec![counted(0.0, 0.0)];
        pending.add(&mut found, &[site(600)], true, at(1));
        assert_eq!((found[0].total, found[0].rate), (600.0, 600.0));
        // All of them and 400 more have run since.
        let mut found = vec![counted(1_000.0, 1_000.0)];
        pending.add(&mut found, &[], true, at(2));
        assert_eq!((found[0].total, found[0].rate), (1_000.0, 400.0));
    }

    #[test]
    fn a_look_that_missed_goroutines_changes_nothing_and_totals_never_fall() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        pending.add(&mut vec![counted(0.0, 0.0)], &[site(0)], true, start);
        let mut found = vec![counted(10.0, 10.0)];
        pending.add(&mut found, &[site(90)], true, start + Duration::from_secs(1));
        assert_eq!(found[0].total, 100.0);
        let mut found = vec![counted(20.0, 10.0)];
        pending.add(&mut found, &[], false, start + Duration::from_secs(2));
        assert_eq!((found[0].total, found[0].rate), (110.0, 10.0));
    }
}
