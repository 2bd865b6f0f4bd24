//! The probe on `runtime.deferreturn`: always there, or in windows, as the plan and the budget have it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use deferd_bpf::{Link, Place, PlaceError, Settings, Usage};
use deferd_goproc::memory::AnyMemory;

use super::arbiter::{Arbiter, Grant, Probe};
use super::host::Host;
use super::placed::Placed;
use super::program_time::{ProgramTime, Work};
use super::rates::{HitCost, Interval, Learned, Load, Mode, Planner, Rates, SiteRate, Window, expected, next_window};
use super::reading::{Reading, between};
use super::removal::remove_and_wait;

/// How far the calibrated cost of a hit may be off: another state of the caches, another neighbour.
pub(super) const UNCERTAINTY: f64 = 0.15;
/// Records of one frame that are walked, at about 50 ns each; more are counted as "at least".
const MOST_RECORDS: u32 = 16_384;
/// What a walk of that many may cost at most in windows, where many are walked.
const MOST_RECORDS_IN_WINDOWS: u32 = 2_048;

/// How long a refused window waits before it asks again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Rates of windows are taken to go on for so long: about as long as it takes to pay for the next one.
const CARRIED_ON: Duration = Duration::from_secs(5);

/// A report that is older says nothing about now.
const STALE: Duration = Duration::from_mins(2);

/// The probe, and what it found.
#[derive(Debug)]
pub(super) struct Returns {
    pub(super) placed: Placed,
    planner: Planner,
    rates: Rates,
    learned: Learned,
    walk_time: ProgramTime,
    hit: Duration,
    /// Where the present stretch began, or the last window ended: what comes next counts from here.
    began: Option<Reading>,
    /// When the next window opens.
    due: Option<Instant>,
    /// What the probe cost while the breakpoint of the last window was being removed.
    tail: Duration,
    latest: Vec<SiteRate>,
    /// What the latest rates are about, and whether a site that is not among them had no returns.
    about: (Instant, Instant),
    are_all: bool,
}

/// The process, as far as it takes to place probes in it and to read what they count.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) slot: u32,
    pub(super) pid: u32,
    /// The file that was read, whatever is at its path by now.
    pub(super) executable: PathBuf,
    /// Where the breakpoint in `deferreturn` is in the process.
    pub(super) address: u64,
    pub(super) memory: AnyMemory,
}

impl Target {
    /// Places breakpoints. What fails is told, and is no reason to stop: the process may have ended.
    pub(super) fn place(&self, places: &[Place], host: &Host) -> Option<Link> {
        let link = host.probes.place(self.slot, self.pid, &self.executable, places);
        match link {
            Ok(link) => Some(link),
            // Of this the thread takes note, once for all processes.
            Err(PlaceError::KeeperLost(_)) => None,
            Err(error) => {
                tracing::info!("{error}");
                None
            }
        }
    }

    fn read(&self, host: &mut Host) -> Option<Reading> {
        Reading::take(&mut host.probes, self.slot, self.pid)
    }
}

impl Returns {
    pub(super) fn new(is_there: bool, hit: Duration, now: Instant) -> Self {
        Self {
            placed: Placed::default(),
            planner: Planner::new(is_there, now),
            rates: Rates::new(HitCost { each: hit, uncertainty: UNCERTAINTY }),
            learned: Learned::default(),
            walk_time: ProgramTime::default(),
            hit,
            began: None,
            due: is_there.then_some(now),
            tail: Duration::ZERO,
            latest: Vec::new(),
            about: (now, now),
            are_all: false,
        }
    }

    /// How long windows are from now on.
    pub(super) fn set_window(&mut self, length: Duration) {
        self.planner.set_length(length);
    }

    /// When there is a window to be opened.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// No window is wanted now.
    pub(super) fn postpone(&mut self) {
        self.due = Some(Instant::now() + Duration::from_secs(1));
        self.pause();
    }

    /// What happens until counting goes on is no gap: nobody wants to know it.
    pub(super) fn pause(&mut self) {
        self.began = None;
    }

