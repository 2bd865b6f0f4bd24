//! Breakpoints as they are in the memory of a process, whoever placed them.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use deferd_goproc::image::{NoProbePoint, ProbePoint};
use deferd_goproc::target::{ImageCache, Target};
use deferd_integration::wait;

/// The breakpoint instruction.
const INT3: u8 = 0xcc;

/// Functions in which panics are seen.
pub(super) const OF_PANICS: [&str; 5] =
    ["runtime.gopanic", "runtime.recovery", "runtime.fatalpanic", "runtime.Goexit", "runtime.throw"];
/// The function in which registrations are counted.
pub(super) const OF_RATES: [&str; 1] = ["runtime.deferreturn"];

/// The places of one process.
#[derive(Debug)]
pub(super) struct Breakpoints {
    pid: u32,
    /// Function, address in the process, and the byte in the file.
    places: Vec<(String, u64, u8)>,
}

impl Breakpoints {
    /// In these functions, as far as the program has them.
    pub(super) fn of(pid: u32, functions: &[&str]) -> Self {
        Self::of_one(pid, functions, &ImageCache::new())
    }

    /// The same of several processes.
    pub(super) fn of_all(pids: &[u32], functions: &[&str]) -> Vec<Self> {
        let images = ImageCache::new();
        pids.iter().map(|pid| Self::of_one(*pid, functions, &images)).collect()
    }

    fn of_one(pid: u32, functions: &[&str], images: &ImageCache) -> Self {
        let target = Target::attach_with(pid, images).unwrap();
        let file = File::from(target.image().file().try_clone_to_owned().unwrap());
        let place = |point: ProbePoint| {
            let mut original = [0];
            file.read_exact_at(&mut original, point.file_offset).unwrap();
            (point.function, point.address + target.load_bias(), original[0])
        };
        let points = target.image().probe_points(functions).into_iter();
        let there = points.filter(|point| !matches!(point, Err(NoProbePoint::Absent)));
        let places: Vec<_> = there.map(|point| place(point.unwrap())).collect();
        assert!(!places.is_empty() && places.iter().all(|(_, _, original)| *original != INT3), "{places:x?}");
        Self { pid, places }
    }

    /// The bytes now.
    fn bytes(&self) -> Vec<u8> {
        let memory = File::open(format!("/proc/{}/mem", self.pid)).unwrap();
        let byte = |address: u64| {
            let mut byte = [0];
            memory.read_exact_at(&mut byte, address).unwrap();
            byte[0]
        };
        self.places.iter().map(|(_, address, _)| byte(*address)).collect()
    }

    /// Whether all of them are in place.
    pub(super) fn are_set(&self) -> bool {
        self.bytes().iter().all(|byte| *byte == INT3)
    }

    /// Whether there is none, and the code is that of the file.
    pub(super) fn are_gone(&self) -> bool {
        self.bytes().iter().zip(&self.places).all(|(byte, (_, _, original))| byte == original)
    }

    /// Waits until all of them are in place.
    pub(super) fn await_set(&self) {
        wait::until(&format!("breakpoints in {self:x?}"), || self.are_set().then_some(()));
    }

    /// Waits until there is none.
    pub(super) fn await_gone(&self, limit: Duration) {
        wait::within(limit, &format!("no breakpoint in {self:x?}"), || self.are_gone().then_some(()));
    }
}
