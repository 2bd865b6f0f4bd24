//! Letting go: of series that are not seen any more, and of what rules said that are no more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::judge::ended;
use super::names::NameId;
use super::notice::Notice;
use super::rule::RuleSet;
use super::state::State;

/// A sweep looks at every series, so it is done every so many ticks only.
pub(super) const EVERY: u64 = 10;

/// What a sweep found.
#[derive(Debug, Default)]
pub(super) struct Swept {
    pub(super) notices: Vec<Notice>,
    /// Series that each rule looks at.
    pub(super) series_of_rule: BTreeMap<NameId, usize>,
    /// Alerts that wait until others of their rule have ended.
    pub(super) suppressed: usize,
}

/// Forgets series that were not seen for `stale_after`, and what rules that do not exist any more have said.
pub(super) fn stale(state: &State, rules: &RuleSet, generation: u64, stale_after: Duration, now: Instant, time: u64) -> Swept {
    let known: BTreeSet<NameId> = rules.iter().map(|rule| rule.id).collect();
    let mut swept = Swept::default();
    for mut shard in state.shards() {
        let before = shard.series.len();
        shard.series.retain(|_, series| {
            let fresh = now.saturating_duration_since(series.seen) < stale_after;
            series.cells.retain(|cell| {
                let stays = fresh && known.contains(&cell.rule);
                if !stays {
                    swept.notices.extend(ended(state, cell, time));
                }
                stays
            });
            swept.suppressed += series.cells.iter().filter(|cell| cell.suppressed).count();
            if fresh && series.generation == generation {
                for rule in series.rules.iter().filter_map(|index| rules.get(*index as usize)) {
                    *swept.series_of_rule.entry(rule.id).or_default() += 1;
                }
            }
            fresh
        });
        state.forget_series(before - shard.series.len());
    }
    swept
}

/// Forgets everything. Returns what is to be said about it.
pub(super) fn everything(state: &State, time: u64) -> Vec<Notice> {
    let mut notices = Vec::new();
    for mut shard in state.shards() {
        let series = std::mem::take(&mut shard.series);
        state.forget_series(series.len());
        notices.extend(series.into_values().flat_map(|series| series.cells).filter_map(|cell| ended(state, &cell, time)));
    }
    notices
}
