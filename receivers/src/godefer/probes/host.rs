//! The loaded programs, proven to work here, and what a hit costs.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_bpf::keeper::{Client, Running};
use deferd_bpf::{Event, LoadError, MAX_SLOTS, MapError, Place, PlaceError, Probes, Role, Settings};
use deferd_goproc::image::emulated_place_in;
use deferd_goproc::walk::thread_cpu;
use parking_lot::Mutex;

use super::super::config::Probes as Config;

/// The slot of this process, for the self-test and the calibration.
const OWN_SLOT: u32 = 0;
/// Hits of one batch of the calibration.
const BATCH: u32 = 2_000;
/// Batches; the cheapest counts, since whatever else runs only adds to it.
const BATCHES: u32 = 5;
/// The ring buffer needs tens of microseconds; a machine under load may take much longer to let us look.
const PATIENCE: Duration = Duration::from_secs(2);
/// More of a function than any prologue.
const PROLOGUE: usize = 64;

/// Why there are no probes at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the self-test of the probes failed: {0}")]
    SelfTest(String),
}

impl HostError {
    /// The reason under which health shows it.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Load(error) => error.reason(),
            Self::SelfTest(_) => "self_test",
        }
    }
}

/// Loaded while there were rights to do so, for the next host that starts; and back again when a host ends, since there may be none
/// to load them anew.
static LOADED: Mutex<Option<Result<Probes, LoadError>>> = Mutex::new(None);

/// Loads the programs, for a process that gives up the rights to do so, begins to take samples, and has a keeper started, if there is
/// something to be kept. Fails without harm: what is wrong is told by the receiver.
pub(crate) fn prepare(config: &Config, start_keeper: impl FnOnce() -> io::Result<(Running, Arc<Client>)>) -> Option<Running> {
    if !config.enabled {
        return None;
    }
    let mut loaded = Probes::load();
    let keeper = loaded.as_mut().ok().and_then(|probes| {
        if config.timer.enabled
            && let Err(error) = probes.set_timer(Some(config.timer.frequency))
        {
            tracing::debug!("no samples of what processes execute: {error}");
        }
        let started = start_keeper().and_then(|(running, client)| probes.place_through(client).map(|()| running));
        started.inspect_err(|error| tracing::warn!("No process of their own holds the breakpoints: {error}")).ok()
    });
    *LOADED.lock() = Some(loaded);
    keeper
}

/// The programs, and who has which slot.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) probes: Probes,
    taken: BTreeSet<u32>,
    /// CPU time that one hit costs whoever hits it.
    hit_cost: Duration,
    /// Samples a second.
    timer: Option<u32>,
}

impl Host {
    /// Loads the programs and hits a breakpoint of our own.
    pub(super) fn start() -> Result<Self, HostError> {
        let probes = LOADED.lock().take().unwrap_or_else(Probes::load)?;
        if !probes.have_a_keeper() {
            tracing::info!(
                "Breakpoints are placed by this process itself: killed while it places or removes some, it may leave one behind in a \
                 watched process, which the next deferd removes"
            );
        }
        let (timer, taken) = (probes.timer(), BTreeSet::from([OWN_SLOT]));
        let mut host = Self { probes, taken, hit_cost: Duration::ZERO, timer };
        match host.self_test().and_then(|()| host.calibrate()) {
            Ok(cost) => {
                host.hit_cost = cost;
                Ok(host)
            }
            Err(error) => {
                // Not to be loaded anew, by a process that may have no rights any more, or without the keeper that is gone.
                host.end();
                Err(error)
            }
        }
    }

    pub(super) fn hit_cost(&self) -> Duration {
        self.hit_cost
    }

    /// For whoever comes next.
    pub(super) fn end(self) {
        *LOADED.lock() = Some(Ok(self.probes));
    }

    /// Samples a second from now on. A timer that nobody wants goes on and finds no target: to start another takes rights that may
    /// be gone.
    pub(super) fn set_timer(&mut self, frequency: Option<u32>) {
        let Some(frequency) = frequency.filter(|frequency| self.timer != Some(*frequency)) else { return };
        match self.probes.set_timer(Some(frequency)) {
            Ok(()) => self.timer = Some(frequency),
            Err(error) => tracing::info!("no samples of what processes execute: {error}"),
        }
    }

    /// A slot for another target; `None` if there are too many.
    pub(super) fn take_slot(&mut self) -> Option<u32> {
        let free = (0..MAX_SLOTS).find(|slot| !self.taken.contains(slot))?;
        self.taken.insert(free);
        Some(free)
    }

    /// The target of a slot is gone, and its links with it.
    pub(super) fn free_slot(&mut self, slot: u32) {
        if let Err(error) = self.probes.clear(slot) {
            // It is not given to another then: counts of two targets would mix.
            tracing::debug!("clearing the slot of a process that has ended: {error}");
            return;
        }
        self.taken.remove(&slot);
    }

