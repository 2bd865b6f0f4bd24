//! One process under watch: looks, what they add up to, and what consumers believe of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_goproc::snapshot::SnapshotOptions;
use deferd_goproc::target::{SnapshotError, Target};
use deferd_pdata::build::EncodedAttributes;

use super::files::Files;
use super::frame::{Alive, Frame, Times, nanoseconds};
use super::history::History;
use super::probes::{Figures, Look, Pending, Subject};
use super::resource::resource;
use super::schedule::Process;

/// Those who open files are watched for so long after their number last grew.
const AFTERGLOW: Duration = Duration::from_mins(1);

/// A process that is attached.
#[derive(Debug)]
pub(super) struct Watched {
    target: Target,
    history: History,
    files: Files,
    pending: Pending,
    known: Known,
    /// When the number of its files was last seen to grow, and whether those who open them are watched for it.
    grew: Option<Instant>,
    follows_files: bool,
    attached: Instant,
    looked: Option<Instant>,
}

/// A process that has ended: what it takes to tell so, and nothing that holds a file of it open.
#[derive(Debug)]
pub(super) struct Ended(Known);

/// Who a process is, and what consumers believe of it.
#[derive(Debug)]
pub(super) struct Known {
    resource: Arc<EncodedAttributes>,
    started: u64,
    /// Series that were delivered and not ended.
    alive: Alive,
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
            history: History::default(),
            pending: Pending::default(),
            files: Files::default(),
            known: Known { resource, started, alive: Alive::new() },
            grew: None,
            follows_files: false,
            attached: Instant::now(),
            looked: None,
        }
    }

    /// It as the probes need to know it.
    pub(super) fn probed(&self, process: Process) -> Subject {
        Subject::new(process, &self.target, Arc::clone(&self.known.resource))
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
        let files = self.files.look(&self.target, now);
        let at = Instant::now();
        let snapshot = self.target.snapshot(options)?;
        let report = self.history.add(now, &snapshot.sites, max_sites);
        let mut frame = Frame::new(&snapshot, &report, &files);
        if let Some(mut figures) = probes() {
            let is_whole = snapshot.unverified.goroutines == 0 && !snapshot.truncated;
            if figures.counts_registrations {
                let knows_returns = figures.registrations_are_all;
                let look = Look { at, taken: snapshot.taken, wall: snapshot.cost.wall, is_whole, knows_returns };
                self.pending.add(&mut figures.registrations, &snapshot.sites, look);
            }
            frame.probes(&figures, &snapshot.sites);
        } else {
            frame.keep_probes(&self.known.alive);
        }
        let times = Times { start: self.known.started, taken: nanoseconds(snapshot.taken) };
        let (payload, points) = frame.encode(&self.known.resource, &self.known.alive, times);
        Ok(Outgoing { payload, points, alive: frame.series() })
    }

    /// Whether the process has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.target.has_ended()
    }

    /// When its files are to be counted again; `None` where that may not be known.
    pub(super) fn count_due(&self) -> Option<Instant> {
        self.files.due()
    }

    /// Counts its files, between two looks. Says whether their number grows, if that has changed.
    pub(super) fn count_files(&mut self, now: Instant) -> Option<bool> {
        self.files.count(&self.target, now);
        let grow = self.files.is_growing();
        if grow {
            self.grew = Some(now);
        }
        // They are watched for some time more: what opens files seldom seems to have stopped after each.
        let still = grow || self.grew.is_some_and(|grew| now.saturating_duration_since(grew) < AFTERGLOW);
        let changed = still != self.follows_files;
        self.follows_files = still;
        changed.then_some(still)
    }

    /// Lets go of the process.
    pub(super) fn into_ended(self) -> Ended {
        Ended(self.known)
    }

    /// Who it is, and what consumers believe of it.
    pub(super) fn known(&mut self) -> &mut Known {
        &mut self.known
    }
}

impl Known {
    /// What became of a request. A refused one ended no series and began some nobody knows of, so both stay to be ended.
    pub(super) fn settle(&mut self, outgoing: Outgoing, delivered: bool) {
        if delivered {
            self.alive = outgoing.alive;
        }
    }
}

impl Ended {
    /// Who it was, and what consumers believe of it.
    pub(super) fn known(&mut self) -> &mut Known {
        &mut self.0
    }

    /// The last request about a process: an end mark for every series that is alive. `None` if there is none.
    pub(super) fn end(&self) -> Option<Outgoing> {
        let Known { resource, started, alive } = &self.0;
        if alive.is_empty() {
            return None;
        }
        let times = Times { start: *started, taken: nanoseconds(std::time::SystemTime::now()) };
        let (payload, points) = Frame::default().encode(resource, alive, times);
        Some(Outgoing { payload, points, alive: Alive::new() })
    }
}
