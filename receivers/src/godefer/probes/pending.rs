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
    /// The last look that could be trusted, if there was one.
    looked: Option<Look>,
}

/// A look at the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// When it began.
    pub(crate) at: Instant,
    /// The same for others.
    pub(crate) taken: SystemTime,
    /// How long it took: when in that time a goroutine was looked at is not known.
    pub(crate) wall: Duration,
    /// Whether it could follow every goroutine. Others change nothing: what they miss would look like returned.
    pub(crate) is_whole: bool,
    /// Whether a site of which no returns were told had none. Where returns were not counted, or in windows alone, it may have had any
    /// number.
    pub(crate) knows_returns: bool,
}

/// By how much something pending has grown a second, and between what that lies.
#[derive(Debug, Clone, Copy, Default)]
struct Growth {
    rate: f64,
    lower: f64,
    upper: f64,
}

impl Growth {
    fn new(more: f64, elapsed: f64, uncertain: f64) -> Self {
        let (long, short) = (more / (elapsed + uncertain), more / (elapsed - uncertain).max(elapsed / 10.0));
        Self { rate: more / elapsed, lower: long.min(short), upper: long.max(short) }
    }
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
    /// Adds what is pending to what was counted.
    pub(crate) fn add(&mut self, found: &mut Vec<Registrations>, sites: &[Site], look: Look) {
        let since = self.looked.map(|last| {
            let elapsed = look.at.saturating_duration_since(last.at);
            (elapsed.as_secs_f64(), (last.wall + look.wall).as_secs_f64())
        });
        let begun = self.looked.map_or(look.taken, |last| last.taken);
        let about = (nanoseconds(begun), nanoseconds(look.taken));
        let grown = if look.is_whole { self.look(sites, since) } else { HashMap::new() };
        if look.is_whole {
            self.looked = Some(look);
        }
        for (name, seen) in &mut self.sites {
            let growth = grown.get(name).copied();
            let known = found.iter_mut().find(|known| known.site == *name);
            let Some(known) = known else {
                if let Some(new) = seen.alone(name, growth, about, look.knows_returns) {
                    found.push(new);
                }
                continue;
            };
            let Growth { rate, lower, upper } = growth.unwrap_or_default();
            seen.told = seen.told.max(known.total + real(seen.last) - real(seen.first));
            known.total = seen.told;
            known.rate = (known.rate + rate).max(0.0);
            known.lower = (known.lower + lower).max(0.0);
            known.upper = known.upper.map(|most| (most + upper).max(known.lower));
        }
    }

    /// Takes note of what is pending, and says by how much a second it has grown at which site.
    /// `since` is the time since the last look, and how uncertain that is, in seconds.
    fn look(&mut self, sites: &[Site], since: Option<(f64, f64)>) -> HashMap<Name, Growth> {
        let mut pending: HashMap<Name, (u64, &'static str)> = HashMap::new();
        for site in sites.iter().filter(|site| site.name.kind != DeferKind::OpenCoded) {
            let name = (site.name.function.clone(), site.name.file.clone(), site.name.line);
            pending.entry(name).or_insert((0, site.name.kind.name())).0 += site.pending;
        }
        let mut grown = HashMap::new();
        let spanned = since.filter(|(elapsed, _)| *elapsed > 0.0);
        for (name, seen) in &mut self.sites {
            let now = pending.remove(name).map_or(0, |(now, _)| now);
            if let Some((elapsed, uncertain)) = spanned {
                grown.insert(name.clone(), Growth::new(real(now) - real(seen.last), elapsed, uncertain));
            }
            seen.last = now;
        }
        for (name, (now, kind)) in pending {
            if self.sites.len() < MOST_SITES {
                // What a later look finds at a new site was registered since the first.
                let first = if since.is_none() { now } else { 0 };
                if let Some((elapsed, uncertain)) = spanned {
                    grown.insert(name.clone(), Growth::new(real(now), elapsed, uncertain));
                }
                self.sites.insert(name, Seen { first, last: now, told: 0.0, kind });
            }
        }
        grown
    }
}

impl Seen {
    /// A site of which the probe knows nothing: none of its functions has returned, or none was seen to. Without a look that can be
    /// trusted, its rate is not known.
    fn alone(&mut self, name: &Name, growth: Option<Growth>, about: (u64, u64), knows_returns: bool) -> Option<Registrations> {
        self.told = self.told.max(real(self.last) - real(self.first));
        let Growth { rate, lower, .. } = growth.unwrap_or_default();
        (self.told > 0.0).then(|| Registrations {
            site: name.clone(),
            kind: self.kind,
            total: self.told,
            rate: rate.max(0.0),
            lower: lower.max(0.0),
            upper: growth.filter(|_| knows_returns).map(|growth| growth.upper.max(0.0)),
            about,
            per_call: Vec::new(),
            per_call_sum: 0,
        })
    }
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