    /// Whether breakpoints work: kernels refuse, filter and count in ways that no version number tells.
    fn self_test(&mut self) -> Result<(), HostError> {
        let failed = |reason: String| HostError::SelfTest(reason);
        let place = Place { role: Role::SelfTest, file_offset: own_place().map_err(failed)? };
        let own = std::process::id();
        let link = self.probes.place(OWN_SLOT, own, Path::new("/proc/self/exe"), &[place]).map_err(|error| refused(&error))?;
        let answer = probed(1);
        let event = self.first_event();
        drop(link);
        if answer != 2 {
            return Err(failed(format!("a function with a breakpoint computed {answer} instead of 2")));
        }
        match event {
            Some(Event::SelfTest { level, .. }) => self.probes.set_namespace_level(level).map_err(|error| system(&error)),
            _ => Err(failed("a breakpoint in this process was not told".to_owned())),
        }
    }

    fn first_event(&mut self) -> Option<Event> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.probes.events().next_event() {
                Some(event) => return Some(event),
                None if Instant::now() >= deadline => return None,
                None => std::thread::yield_now(),
            }
        }
    }

    /// What a counted hit costs, measured on ourselves with the program that is hit most.
    fn calibrate(&mut self) -> Result<Duration, HostError> {
        let own = std::process::id();
        let settings = Settings { pid: own, sample_mask: u32::MAX, return_limit: u64::MAX, ..Settings::default() };
        self.probes.set_target(OWN_SLOT, &settings).map_err(|error| system(&error))?;
        let without = cheapest_batch();
        let place = Place { role: Role::Return, file_offset: own_place().map_err(HostError::SelfTest)? };
        let link = self.probes.place(OWN_SLOT, own, Path::new("/proc/self/exe"), &[place]).map_err(|error| refused(&error))?;
        let with = cheapest_batch();
        drop(link);
        let hits = self.probes.usage(OWN_SLOT).map_err(|error| system(&error))?.returns;
        if hits != u64::from(BATCH * BATCHES) {
            return Err(HostError::SelfTest(format!("{hits} of {} hits were counted", BATCH * BATCHES)));
        }
        self.probes.clear(OWN_SLOT).map_err(|error| system(&error))?;
        Ok(with.saturating_sub(without) / BATCH)
    }
}

fn refused(error: &PlaceError) -> HostError {
    HostError::SelfTest(error.to_string())
}

fn system(error: &MapError) -> HostError {
    HostError::SelfTest(error.to_string())
}

fn cheapest_batch() -> Duration {
    let batch = || {
        let before = thread_cpu();
        for number in 0..BATCH {
            std::hint::black_box(probed(u64::from(number)));
        }
        thread_cpu().saturating_sub(before)
    };
    (0..BATCHES).map(|_| batch()).min().unwrap_or_default()
}

/// What breakpoints are tried on. Calls another, so that there is an instruction that the kernel emulates in every build.
#[inline(never)]
fn probed(number: u64) -> u64 {
    std::hint::black_box(beneath(std::hint::black_box(number)).wrapping_add(1))
}

#[inline(never)]
fn beneath(number: u64) -> u64 {
    std::hint::black_box(number)
}

/// Where in this program's file such an instruction of [`probed`] stands.
fn own_place() -> Result<u64, String> {
    let address = (probed as fn(u64) -> u64 as *const ()).addr() as u64;
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(|error| format!("/proc/self/maps: {error}"))?;
    let start = file_offset(&maps, address).ok_or("the own code is in no file")?;
    let mut code = [0; PROLOGUE];
    let read = std::fs::File::open("/proc/self/exe").and_then(|file| file.read_exact_at(&mut code, start));
    read.map_err(|error| format!("/proc/self/exe: {error}"))?;
    let place = emulated_place_in(&code, address).ok_or("no instruction of the own function is emulated by the kernel")?;
    Ok(start + place as u64)
}

/// Where in its file the code at `address` is, by the lines of `/proc/self/maps`.
fn file_offset(maps: &str, address: u64) -> Option<u64> {
    maps.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let (from, to, offset) = (number(from)?, number(to)?, number(fields.nth(1)?)?);
        (from..to).contains(&address).then_some(address - from + offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_its_file() {
        let maps = "00400000-00401000 r--p 00000000 08:01 7 /bin/x\n00401000-00409000 r-xp 00001000 08:01 7 /bin/x\n";
        assert_eq!(file_offset(maps, 0x40_1234), Some(0x1234));
        assert_eq!(file_offset(maps, 0x50_0000), None);
    }

    #[test]
    fn there_is_a_place_for_the_self_test_in_this_build() {
        assert!(own_place().is_ok(), "{:?}", own_place());
        assert_eq!(probed(1), 2);
    }
}
