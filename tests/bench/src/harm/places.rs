//! Where breakpoints stand in a process, and what its memory holds there.

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use deferd_bpf::{Place, PlaceError, Probes, Settings};
use deferd_goproc::image::{Image, ProbePoint};
use deferd_goproc::memory::{Extent, Memory as _, MemoryError, ProcessMemory};
use deferd_goproc::target::Target;
use deferd_receivers::godefer::places::{self, offsets};

use crate::Failure;

/// Code that is compared behind each place, beside all in front of it: an instruction that were damaged is longer than its first byte.
const BEHIND: u64 = 32;
/// `int3`.
const BREAKPOINT: u8 = 0xcc;
/// As godefer has them.
const MAX_RECORDS: u32 = 1000;
const RECORDS_PER_SECOND: u32 = 10;

/// The places in one process.
#[derive(Debug)]
pub struct Places {
    pid: u32,
    settings: Settings,
    memory: ProcessMemory,
    /// By link.
    links: Vec<Vec<Place>>,
    code: Vec<Code>,
}

/// The code around one place, as the file has it.
#[derive(Debug)]
struct Code {
    address: u64,
    bytes: Vec<u8>,
    /// Index of the place in `bytes`.
    place: usize,
}

/// What memory holds at all places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytes {
    /// What the file has.
    AsInFile,
    /// A breakpoint at each place, and what the file has around them.
    Breakpoints,
    /// A breakpoint at some, and what the file has otherwise.
    Partly,
    /// Something else: the code is damaged.
    Damaged {
        /// At this address.
        address: u64,
    },
}

/// Breakpoints of one kind, and how long it took to place them.
#[derive(Debug)]
pub struct Link {
    link: deferd_bpf::Link,
    /// How long placing took.
    pub took: Duration,
}

impl Link {
    /// Removes the breakpoints; how long that took.
    pub fn remove(self) -> Duration {
        let begin = Instant::now();
        drop(self.link);
        begin.elapsed()
    }
}

impl Places {
    /// Finds them by decoding the executable of a running process.
    pub fn of(pid: u32) -> Result<Self, Failure> {
        let target = Target::attach(pid)?;
        let image = target.image();
        let offsets = offsets(u32::from(image.version().minor())).ok_or("a Go that nobody has looked at")?;
        let executable = std::fs::File::open(executable(pid))?;
        let places = places::Places::of(image);
        if let Some(reason) = places.without.first() {
            return Err(reason.clone().into());
        }
        let around = |point| Code::around(point, image, &executable, target.load_bias());
        let code = places.points.iter().map(around).collect::<Result<_, _>>()?;
        let mut links = vec![places.panics, places.returns, places.files];
        links.retain(|places| !places.is_empty());
        let settings = Settings {
            pid,
            max_records: MAX_RECORDS,
            records_per_second: RECORDS_PER_SECOND,
            return_limit: u64::MAX,
            raise_limit: u64::MAX,
            walk_limit: u64::MAX,
            offsets,
            ..Settings::default()
        };
        Ok(Self { pid, settings, memory: ProcessMemory::new(pid), links, code })
    }

    /// What the programs must know of the process: every hit of `deferreturn` is looked into, and no limit is told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.code.len()
    }

    /// How many links they take.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Places all of them, one link after the other.
    pub fn place(&self, probes: &Probes, slot: u32) -> Result<Vec<Link>, PlaceError> {
        let place = |places: &Vec<Place>| {
            let begin = Instant::now();
            let link = probes.place(slot, self.pid, &executable(self.pid), places)?;
            Ok(Link { link, took: begin.elapsed() })
        };
        self.links.iter().map(place).collect()
    }

    /// What the memory of the process holds now.
    pub fn bytes(&self) -> Result<Bytes, MemoryError> {
        let mut breakpoints = 0;
        for code in &self.code {
            let mut found = vec![0; code.bytes.len()];
            let read = self.memory.read(&[Extent { address: code.address, length: found.len() }], &mut found)?;
            let damaged = Bytes::Damaged { address: code.address };
            if read != found.len() {
                return Ok(damaged);
            }
            let Some(at) = found.get_mut(code.place) else { return Ok(damaged) };
            if *at == BREAKPOINT {
                breakpoints += 1;
                *at = code.bytes.get(code.place).copied().unwrap_or_default();
            }
            if found != code.bytes {
                return Ok(damaged);
            }
        }
        Ok(match breakpoints {
            0 => Bytes::AsInFile,
            all if all == self.code.len() => Bytes::Breakpoints,
            _ => Bytes::Partly,
        })
    }
}

impl Code {
    fn around(point: &ProbePoint, image: &Image, executable: &std::fs::File, bias: u64) -> Result<Self, Failure> {
        let end = image.text().end.min(point.address + BEHIND);
        let mut bytes = vec![0; usize::try_from(end - point.entry)?];
        executable.read_exact_at(&mut bytes, point.file_offset - point.offset)?;
        Ok(Self { address: point.entry.wrapping_add(bias), bytes, place: usize::try_from(point.offset)? })
    }
}

fn executable(pid: u32) -> PathBuf {
    format!("/proc/{pid}/exe").into()
}