    /// The settings that the programs need for the present mode.
    pub(super) fn set(&self, settings: &mut Settings, affordable: f64) {
        let (shift, most) = match self.planner.mode() {
            Mode::Off => (0, 0),
            Mode::AlwaysOn { shift } => (shift, MOST_RECORDS),
            Mode::Windows { shift, .. } => (shift, MOST_RECORDS_IN_WINDOWS),
        };
        settings.sample_mask = (1_u32 << shift.min(31)) - 1;
        settings.max_records = most;
        // What a walk costs is not known before there was one, and a chain may grow a thousandfold from one call to the next.
        settings.walk_limit =
            u64::try_from(Duration::from_secs_f64(affordable.clamp(0.0, 10.0)).as_nanos()).unwrap_or(u64::MAX) / 2;
        settings.return_limit = match self.planner.mode() {
            Mode::AlwaysOn { .. } => self.planner.limit_hits(&self.load(), affordable),
            // A window ends by itself.
            _ => u64::MAX,
        };
    }

    /// Whether a site that the latest report does not name had no returns.
    pub(super) fn are_all(&self) -> bool {
        self.are_all
    }

    /// What was found up to now, and from where to where that is about; the last report again if nothing was counted since.
    pub(super) fn report(&mut self, now: Instant) -> (&[SiteRate], (Instant, Instant)) {
        self.are_all = false;
        if let Some(report) = self.rates.report() {
            self.are_all = report.is_whole;
            self.latest = report.sites;
            // Both a stretch and a window end where the next begins to count.
            let ended = self.began.as_ref().map_or(now, |reading| reading.at);
            self.about = (ended.checked_sub(report.span).unwrap_or(ended), ended);
        } else if now.saturating_duration_since(self.about.1) > STALE {
            self.latest.clear();
        }
        let behind = now.saturating_duration_since(self.about.1);
        self.rates.carry_on(&mut self.latest, behind.min(CARRIED_ON));
        (&self.latest, self.about)
    }

    /// Takes in the stretch up to now, where the probe is always there. The costs were charged by whoever counts hits.
    pub(super) fn stretch(&mut self, target: &Target, arbiter: &mut Arbiter, host: &mut Host) {
        let Mode::AlwaysOn { shift } = self.planner.mode() else { return };
        let (Some(before), Some(after)) = (self.began.take(), target.read(host)) else { return };
        let mut interval = between(&before, &after, shift);
        interval.walk_time = self.walk_time.settle(Work::walks(&interval));
        self.rates.always_on(&interval);
        self.learned.always_on(&interval);
        let (now, load) = (after.at, self.load());
        let available = arbiter.available(Probe::Rates, now);
        let mode = if arbiter.must_shed(Probe::Rates, now) {
            self.planner.over_limit(&load, available, now)
        } else {
            self.planner.decide(&load, available, false, now)
        };
        self.began = Some(after);
        if !matches!(mode, Mode::AlwaysOn { .. }) {
            self.due = Some(Instant::now());
        }
    }

    /// The programs told that there are too many hits.
    pub(super) fn over(&mut self, target: &Target, arbiter: &mut Arbiter, host: &mut Host) {
        self.stretch(target, arbiter, host);
        let now = Instant::now();
        if matches!(self.planner.mode(), Mode::AlwaysOn { .. }) {
            let available = arbiter.available(Probe::Rates, now);
            self.planner.over_limit(&self.load(), available, now);
            self.due = Some(now);
        }
    }

    /// Whether the breakpoint is to be in place between windows.
    pub(super) fn is_always_on(&self) -> bool {
        matches!(self.planner.mode(), Mode::AlwaysOn { .. })
    }

    /// The breakpoint was placed for good.
    pub(super) fn begin(&mut self, link: Option<Link>, target: &Target, host: &mut Host) {
        self.placed.put(link);
        let began = target.read(host);
        if let (Some(last), Some(now)) = (&self.began, &began) {
            self.rates.gap(now.at.saturating_duration_since(last.at));
        }
        self.began = began;
        self.due = None;
    }

