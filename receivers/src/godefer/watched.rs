//! One process under watch: looks, what they add up to, and what consumers believe of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_goproc::snapshot::SnapshotOptions;
use deferd_goproc::target::{SnapshotError, Target};
use deferd_pdata::build::EncodedAttributes;

use super::frame::{Alive, Frame, Times, nanoseconds};
use super::history::History;
use super::probes::{Figures, Pending, Subject};
use super::resource::resource;

/// A process that is attached.
#[derive(Debug)]
pub(super) struct Watched {
    target: Target,
    resource: Arc<EncodedAttributes>,
    started: u64,
    history: History,
    pending: Pending,
    /// Series that were delivered and not ended.
    alive: Alive,
    attached: Instant,
    looked: Option<Instant>,
}

/// A request on its way, with what will be alive once it is delivered.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) payload: deferd_pdata::Bytes,
    pub(super) points: usize,
    alive: Alive,
}

impl Watched {
    pub(super) fn new(target: Target) -> Self {
        let info = target.process();
        let resource = Arc::new(resource(info, target.key()));
        let started = info.started.map(nanoseconds).unwrap_or_default();
        Self {
            target,
            resource,
            started,
            history: History::default(),
            pending: Pending::default(),
            alive: Alive::new(),
            attached: Instant::now(),
            looked: None,
        }
    }

    /// It as the probes need to know it.
    pub(super) fn probed(&self, process: (u32, u64)) -> Option<Subject> {
        Subject::new(process, &self.target, Arc::clone(&self.resource))
    }

    /// When the next look is due.
    pub(super) fn due(&self, interval: Duration) -> Instant {
        self.looked.map_or(self.attached, |looked| looked + interval)
    }

    /// `pid 42 (shop, go1.26.6)`, for logs.
    pub(super) fn label(&self) -> String {
        let info = self.target.process();
        format!("pid {} ({}, {})", info.pid, info.executable_name, info.go_version)
    }

    /// Looks at the process; `probes` is asked, next to it, for what the probes in it found.
    pub(super) fn look(
        &mut self,
        options: &SnapshotOptions,
        max_sites: usize,
        probes: impl FnOnce() -> Option<Figures>,
    ) -> Result<Outgoing, SnapshotError> {
        let now = Instant::now();
        self.looked = Some(now);
        // Before the look, which sees to it that it is still the same process.
        let open_files = self.target.open_files();
        let snapshot = self.target.snapshot(options)?;
        let report = self.history.add(now, &snapshot.sites, max_sites);
        let mut frame = Frame::new(&snapshot, &report, open_files);
        if let Some(mut figures) = probes() {
            let is_whole = snapshot.unverified.goroutines == 0 && !snapshot.truncated;
            if figures.counts_registrations {
                self.pending.add(&mut figures.registrations, &snapshot.sites, is_whole, now);
            }
            frame.probes(&figures, &snapshot.sites);
        }
        let times = Times { start: self.started, taken: nanoseconds(snapshot.taken) };
        let (payload, points) = frame.encode(&self.resource, &self.alive, times);
        Ok(Outgoing { payload, points, alive: frame.series() })
    }

    /// The last request about a process: an end mark for every series that is alive. `None` if there is none.
    pub(super) fn end(&self) -> Option<Outgoing> {
        if self.alive.is_empty() {
            return None;
        }
        let times = Times { start: self.started, taken: nanoseconds(std::time::SystemTime::now()) };
        let (payload, points) = Frame::default().encode(&self.resource, &self.alive, times);
        Some(Outgoing { payload, points, alive: Alive::new() })
    }

    /// What became of a request. A refused one ended no series and began some nobody knows of, so both stay to be ended.
    pub(super) fn settle(&mut self, outgoing: Outgoing, delivered: bool) {
        if delivered {
            self.alive = outgoing.alive;
        }
    }
}
