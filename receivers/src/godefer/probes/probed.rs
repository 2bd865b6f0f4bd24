//! One process with probes in it.

use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use deferd_bpf::{PanicRecord, Settings, Usage};
use deferd_goproc::target::cpu_time;

use super::super::config::Probes as Config;
use super::super::frame::nanoseconds;
use super::arbiter::{Arbiter, Grant, Probe};
use super::figures::{Cost, Figures, Registrations};
use super::host::Host;
use super::logs::LogEntry;
use super::openers::Openers;
use super::panics::Book;
use super::placed::Placed;
use super::places::{Places, offsets};
use super::prober::Subject;
use super::program_time::{ProgramTime, Work};
use super::rates::SiteRate;
use super::returns::{Returns, Target, UNCERTAINTY};
use super::samples::Samples;
use super::site_names::SiteNames;

/// What a sample costs whoever is interrupted for it, mostly by the interrupt: measured 0.8 to 1.7 us with short chains.
const SAMPLE_COST: Duration = Duration::from_nanos(1_500);
/// What a hit of the probes for files costs besides the breakpoint: ten callers are read at 50 ns each.
const FILE_COST: Duration = Duration::from_nanos(800);
/// Breakpoints that were too expensive are tried again if the process can pay this much.
const ANOTHER_TRY: Duration = Duration::from_millis(2);

/// The programs tell at once when this many seconds of allowance are spent within one: what is a little too much is settled with
/// the next turn, out of savings.
const PATIENCE: f64 = 1.5;

/// A process and its probes.
#[derive(Debug)]
pub(super) struct Probed {
    subject: Subject,
    target: Target,
    places: Places,
    settings: Settings,
    arbiter: Arbiter,
    panics: Placed,
    panic_time: ProgramTime,
    returns: Returns,
    files: Placed,
    files_grow: bool,
    book: Book,
    openers: Openers,
    names: SiteNames,
    samples: Samples,
    usage: Usage,
    settled: Instant,
}

impl Probed {
    pub(super) fn new(subject: Subject, slot: u32, config: &Config, host: &Host) -> Self {
        let places = Places::of(&subject.image);
        for missing in &places.without {
            tracing::info!("process {}: no probe in {missing}", subject.process.0);
        }
        let minor = u32::from(subject.image.version().minor());
        let settings = Settings {
            pid: subject.process.0,
            return_limit: u64::MAX,
            raise_limit: u64::MAX,
            offsets: offsets(minor).unwrap_or_default(),
            ..Settings::default()
        };
        let now = Instant::now();
        let target = Target {
            slot,
            pid: subject.process.0,
            executable: PathBuf::from(format!("/proc/self/fd/{}", subject.image.file().as_raw_fd())),
            address: places.return_address().unwrap_or(0).wrapping_add(subject.bias),
            memory: subject.memory.clone(),
        };
        Self {
            target,
            returns: Returns::new(!places.returns.is_empty(), host.hit_cost(), now),
            places,
            settings,
            arbiter: Arbiter::new(config.max_target_overhead.ratio(), now),
            panics: Placed::default(),
            panic_time: ProgramTime::default(),
            files: Placed::default(),
            files_grow: false,
            book: Book::new(Arc::clone(&subject.image), subject.bias),
            openers: Openers::default(),
            names: SiteNames::default(),
            samples: Samples::default(),
            usage: Usage::default(),
            settled: now,
            subject,
        }
    }

    pub(super) fn slot(&self) -> u32 {
        self.target.slot
    }

    /// What was counted when it was last settled.
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Places and removes what another configuration wants.
    pub(super) fn configure(&mut self, config: &Config, host: &mut Host) {
        self.arbiter.set_share(config.max_target_overhead.ratio(), Instant::now());
        self.returns.set_window(config.rates.window.get());
        self.settings.records_per_second = config.panics.records_per_second;
        let sampled = config.enabled && config.timer.enabled;
        // Without samples there is nothing to be taken out, which is no failure.
        let _ = host.probes.sample(self.target.pid, sampled.then_some(self.target.slot));
        self.begin_epoch(host);
        self.arrange(config, host);
    }

    /// No more samples for this slot, which is to be another's.
    pub(super) fn unsample(&self, host: &mut Host) {
        let _ = host.probes.sample(self.target.pid, None);
    }

    pub(super) fn files_grow(&mut self, grow: bool, host: &mut Host, config: &Config) {
        self.files_grow = grow;
        self.arrange(config, host);
        if !grow {
            host.probes.clear_files(self.target.slot);
        }
    }