    /// Removes the breakpoint that was there for good, and waits until it is gone: a window that opened meanwhile would be counted
    /// twice. What was counted up to here stays the beginning of the time before the first window.
    pub(super) fn end(&mut self, target: &Target, interval_began: Instant, arbiter: &mut Arbiter, host: &mut Host) {
        let Some(link) = self.placed.take(interval_began) else { return };
        remove_and_wait(link, &target.memory, target.address);
        let (Some(last), Some(gone)) = (&self.began, target.read(host)) else { return };
        let load = self.load();
        self.tail = self.tail(load.hits_per_second * self.hit.as_secs_f64(), &between(last, &gone, 0));
        arbiter.charge(Probe::Rates, self.tail.mul_f64(1.0 + UNCERTAINTY), gone.at);
    }

    /// Opens a window if it can be paid: places the breakpoint, waits, and removes it.
    pub(super) fn window(
        &mut self,
        target: &Target,
        places: &[Place],
        interval_began: Instant,
        arbiter: &mut Arbiter,
        host: &mut Host,
    ) {
        let now = Instant::now();
        let Mode::Windows { every, length, shift } = self.planner.mode() else {
            self.due = None;
            return;
        };
        if let Grant::NotBefore(later) = arbiter.grant(Probe::Rates, expected(&self.load(), shift), now) {
            // Sooner, if the process turns out to use more than was known.
            self.due = Some(later.min(now + ASK_AGAIN));
            return;
        }
        // Evenly distributed, so as to be out of step with anybody.
        self.due = Some(next_window(now, every, fastrand::f64()));
        let before = target.read(host);
        // Without a breakpoint nothing would be counted, which is not to be taken for rest.
        let Some(link) = target.place(places, host) else { return };
        self.placed.put(Some(link));
        let began = target.read(host);
        #[expect(clippy::disallowed_methods, reason = "a window is time that passes; its length is bounded")]
        std::thread::sleep(length);
        let ended = target.read(host);
        if let Some(link) = self.placed.take(interval_began) {
            remove_and_wait(link, &target.memory, target.address);
        }
        let gone = target.read(host);
        let (Some(before), Some(began), Some(ended), Some(gone)) = (before, began, ended, gone) else { return };
        let mut inside = between(&began, &ended, shift);
        inside.walk_time = self.walk_time.settle(Work::walks(&inside));
        let placing = self.cost_of(&between(&before, &began, shift));
        let counted = placing + self.cost_of(&inside);
        let pace = self.cost_of(&inside).as_secs_f64() / inside.wall.as_secs_f64().max(1e-4);
        let tail = self.tail(pace, &between(&ended, &gone, shift));
        arbiter.charge(Probe::Rates, (counted + tail).mul_f64(1.0 + UNCERTAINTY), gone.at);
        self.learned.window(&inside, gone.at.saturating_duration_since(began.at));
        if let Some(last) = self.began.replace(ended) {
            let outside = between(&last, &began, shift);
            self.rates.window(Window {
                inside,
                outside_wall: outside.wall,
                outside_cpu: outside.target_cpu,
                outside_cost: self.tail + placing,
            });
        }
        self.tail = tail;
        let available = arbiter.available(Probe::Rates, gone.at);
        let in_debt = arbiter.must_shed(Probe::Rates, gone.at);
        self.planner.decide(&self.load(), available, in_debt, gone.at);
    }

    /// What the breakpoint cost while it was being removed: as many hits as there must have been, at a pace in seconds per second,
    /// since the last of them found no program any more.
    fn tail(&self, pace: f64, removal: &Interval) -> Duration {
        let expected = Duration::from_secs_f64((pace * removal.wall.as_secs_f64()).clamp(0.0, 60.0));
        expected.max(self.cost_of(removal))
    }

    fn load(&self) -> Load {
        self.learned.load(self.hit)
    }

    /// Of the time that walks are said to have taken what can have been walking.
    pub(super) fn walking(&self, usage: &Usage) -> Duration {
        self.walk_time.plausible(Work::walks_of(usage))
    }

    /// What the hits of a stretch cost.
    fn cost_of(&self, interval: &Interval) -> Duration {
        let hits = u32::try_from(interval.hits).unwrap_or(u32::MAX);
        self.hit.saturating_mul(hits) + self.walk_time.plausible(Work::walks(interval))
    }
}
