//! Adding up what was believed, and what was not.

use std::collections::{BTreeMap, HashMap};

use super::chain::Chain;
use super::code::Code;
use super::goroutine::Goroutine;
use super::program::{Program, SiteKey};
use crate::layout::{State, wait_reason};
use crate::snapshot::{AtLeast, Chains, Doubt, GoroutineGroup, Goroutines, OpenCodedCoverage, Site, Unverified};

/// Totals of one site.
#[derive(Debug, Clone, Default)]
struct Totals {
    pending: u64,
    memory_bytes: u64,
    goroutines: u64,
    max_chain: u64,
    oldest: Vec<u64>,
}

/// The running totals of one snapshot.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sites: HashMap<usize, Totals>,
    groups: HashMap<(State, &'static str), u64>,
    system: u64,
    /// Goroutines by the power of two (its exponent) at or below the length of their chain.
    lengths: [u64; 32],
    longest: u64,
    approximate: u64,
    doubts: BTreeMap<Doubt, u64>,
    doubtful_records: u64,
    pub(super) open_coded: OpenCodedCoverage,
}

impl Ledger {
    /// Counts a goroutine by what it does. Dead ones are not goroutines.
    pub(super) fn add_goroutine<C: Code>(&mut self, goroutine: &Goroutine, program: &mut Program<C>) {
        let Some(state) = goroutine.state.filter(|state| !matches!(state, State::Dead | State::Idle)) else {
            return;
        };
        if program.is_system_goroutine(goroutine.start_pc) {
            self.system = self.system.saturating_add(1);
            return;
        }
        let waits = matches!(state, State::Waiting | State::Leaked);
        let reason = waits.then(|| wait_reason(program.layout().minor, goroutine.wait_reason)).flatten();
        let count = self.groups.entry((state, reason.unwrap_or_default())).or_default();
        *count = count.saturating_add(1);
    }

    /// Counts a chain that was confirmed. `running` when the goroutine may have gone on since.
    pub(super) fn add_chain<C: Code>(&mut self, chain: Chain, running: bool, program: &mut Program<C>) {
        let length = chain.pending();
        if let Some(exponent) = length.checked_ilog2()
            && let Some(count) = usize::try_from(exponent).ok().and_then(|exponent| self.lengths.get_mut(exponent))
        {
            *count = count.saturating_add(1);
        }
        self.longest = self.longest.max(length);
        self.approximate = self.approximate.saturating_add(u64::from(running));
        let goid = chain.goroutine().id;
        let counts = chain.into_tally().finish();
        self.add_sites(goid, counts.into_iter().map(|count| (count.key, count.pending, count.bytes)), program);
    }

    /// Counts what one goroutine holds, by site: each site once, however many keys it has.
    pub(super) fn add_sites<C: Code>(
        &mut self,
        goid: u64,
        counts: impl IntoIterator<Item = (SiteKey, u64, u64)>,
        program: &mut Program<C>,
    ) {
        let mut held: Vec<(usize, u64, u64)> =
            counts.into_iter().map(|(key, pending, bytes)| (program.site_id(key), pending, bytes)).collect();
        held.sort_unstable();
        held.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
                kept.2 = kept.2.saturating_add(next.2);
            }
            same
        });
        for (id, pending, bytes) in held {
            self.sites.entry(id).or_default().add(goid, pending, bytes);
        }
    }

    /// Counts a chain, or goroutine, that is not believed.
    pub(super) fn add_doubt(&mut self, doubt: Doubt, records: u64) {
        let count = self.doubts.entry(doubt).or_default();
        *count = count.saturating_add(1);
        self.doubtful_records = self.doubtful_records.saturating_add(records);
    }

    /// How often `doubt` was the last word.
    pub(super) fn doubts(&self, doubt: Doubt) -> u64 {
        self.doubts.get(&doubt).copied().unwrap_or_default()
    }

    /// Chains believed.
    pub(super) fn chains_believed(&self) -> u64 {
        self.lengths.iter().sum()
    }

    /// Sites, the most pending first.
    pub(super) fn sites<C: Code>(&self, program: &Program<C>) -> Vec<Site> {
        let mut sites: Vec<Site> = self
            .sites
            .iter()
            .filter_map(|(id, totals)| Some(totals.clone().into_site(program.site_name(*id)?.clone())))
            .collect();
        sites.sort_unstable_by(|one, other| other.pending.cmp(&one.pending).then_with(|| one.name.cmp(&other.name)));
        sites
    }

    /// Goroutines by what they do.
    pub(super) fn goroutines(&self) -> Goroutines {
        let mut groups: Vec<GoroutineGroup> = self
            .groups
            .iter()
            .map(|((state, wait_reason), count)| GoroutineGroup { state: *state, wait_reason, count: *count })
            .collect();
        groups.sort_unstable_by_key(|group| (std::cmp::Reverse(group.count), group.state, group.wait_reason));
        Goroutines { total: groups.iter().map(|group| group.count).sum(), system: self.system, groups }
    }

    /// Chain lengths, cumulated from the longest down.
    pub(super) fn chains(&self) -> Chains {
        let mut goroutines = 0_u64;
        let mut at_least: Vec<AtLeast> = Vec::new();
        for (exponent, count) in (0_u32..32).zip(&self.lengths).rev() {
            goroutines = goroutines.saturating_add(*count);
            if goroutines > 0 {
                at_least.push(AtLeast { length: 1 << exponent, goroutines });
            }
        }
        at_least.reverse();
        Chains { max: self.longest, at_least, approximate: self.approximate }
    }

    /// What was not believed.
    pub(super) fn unverified(&self) -> Unverified {
        let mut reasons: Vec<(Doubt, u64)> = self.doubts.iter().map(|(doubt, count)| (*doubt, *count)).collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Unverified { goroutines: self.doubts.values().sum(), defers: self.doubtful_records, reasons }
    }
}

impl Totals {
    fn add(&mut self, goid: u64, pending: u64, bytes: u64) {
        self.pending = self.pending.saturating_add(pending);
        self.memory_bytes = self.memory_bytes.saturating_add(bytes);
        self.goroutines = self.goroutines.saturating_add(1);
        self.max_chain = self.max_chain.max(pending);
        let place = self.oldest.partition_point(|id| *id < goid);
        if place < Site::MAX_SAMPLES && self.oldest.get(place) != Some(&goid) {
            self.oldest.insert(place, goid);
            self.oldest.truncate(Site::MAX_SAMPLES);
        }
    }

    fn into_site(self, name: crate::snapshot::SiteName) -> Site {
        Site {
            name,
            pending: self.pending,
            memory_bytes: self.memory_bytes,
            goroutines: self.goroutines,
            max_chain: self.max_chain,
            sample_goids: self.oldest,
        }
    }
}
