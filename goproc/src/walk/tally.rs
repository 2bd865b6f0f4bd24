//! Counting the pending calls of one chain by site.

use super::program::SiteKey;

/// Sites one chain may have. A program has some thousand `defer` statements; the chain of a goroutine that shows
/// more is not one.
pub(super) const MAX_SITES: usize = 1 << 14;

/// Entries collected before equal ones are joined.
const JOIN_AT: usize = 256;

/// Pending calls of one site on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) key: SiteKey,
    pub(super) pending: u64,
    pub(super) bytes: u64,
}

/// Counts by site for one chain: a run-length list, because a chain is long when a loop made it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    counts: Vec<Count>,
    join_at: usize,
}

impl Tally {
    /// Counts one call; `false` when there are too many sites.
    pub(super) fn add(&mut self, key: SiteKey, bytes: u64) -> bool {
        match self.counts.last_mut() {
            Some(last) if last.key == key => {
                last.pending = last.pending.saturating_add(1);
                last.bytes = last.bytes.saturating_add(bytes);
            }
            _ => self.counts.push(Count { key, pending: 1, bytes }),
        }
        if self.counts.len() > self.join_at.max(JOIN_AT) {
            self.join();
            self.join_at = self.counts.len().saturating_mul(2);
        }
        self.counts.len() <= MAX_SITES * 2
    }

    /// The counts, one per site.
    pub(super) fn finish(mut self) -> Vec<Count> {
        self.join();
        self.counts
    }

    fn join(&mut self) {
        self.counts.sort_unstable_by_key(|count| count.key);
        self.counts.dedup_by(|next, kept| {
            let same = next.key == kept.key;
            if same {
                kept.pending = kept.pending.saturating_add(next.pending);
                kept.bytes = kept.bytes.saturating_add(next.bytes);
            }
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::DeferKind;

    #[test]
    fn sites_that_take_turns_are_joined() {
        let mut tally = Tally::default();
        for turn in 0..10_000_u64 {
            assert!(tally.add(SiteKey { pc: turn % 2, code: 0, kind: DeferKind::Heap }, 64));
        }
        let counts = tally.finish();
        assert_eq!(counts.len(), 2);
        assert!(counts.iter().all(|count| count.pending == 5_000 && count.bytes == 320_000));
    }

    #[test]
    fn a_chain_of_nothing_but_sites_is_refused() {
        let mut tally = Tally::default();
        let refused = (0..u64::MAX).find(|pc| !tally.add(SiteKey { pc: *pc, code: 0, kind: DeferKind::Heap }, 0));
        assert!(refused.unwrap() <= 2 * MAX_SITES as u64);
    }
}