    /// Sees to it that what is wanted and can be paid is in place, and nothing else.
    fn arrange(&mut self, config: &Config, host: &mut Host) {
        let panics = config.enabled && config.panics.enabled && !self.places.panics.is_empty();
        let files = config.enabled && config.files.enabled && self.files_grow && !self.places.files.is_empty();
        self.arrange_one(Probe::Panics, panics, config.panics.exact, host);
        self.arrange_returns(config, host);
        self.arrange_one(Probe::Files, files, false, host);
    }

    fn arrange_one(&mut self, probe: Probe, is_wanted: bool, whatever_it_costs: bool, host: &mut Host) {
        let now = Instant::now();
        let is_there = self.placed(probe).is_there();
        if is_there && (!is_wanted || !whatever_it_costs && self.arbiter.must_shed(probe, now)) {
            let began = self.settled;
            if let Some(link) = self.placed(probe).take(began) {
                drop(link.remove());
            }
        } else if !is_there && is_wanted && (whatever_it_costs || self.arbiter.grant(probe, ANOTHER_TRY, now) == Grant::Yes) {
            let places = if probe == Probe::Panics { &self.places.panics } else { &self.places.files };
            let link = self.target.place(places, host);
            self.placed(probe).put(link);
        }
    }

    fn rates_wanted(&self, config: &Config) -> bool {
        config.enabled && config.rates.enabled && !self.places.returns.is_empty()
    }

    fn arrange_returns(&mut self, config: &Config, host: &mut Host) {
        let always_on = self.rates_wanted(config) && self.returns.is_always_on();
        if always_on && !self.returns.placed.is_there() {
            let link = self.target.place(&self.places.returns, host);
            self.returns.begin(link, &self.target, host);
        } else if !always_on && self.returns.placed.is_there() {
            self.returns.end(&self.target, self.settled, &mut self.arbiter, host);
        }
        if !self.rates_wanted(config) {
            self.returns.pause();
        }
    }

    /// When the next window opens, if there are windows.
    pub(super) fn window_due(&self) -> Option<Instant> {
        self.returns.due()
    }

    /// Opens the window that is due.
    pub(super) fn window(&mut self, host: &mut Host, config: &Config) {
        if !self.rates_wanted(config) {
            self.returns.postpone();
            return;
        }
        // What was always on goes first: hits would be counted by both.
        self.arrange_returns(config, host);
        self.returns.window(&self.target, &self.places.returns, self.settled, &mut self.arbiter, host);
        // What the window counted was charged with it.
        if let Ok(usage) = host.probes.usage(self.target.slot) {
            self.account_up_to(usage, Instant::now(), host, false);
        }
        self.arrange_returns(config, host);
        self.begin_epoch(host);
    }

    fn placed(&mut self, probe: Probe) -> &mut Placed {
        if probe == Probe::Panics { &mut self.panics } else { &mut self.files }
    }

    /// The programs tell at once when more hits come than can be paid until the next turn.
    fn begin_epoch(&mut self, host: &mut Host) {
        let now = Instant::now();
        // Two hits a panic, each with about as much for what is done as for the breakpoint.
        let each = host.hit_cost().as_secs_f64() * 4.0;
        let affordable = self.arbiter.available(Probe::Panics, now) * PATIENCE / each.max(1e-9);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and far below 2^64")]
        let limit = affordable as u64 + 1;
        self.settings.raise_limit = limit;
        let available = self.arbiter.available(Probe::Rates, now);
        self.returns.set(&mut self.settings, available * PATIENCE);
        self.settings.epoch = self.settings.epoch.wrapping_add(1);
        if let Err(error) = host.probes.set_target(self.target.slot, &self.settings) {
            tracing::debug!("process {}: settings of its probes: {error}", self.target.pid);
        }
    }

    /// More hits than can be paid.
    pub(super) fn over(&mut self, is_panic: bool, host: &mut Host, config: &Config) {
        self.account(Instant::now(), host);
        if !is_panic {
            self.returns.over(&self.target, &mut self.arbiter, host);
        }
        self.arrange(config, host);
        self.begin_epoch(host);
    }

    pub(super) fn sample(&mut self, pc: u64, chain: u32) {
        let linked = (pc != 0).then(|| pc.wrapping_sub(self.subject.bias));
        self.samples.add(&self.subject.image, linked, chain);
    }

    /// The log records of what was told.
    pub(super) fn tell(&mut self, records: &[PanicRecord], config: &Config) -> Vec<LogEntry> {
        self.book.tell(records, &self.subject.resource, config.panics.message)
    }