    fn look(second: u64, is_whole: bool) -> Look {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        let time = Duration::from_secs(second);
        Look { at: *START + time, taken: SystemTime::UNIX_EPOCH + time, wall: Duration::ZERO, is_whole, knows_returns: true }
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
    fn without_knowing_of_returns_what_is_pending_is_the_least_there_is() {
        let mut pending = Pending::default();
        pending.add(&mut Vec::new(), &[site(0)], look(0, true));
        let mut found = Vec::new();
        pending.add(&mut found, &[site(500)], Look { knows_returns: false, ..look(5, true) });
        assert_eq!((found[0].lower, found[0].upper), (100.0, None));
    }

    #[test]
    fn a_loop_that_never_returns_registers_what_becomes_pending() {
        let mut pending = Pending::default();
        let mut found = Vec::new();
        pending.add(&mut found, &[site(1_000)], look(0, true));
        assert!(found.is_empty(), "what was there before is not ours");
        pending.add(&mut found, &[site(1_500)], look(5, true));
        assert_eq!((found[0].total, found[0].rate, found[0].upper), (500.0, 100.0, Some(100.0)));
    }

    #[test]
    fn what_returns_between_looks_is_counted_once() {
        let mut pending = Pending::default();
        pending.add(&mut vec![counted(0.0, 0.0)], &[site(0)], look(0, true));
        let mut found = vec![counted(0.0, 0.0)];
        pending.add(&mut found, &[site(600)], look(1, true));
        assert_eq!((found[0].total, found[0].rate), (600.0, 600.0));
        // All of them and 400 more have run since.
        let mut found = vec![counted(1_000.0, 1_000.0)];
        pending.add(&mut found, &[], look(2, true));
        assert_eq!((found[0].total, found[0].rate), (1_000.0, 400.0));
    }

    #[test]
    fn a_look_that_missed_goroutines_changes_nothing_and_totals_never_fall() {
        let mut pending = Pending::default();
        pending.add(&mut vec![counted(0.0, 0.0)], &[site(0)], look(0, true));
        let mut found = vec![counted(10.0, 10.0)];
        pending.add(&mut found, &[site(90)], look(1, true));
        assert!((found[0].total - 100.0).abs() < 1e-9);
        let mut found = vec![counted(20.0, 10.0)];
        pending.add(&mut found, &[], look(2, false));
        assert_eq!((found[0].total, found[0].rate), (110.0, 10.0));
    }

    #[test]
    fn a_look_that_took_long_makes_the_rate_less_certain_and_one_that_missed_goroutines_knows_none() {
        let mut pending = Pending::default();
        let slow = |second, is_whole| Look { wall: Duration::from_millis(100), ..look(second, is_whole) };
        pending.add(&mut Vec::new(), &[site(0)], slow(0, true));
        let mut found = Vec::new();
        pending.add(&mut found, &[site(960)], slow(1, true));
        assert_eq!((found[0].rate, found[0].lower, found[0].upper), (960.0, 800.0, Some(1200.0)));
        assert_eq!(found[0].about, (0, 1_000_000_000));
        let mut found = Vec::new();
        pending.add(&mut found, &[site(10)], slow(2, false));
        assert_eq!((found[0].total, found[0].lower, found[0].upper), (960.0, 0.0, None));
    }
}
