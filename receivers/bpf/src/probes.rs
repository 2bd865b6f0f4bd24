//! The loaded programs and their maps.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use aya::Ebpf;
use aya::maps::{Array, HashMap, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::perf_event::{PerfEvent, PerfEventConfig, PerfEventLinkId, PerfEventScope, SamplePolicy, SoftwareEvent};
use rustix::fs::{Mode, OFlags, open};

use crate::keeper::{Client, MAX_PLACES, Order};
use crate::object::{MULTI, load};
use crate::sys::link_uprobe_multi;
use crate::wire::{
    Event, FILE_WORDS, OpenFile, PANIC_KEY_WORDS, PanicCount, Role, SITE_WORDS, Settings, Site, TARGET_WORDS, USAGE_WORDS, Usage,
    low,
};
use crate::{Link, LoadError, PlaceError};

/// What `on_timer` is called, and the program's name in messages.
const TIMER: &str = "on_tick";

/// All programs, loaded and attached to nothing.
pub struct Probes {
    programs: BTreeMap<&'static str, OwnedFd>,
    /// Who places; this process itself if there is none.
    keeper: Option<Arc<Client>>,
    agents: Array<MapData, [u32; 2]>,
    targets: Array<MapData, [u32; TARGET_WORDS]>,
    usages: PerCpuArray<MapData, [u64; USAGE_WORDS]>,
    sites: HashMap<MapData, [u64; 2], [u64; SITE_WORDS]>,
    panics: HashMap<MapData, [u64; PANIC_KEY_WORDS], [u64; 3]>,
    files: HashMap<MapData, u64, [u64; FILE_WORDS]>,
    slots: HashMap<MapData, u32, u32>,
    events: Events,
    /// Holds the timer's program; its maps were taken out.
    rest: Ebpf,
    timer: Vec<PerfEventLinkId>,
    frequency: Option<u32>,
    known: Known,
}

/// The entries of maps that hold those of all targets, by slot.
#[derive(Debug, Default)]
struct Known {
    sites: BTreeMap<u32, Vec<[u64; 2]>>,
    panics: BTreeMap<u32, Vec<[u64; PANIC_KEY_WORDS]>>,
}

/// What the programs tell at once, in the order in which it happened on each CPU.
pub struct Events(RingBuf<MapData>);

/// A place for a breakpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it is for.
    pub role: Role,
    /// Where, in the executable file. Must be the beginning of an instruction: the kernel does not look.
    pub file_offset: u64,
}

impl Probes {
    /// Loads everything. Needs `CAP_BPF` and `CAP_PERFMON`; what is done with it later needs neither.
    pub fn load() -> Result<Self, LoadError> {
        let (mut ebpf, programs) = load()?;
        let failed = |error: MapError| LoadError::from_library("opening the maps", &error);
        Ok(Self {
            programs,
            keeper: None,
            agents: Array::try_from(take(&mut ebpf, "agents")?).map_err(failed)?,
            targets: Array::try_from(take(&mut ebpf, "targets")?).map_err(failed)?,
            usages: PerCpuArray::try_from(take(&mut ebpf, "usages")?).map_err(failed)?,
            sites: HashMap::try_from(take(&mut ebpf, "sites")?).map_err(failed)?,
            panics: HashMap::try_from(take(&mut ebpf, "panics")?).map_err(failed)?,
            files: HashMap::try_from(take(&mut ebpf, "files")?).map_err(failed)?,
            slots: HashMap::try_from(take(&mut ebpf, "slots")?).map_err(failed)?,
            events: Events(RingBuf::try_from(take(&mut ebpf, "events")?).map_err(failed)?),
            rest: ebpf,
            timer: Vec::new(),
            frequency: None,
            known: Known::default(),
        })
    }

    /// Has breakpoints placed and removed by a keeper from now on, who is handed the programs. Those that stand stay where they are.
    pub fn place_through(&mut self, keeper: Arc<Client>) -> io::Result<()> {
        let programs: Vec<BorrowedFd<'_>> = MULTI.iter().filter_map(|name| Some(self.programs.get(name)?.as_fd())).collect();
        keeper.programs(&programs)?;
        self.keeper = Some(keeper);
        Ok(())
    }

    /// Whether another process places and removes.
    pub fn have_a_keeper(&self) -> bool {
        self.keeper.is_some()
    }

    /// The process id of the keeper, if it is known.
    pub fn keeper_pid(&self) -> Option<u32> {
        self.keeper.as_ref()?.pid()
    }