    /// Charges what was counted since the last time.
    fn account(&mut self, now: Instant, host: &Host) {
        if let Ok(usage) = host.probes.usage(self.target.slot) {
            let always_on = self.returns.is_always_on();
            self.account_up_to(usage, now, host, always_on);
        }
    }

    fn account_up_to(&mut self, usage: Usage, now: Instant, host: &Host, with_returns: bool) {
        let spent = usage.since(&self.usage);
        self.usage = usage;
        // With what the calibration may be wrong by: the promise is not to depend on it.
        let each = host.hit_cost().mul_f64(1.0 + UNCERTAINTY);
        let times = |cost: Duration, count: u64| cost.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let panics = times(each, spent.panic_hits()) + self.panic_time.settle(Work::panics_of(&spent));
        self.arbiter.charge(Probe::Panics, panics, now);
        if with_returns {
            let returns = times(each, spent.returns) + self.returns.walking(&spent);
            self.arbiter.charge(Probe::Rates, returns, now);
        }
        self.arbiter.charge(Probe::Files, times(each + FILE_COST, spent.opens + spent.closes), now);
        self.arbiter.charge(Probe::Timer, times(SAMPLE_COST, spent.ticks), now);
    }

    /// Once a second: settles what was counted and arranges the probes anew.
    pub(super) fn settle(&mut self, now: Instant, host: &mut Host, config: &Config) {
        if let Some(cpu) = cpu_time(self.target.pid) {
            self.arbiter.observe_cpu(now, cpu);
        }
        self.account(now, host);
        self.samples.turn();
        if self.rates_wanted(config) {
            self.returns.stretch(&self.target, &mut self.arbiter, host);
        }
        self.arrange(config, host);
        self.begin_epoch(host);
    }

    /// What was found since the last report.
    pub(super) fn report(&mut self, host: &mut Host, config: &Config) -> Figures {
        let now = Instant::now();
        self.account(now, host);
        let has_timer = config.enabled && config.timer.enabled;
        let registrations = if self.rates_wanted(config) { self.registrations(host) } else { Vec::new() };
        let open = if self.files.is_there() { host.probes.open_files(self.target.slot) } else { Vec::new() };
        Figures {
            panics: self.book.series(&host.probes.panics_of(self.target.slot)),
            costs: self.costs(now, has_timer),
            machinery: self.samples.shares(),
            running_chains: has_timer.then(|| self.samples.chains()),
            counts_registrations: config.enabled && config.rates.enabled,
            registrations_are_all: self.returns.are_all(),
            registrations,
            open_sites: self.openers.sites(&open, &self.subject.image, self.subject.bias),
        }
    }

    fn costs(&mut self, now: Instant, has_timer: bool) -> Vec<Cost> {
        let began = std::mem::replace(&mut self.settled, now);
        let coverage = |probe| match probe {
            Probe::Panics => self.panics.coverage(began, now),
            Probe::Rates => self.returns.placed.coverage(began, now),
            Probe::Files => self.files.coverage(began, now),
            Probe::Timer => f64::from(u8::from(has_timer)),
        };
        let coverages = Probe::ALL.map(coverage);
        let shares = self.arbiter.spent(now);
        let cost = |(coverage, (probe, share)): (f64, (Probe, f64))| Cost { probe: probe.name(), share, coverage };
        coverages.into_iter().zip(shares).map(cost).collect()
    }

    fn registrations(&mut self, host: &mut Host) -> Vec<Registrations> {
        self.returns.stretch(&self.target, &mut self.arbiter, host);
        let (now, wall) = (Instant::now(), SystemTime::now());
        let (rates, (from, to)) = self.returns.report(now);
        let epoch = |at: Instant| nanoseconds(wall.checked_sub(now.saturating_duration_since(at)).unwrap_or(wall));
        let about = (epoch(from), epoch(to));
        let sites = if rates.is_empty() { Vec::new() } else { host.probes.sites_of(self.target.slot) };
        let named = |rate: &SiteRate| {
            let seen = sites.iter().find(|site| site.pc == rate.pc).copied().unwrap_or_default();
            let (site, kind) = self.names.of(&self.subject.image, rate.pc.wrapping_sub(self.subject.bias), rate.pc);
            Registrations {
                site,
                kind,
                total: rate.registrations,
                rate: rate.rate.value,
                lower: rate.rate.lower,
                upper: rate.rate.upper,
                about,
                per_call: seen.by_length.to_vec(),
                per_call_sum: seen.records,
            }
        };
        rates.iter().map(named).collect()
    }
}
