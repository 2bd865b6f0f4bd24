//! What the kernel side counts.

use std::collections::BTreeMap;
use std::time::Duration;

/// Sites kept one by one per stretch; what more there are counts in the total alone.
pub(super) const MAX_SITES: usize = 1024;

/// What the probe on `deferreturn` counted in one stretch of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interval {
    /// Length of the stretch, in which the breakpoint was in place all the time.
    pub(crate) wall: Duration,
    /// CPU time that the target used in it, probes included.
    pub(crate) target_cpu: Duration,
    /// Hits, exact.
    pub(crate) hits: u64,
    /// Hits on the CPU that had most of them; as many as `hits` if that is not known.
    pub(crate) busiest: u64,
    /// Of the hits one in 2^`shift` was walked, chosen at random.
    pub(crate) shift: u8,
    /// Hits that were walked.
    pub(crate) sampled: u64,
    /// Records found by the walks.
    pub(crate) nodes: u64,
    /// Sum over the walks of the square of the records found.
    pub(crate) nodes_sq: u64,
    /// Walks that were cut: they found fewer records than there were.
    pub(crate) cut: u64,
    /// Time that all walks took.
    pub(crate) walk_time: Duration,
    /// The same by site, for sites that were found.
    pub(crate) sites: Vec<SiteSample>,
}

/// What the walks found of one site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SiteSample {
    /// Return address of the site in the binary.
    pub(crate) pc: u64,
    /// Walks that found it.
    pub(crate) frames: u64,
    /// Records of it that were found.
    pub(crate) nodes: u64,
    /// Sum over the walks of the square of that.
    pub(crate) nodes_sq: u64,
}

/// One window and the time before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// What was counted while the window was open.
    pub(crate) inside: Interval,
    /// Time since the window before was closed, or since windows began.
    pub(crate) outside_wall: Duration,
    /// CPU time that the target used in that time.
    pub(crate) outside_cpu: Duration,
    /// What of that the probe cost, while the breakpoint of the window before was being removed.
    pub(crate) outside_cost: Duration,
}

/// What one hit costs the target, walk excluded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HitCost {
    /// As calibrated.
    pub(crate) each: Duration,
    /// Largest relative error of that, 0.1 for 10 %.
    pub(crate) uncertainty: f64,
}

impl Interval {
    /// Adds a stretch that was counted with the same `shift`.
    pub(super) fn add(&mut self, other: &Self) {
        self.wall = self.wall.saturating_add(other.wall);
        self.target_cpu = self.target_cpu.saturating_add(other.target_cpu);
        self.hits = self.hits.saturating_add(other.hits);
        self.busiest = self.busiest.saturating_add(other.busiest);
        self.sampled = self.sampled.saturating_add(other.sampled);
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.nodes_sq = self.nodes_sq.saturating_add(other.nodes_sq);
        self.cut = self.cut.saturating_add(other.cut);
        self.walk_time = self.walk_time.saturating_add(other.walk_time);
        let mut sites: BTreeMap<u64, SiteSample> = self.sites.iter().map(|site| (site.pc, *site)).collect();
        for more in &other.sites {
            if sites.len() >= MAX_SITES && !sites.contains_key(&more.pc) {
                continue;
            }
            let site = sites.entry(more.pc).or_insert(SiteSample { pc: more.pc, ..SiteSample::default() });
            site.add(*more);
        }
        self.sites = sites.into_values().collect();
    }

    /// All sites together, or one of them.
    pub(super) fn sample(&self, pc: Option<u64>) -> SiteSample {
        match pc {
            None => SiteSample { pc: 0, frames: self.sampled, nodes: self.nodes, nodes_sq: self.nodes_sq },
            Some(pc) => {
                let found = self.sites.iter().find(|site| site.pc == pc);
                found.copied().unwrap_or(SiteSample { pc, ..SiteSample::default() })
            }
        }
    }

    /// What the probe cost in this stretch, in seconds, if a hit costs `each` seconds.
    pub(super) fn cost(&self, each: f64) -> f64 {
        real(self.hits).mul_add(each, self.walk_time.as_secs_f64())
    }
}

impl SiteSample {
    /// Adds what more walks found.
    pub(super) fn add(&mut self, more: Self) {
        self.frames = self.frames.saturating_add(more.frames);
        self.nodes = self.nodes.saturating_add(more.nodes);
        self.nodes_sq = self.nodes_sq.saturating_add(more.nodes_sq);
    }
}

impl Window {
    /// The time that it speaks for: its own and the time before it.
    pub(super) fn span(&self) -> Duration {
        self.inside.wall.saturating_add(self.outside_wall)
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "an estimate needs no more than 53 bits of a count")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