    /// Whether there was a keeper and is none any more: nothing can be placed then.
    pub fn have_lost_their_keeper(&self) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.is_lost())
    }

    /// Hangs up when the keeper is gone. Not to be read.
    pub fn keeper_fd(&self) -> Option<BorrowedFd<'_>> {
        self.keeper.as_ref().map(|keeper| keeper.socket())
    }

    /// Places breakpoints in process `pid`, whose executable is at `executable` (for example `/proc/PID/exe`). All of one kind:
    /// those for panics, for returns, for files; 64 at most.
    pub fn place(&self, slot: u32, pid: u32, executable: &Path, places: &[Place]) -> Result<Link, PlaceError> {
        let failed = |error| PlaceError::new(pid, error);
        let invalid = || failed(io::ErrorKind::InvalidInput.into());
        let name = places.first().map(|place| program_of(place.role)).ok_or_else(invalid)?;
        if places.iter().any(|place| program_of(place.role) != name) || places.len() > MAX_PLACES {
            return Err(invalid());
        }
        let each = places.iter().map(|place| (place.file_offset, place.role.cookie(slot)));
        let Some(keeper) = &self.keeper else {
            let program = self.programs.get(name).ok_or_else(invalid)?;
            let (offsets, cookies): (Vec<u64>, Vec<u64>) = each.unzip();
            return link_uprobe_multi(program.as_fd(), executable, &offsets, &cookies, pid).map(Link::here).map_err(failed);
        };
        let program =
            MULTI.iter().position(|program| *program == name).and_then(|at| u32::try_from(at).ok()).ok_or_else(invalid)?;
        // Only to name the file: what it is opened for takes no right to read it.
        let executable = open(executable, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(|errno| failed(errno.into()))?;
        let link = keeper.place(executable.as_fd(), Order { program, pid, places: each.collect() }).map_err(failed)?;
        Ok(Link::kept(Arc::clone(keeper), link))
    }

    /// Samples all CPUs so many times a second from now on; `None`: no longer. Needs `CAP_BPF` and `CAP_PERFMON`.
    pub fn set_timer(&mut self, frequency: Option<u32>) -> Result<(), LoadError> {
        let failed = |error: aya::programs::ProgramError| LoadError::from_library("starting the timer", &error);
        let missing = || LoadError::Object { doing: "starting the timer", reason: format!("there is no program {TIMER}") };
        let program: &mut PerfEvent = self.rest.program_mut(TIMER).ok_or_else(missing)?.try_into().map_err(failed)?;
        let Some(frequency) = frequency else {
            self.frequency = None;
            return self.timer.drain(..).try_for_each(|link| program.detach(link)).map_err(failed);
        };
        if program.fd().is_err() {
            program.load().map_err(failed)?;
        }
        let cpus = aya::util::online_cpus().map_err(|(_, error)| LoadError::from_io("listing the CPUs", &error))?;
        let mut started = Vec::new();
        for cpu in cpus {
            let event = PerfEventConfig::Software(SoftwareEvent::CpuClock);
            let scope = PerfEventScope::AllProcessesOneCpu { cpu };
            started.push(program.attach(event, scope, SamplePolicy::Frequency(frequency.into()), true).map_err(failed)?);
        }
        // The old one goes when the new one is there: without the rights for it, the old one goes on.
        for link in std::mem::replace(&mut self.timer, started) {
            program.detach(link).map_err(failed)?;
        }
        self.frequency = Some(frequency);
        Ok(())
    }

    /// Samples a second, if there are any.
    pub fn timer(&self) -> Option<u32> {
        self.frequency
    }

    /// Tells the programs how deep this process's pid namespace is, as the self-test found it.
    pub fn set_namespace_level(&mut self, level: u32) -> Result<(), MapError> {
        self.agents.set(0, [level, 0], 0)
    }

    /// What is known of the target of a slot, and wanted. Takes effect at the next hit.
    pub fn set_target(&mut self, slot: u32, settings: &Settings) -> Result<(), MapError> {
        self.targets.set(slot, settings.encode(), 0)
    }

    /// Whether the timer's samples of process `pid` are for this slot.
    pub fn sample(&mut self, pid: u32, slot: Option<u32>) -> Result<(), MapError> {
        match slot {
            Some(slot) => self.slots.insert(pid, slot, 0),
            None => self.slots.remove(&pid),
        }
    }

    /// Forgets all about the target of a slot. Its links must be gone.
    pub fn clear(&mut self, slot: u32) -> Result<(), MapError> {
        self.set_target(slot, &Settings::default())?;
        let cpus = aya::util::nr_cpus().map_err(|(_, error)| error)?;
        self.usages.set(slot, vec![[0; USAGE_WORDS]; cpus].try_into()?, 0)?;
        self.refresh();
        for key in self.known.sites.remove(&slot).unwrap_or_default() {
            let _ = self.sites.remove(&key);
        }
        for key in self.known.panics.remove(&slot).unwrap_or_default() {
            let _ = self.panics.remove(&key);
        }
        self.clear_files(slot);
        Ok(())
    }

    /// Forgets the open files of a slot.
    pub fn clear_files(&mut self, slot: u32) {
        for key in keys(self.files.keys(), |key: &u64| low(*key) == slot) {
            let _ = self.files.remove(&key);
        }
    }

    /// What was seen of a target.
    pub fn usage(&self, slot: u32) -> Result<Usage, MapError> {
        self.usages.get(&slot, 0).map(|cpus| Usage::sum(cpus.iter()))
    }

    /// The same, and the hits of `deferreturn` on each CPU.
    pub fn usage_by_cpu(&self, slot: u32) -> Result<(Usage, Vec<u64>), MapError> {
        let cpus = self.usages.get(&slot, 0)?;
        let returns = cpus.iter().map(|[returns, ..]| *returns).collect();
        Ok((Usage::sum(cpus.iter()), returns))
    }

    /// Looks for sites and panics that are new. Once for all targets: a walk over a map is a system call for each entry, so that to
    /// walk for each target would cost the square of their number.
    pub fn refresh(&mut self) {
        let mut known = Known::default();
        for key in self.sites.keys().filter_map(Result::ok) {
            known.sites.entry(low(key[0])).or_default().push(key);
        }
        for key in self.panics.keys().filter_map(Result::ok) {
            known.panics.entry(low(key[0])).or_default().push(key);
        }
        self.known = known;
    }

    /// What was found at the sites of a target, as far as [`Self::refresh`] has seen them.
    pub fn sites_of(&self, slot: u32) -> Vec<Site> {
        let keys = self.known.sites.get(&slot).map(Vec::as_slice).unwrap_or_default();
        keys.iter().filter_map(|key| Some(Site::decode(key[1], &self.sites.get(key, 0).ok()?))).collect()
    }

    /// The panics of a target, as far as [`Self::refresh`] has seen their places.
    pub fn panics_of(&self, slot: u32) -> Vec<PanicCount> {
        let keys = self.known.panics.get(&slot).map(Vec::as_slice).unwrap_or_default();
        keys.iter().filter_map(|key| PanicCount::decode(key, self.panics.get(key, 0).ok()?[0])).collect()
    }

    /// The files that were opened by a target since the probes for files were placed, and are open.
    pub fn open_files(&self, slot: u32) -> Vec<OpenFile> {
        let files = self.files.iter().filter_map(Result::ok).filter(|(key, _)| low(*key) == slot);
        files.map(|(key, words)| OpenFile::decode(key, &words)).collect()
    }

    /// Readable when there are events.
    pub fn events_fd(&self) -> BorrowedFd<'_> {
        self.events.0.as_fd()
    }

    /// What the programs tell at once.
    pub fn events(&mut self) -> &mut Events {
        &mut self.events
    }
}

impl Events {
    /// The next one, if there is one. What is no event is passed over.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            let item = self.0.next()?;
            if let Some(event) = Event::decode(&item) {
                return Some(event);
            }
        }
    }
}

impl std::fmt::Debug for Probes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probes").field("programs", &self.programs.keys()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

fn take(ebpf: &mut Ebpf, name: &'static str) -> Result<aya::maps::Map, LoadError> {
    let missing = || LoadError::Object { doing: "opening the maps", reason: format!("there is no map {name}") };
    ebpf.take_map(name).ok_or_else(missing)
}

/// Gathered first: a walk over a map loses its way when entries go.
fn keys<K>(keys: impl Iterator<Item = Result<K, MapError>>, wanted: impl Fn(&K) -> bool) -> Vec<K> {
    keys.filter_map(Result::ok).filter(wanted).collect()
}

fn program_of(role: Role) -> &'static str {
    match role {
        Role::SelfTest => "on_self_test",
        Role::Return => "on_return",
        Role::Raise | Role::Recovery | Role::FatalPanic | Role::Goexit | Role::Throw => "on_panic",
        Role::Open | Role::Close => "on_file",
    }
}
