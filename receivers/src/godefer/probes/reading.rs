//! What a process has done and what was counted, at one instant, and between two.

use std::time::{Duration, Instant};

use deferd_bpf::{Probes, Site, Usage};
use deferd_goproc::target::cpu_time;

use super::rates::{Interval, SiteSample};

/// Counts and clocks read together.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) at: Instant,
    pub(super) cpu: Duration,
    pub(super) usage: Usage,
    /// Hits of `deferreturn` on each CPU.
    returns: Vec<u64>,
    pub(super) sites: Vec<Site>,
}

/// The clocks must have been read within this time, or they are read again: a machine under load may put us off in between.
const TOGETHER: Duration = Duration::from_micros(200);
const ATTEMPTS: u32 = 3;

impl Reading {
    /// `None` if the process is gone.
    pub(super) fn take(probes: &mut Probes, slot: u32, pid: u32) -> Option<Self> {
        let mut reading = Self::clocks(probes, slot, pid)?;
        for _ in 1..ATTEMPTS {
            if reading.1 <= TOGETHER {
                break;
            }
            reading = Self::clocks(probes, slot, pid)?;
        }
        let mut reading = reading.0;
        // After the clocks: of what is sampled a ratio is taken, which a moment more does not change.
        reading.sites = probes.sites_of(slot);
        // Records of a site that is not known yet would be taken for those of the next time.
        let known: u64 = reading.sites.iter().map(|site| site.records).sum();
        if known / 99 < reading.usage.records / 100 {
            probes.refresh();
            reading.sites = probes.sites_of(slot);
        }
        Some(reading)
    }

    fn clocks(probes: &Probes, slot: u32, pid: u32) -> Option<(Self, Duration)> {
        let begin = Instant::now();
        let cpu = cpu_time(pid)?;
        let at = Instant::now();
        let (usage, returns) = probes.usage_by_cpu(slot).ok()?;
        Some((Self { at, cpu, usage, returns, sites: Vec::new() }, begin.elapsed()))
    }
}

/// What the probe on `deferreturn` counted between two readings, of hits of which one in 2^`shift` was looked into.
pub(super) fn between(before: &Reading, after: &Reading, shift: u8) -> Interval {
    let usage = after.usage.since(&before.usage);
    let sites = after.sites.iter().filter_map(|site| {
        let earlier = before.sites.iter().find(|earlier| earlier.pc == site.pc);
        let grown = site.since(&earlier.copied().unwrap_or_default());
        let sample = SiteSample { pc: grown.pc, frames: grown.frames, nodes: grown.records, nodes_sq: grown.records_squared };
        (grown.frames > 0).then_some(sample)
    });
    let by_cpu = after.returns.iter().zip(&before.returns).map(|(after, before)| after.saturating_sub(*before));
    Interval {
        wall: after.at.saturating_duration_since(before.at),
        target_cpu: after.cpu.saturating_sub(before.cpu),
        hits: usage.returns,
        busiest: by_cpu.max().unwrap_or(usage.returns),
        shift,
        sampled: usage.sampled,
        nodes: usage.records,
        nodes_sq: usage.records_squared,
        cut: usage.cut,
        walk_time: Duration::from_nanos(usage.walk_nanoseconds),
        sites: sites.collect(),
    }
}
