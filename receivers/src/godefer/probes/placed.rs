//! Breakpoints that come and go, and for how much of the time they were there.

use std::time::{Duration, Instant};

use deferd_bpf::Link;

/// One set of breakpoints in one process.
#[derive(Debug, Default)]
pub(super) struct Placed {
    link: Option<(Link, Instant)>,
    /// Time in place in this interval, of links that are gone.
    covered: Duration,
}

impl Placed {
    pub(super) fn is_there(&self) -> bool {
        self.link.is_some()
    }

    pub(super) fn put(&mut self, link: Option<Link>) {
        self.link = link.map(|link| (link, Instant::now()));
    }

    /// What is to be removed.
    pub(super) fn take(&mut self, interval_began: Instant) -> Option<Link> {
        let (link, since) = self.link.take()?;
        self.covered += since.max(interval_began).elapsed();
        Some(link)
    }

    /// The part of the interval in which it was there; begins another one.
    pub(super) fn coverage(&mut self, interval_began: Instant, now: Instant) -> f64 {
        let there = self.link.as_ref().map(|(_, since)| now.saturating_duration_since((*since).max(interval_began)));
        let covered = std::mem::take(&mut self.covered) + there.unwrap_or_default();
        let interval = now.saturating_duration_since(interval_began);
        if interval.is_zero() {
            return if self.is_there() { 1.0 } else { 0.0 };
        }
        let part = covered.as_secs_f64() / interval.as_secs_f64();
        // Breakpoints that are there all the time are so exactly, whatever two clocks say.
        if part > 0.999_9 { 1.0 } else { part }
    }
}
