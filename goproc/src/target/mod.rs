//! A running Go process: who it is, that it still is, and what its memory says.
//!
//! Everything about a process is bound to its [`ProcessKey`] and held by a pidfd. The executable is opened through
//! `/proc/PID/exe`, which names the file that runs even when it was deleted, replaced, or is in another mount
//! namespace.

mod cache;
mod code;
mod container;
mod cpu;
mod discover;
mod error;
mod files;
mod info;
mod initial_stack;
mod key;
mod opener;
mod proc;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

pub use cache::ImageCache;
pub use container::container_of;
pub use cpu::cpu_time;
pub use discover::{Candidate, discover};
pub use error::{AttachError, Liveness, SnapshotError};
pub use files::{FileCount, FileType, FileTypes};
pub use info::ProcessInfo;
pub use key::ProcessKey;
pub use opener::{Held, Opened, Opener, OwnRights, open_through, opens_through_another};

use crate::image::{Image, ImageError};
use crate::layout::Layout;
use crate::memory::{AnyMemory, HeldMemory, MemoryError, ProcessMemory};
use crate::snapshot::{Snapshot, SnapshotOptions};
use crate::walk::{Program, WalkError, check, take};
use code::ImageCode;
use proc::Stat;

/// An attached process. Attaching changes nothing about it: it is not stopped, traced or written to.
#[derive(Debug)]
pub struct Target {
    key: ProcessKey,
    info: ProcessInfo,
    pidfd: OwnedFd,
    image: Arc<Image>,
    bias: u64,
    memory: AnyMemory,
    program: Program<ImageCode>,
    opener: Arc<dyn Opener>,
}

impl Target {
    /// Attaches to process `pid`, reading its executable.
    pub fn attach(pid: u32) -> Result<Self, AttachError> {
        Self::attach_with(pid, &ImageCache::new())
    }

    /// Attaches to process `pid`, sharing its executable with others in `images`.
    pub fn attach_with(pid: u32, images: &ImageCache) -> Result<Self, AttachError> {
        Self::attach_through(pid, images, opener::chosen())
    }

    /// Attaches to process `pid`, with what `opener` opens of it.
    ///
    /// The order of steps makes sure that all of it is about one process: the pidfd first, and at the end the
    /// question whether that is still the process whose files were read.
    pub fn attach_through(pid: u32, images: &ImageCache, opener: Arc<dyn Opener>) -> Result<Self, AttachError> {
        let pidfd = open_pidfd(pid)?;
        let mut stat = Stat::read(pid).map_err(|error| AttachError::from_io(pid, "reading the state", error))?;
        if stat.is_over() || stat.kernel_thread {
            return Err(AttachError::Gone { pid });
        }
        // By our own rights: one that opens for us has both, and then neither is what is missing.
        let opening = |error| AttachError::opening(pid, error, || OwnRights.link(pid));
        let Opened { executable: file, link, held } = opener.open(pid).map_err(opening)?;
        let memory = match held {
            Some(held) => {
                // With the addresses that are hidden from us.
                stat = Stat::parse(&held.stat).unwrap_or(stat);
                AnyMemory::Held(HeldMemory::new(pid, held.memory))
            }
            None => AnyMemory::Called(ProcessMemory::new(pid)),
        };
        let metadata = file.metadata().map_err(opening)?;
        let image = images.get(&file).map_err(|reason| AttachError::from_image(pid, reason))?;
        let layout = Layout::of(u32::from(image.version().minor())).ok_or_else(|| {
            let reason = ImageError::GoTooNew { version: image.version().text().to_owned() };
            AttachError::from_image(pid, reason)
        })?;
        let bias = load_bias(pid, &stat, &memory, &file)?;

        let code = ImageCode(Arc::clone(&image));
        let globals = code.globals();
        let mut target = Self {
            key: ProcessKey {
                boot_id: boot_id(),
                pid,
                start_ticks: stat.start_ticks,
                executable_device: metadata.dev(),
                executable_inode: metadata.ino(),
                build_id: image.build_id().unwrap_or_default().to_owned(),
            },
            info: info::read(pid, stat, link, &image, &memory),
            pidfd,
            image,
            bias,
            memory,
            program: Program::new(code, bias, layout, globals),
            opener,
        };
        let checked = check(&mut target.program, &target.memory);
        match target.still_same() {
            Liveness::Same => checked.map_err(|error| AttachError::from_walk(pid, error))?,
            Liveness::Exited | Liveness::Replaced => return Err(AttachError::Gone { pid }),
        }
        Ok(target)
    }

    /// What names this process.
    pub fn key(&self) -> &ProcessKey {
        &self.key
    }

    /// Who it is.
    pub fn process(&self) -> &ProcessInfo {
        &self.info
    }

    /// The program it runs.
    pub fn image(&self) -> &Arc<Image> {
        &self.image
    }

    /// What is added to the image's addresses in this process.
    pub fn load_bias(&self) -> u64 {
        self.bias
    }

    /// Its memory, for those who look at single places of it.
    pub fn memory(&self) -> &AnyMemory {
        &self.memory
    }

    /// The handle on the process; readable, for `poll`, once it has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Whether this is still the process and program that was attached.
    pub fn still_same(&self) -> Liveness {
        let pid = self.key.pid;
        if has_ended(&self.pidfd) {
            return Liveness::Exited;
        }
        if let AnyMemory::Held(memory) = &self.memory {
            return self.still_has(memory);
        }
        match (Stat::read(pid), std::fs::metadata(proc::path(pid, "exe"))) {
            (Ok(stat), _) if stat.is_over() => Liveness::Exited,
            (Ok(stat), Ok(file)) => {
                let now = (stat.start_ticks, file.dev(), file.ino());
                let then = (self.key.start_ticks, self.key.executable_device, self.key.executable_inode);
                if now == then { Liveness::Same } else { Liveness::Replaced }
            }
            // The executable of a live process may be hidden from us only after it changed its credentials by exec.
            (Ok(_), Err(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => Liveness::Replaced,
            _ => Liveness::Exited,
        }
    }

    /// The same by the memory that was opened when it was attached: `exec` gives a process another one.
    fn still_has(&self, memory: &HeldMemory) -> Liveness {
        if memory.is_there(self.image.text().start.wrapping_add(self.bias)) {
            return Liveness::Same;
        }
        // A process that ends loses its memory a moment before its end can be seen.
        match Stat::read(self.key.pid) {
            Ok(stat) if !stat.is_over() && !stat.exiting && !self.has_ended() => Liveness::Replaced,
            _ => Liveness::Exited,
        }
    }

    /// Whether the process has ended. One system call that reads nothing, so it may be asked often.
    pub fn has_ended(&self) -> bool {
        has_ended(&self.pidfd)
    }

    /// How many files it has open now, if that may be known. Whether it still runs the same program is for [`Self::still_same`] to say.
    pub fn open_files(&self) -> Option<FileCount> {
        let count = files::count(self.key.pid)?;
        // Before its end nobody else can have had the number.
        (!self.has_ended()).then_some(count)
    }

    /// Of what types its open files are, at most `limit` of them, at 2 to 4 us each. `None` where that may not be known: it takes
    /// the same user or `CAP_DAC_READ_SEARCH` beside what reading the memory takes.
    pub fn file_types(&self, limit: u64) -> Option<FileTypes> {
        let types = self.opener.file_types(self.key.pid, limit).ok()?;
        (!self.has_ended()).then_some(types)
    }

    /// Looks at the process once. See [`Snapshot`] for what the numbers mean.
    ///
    /// The identity is checked after the memory was read, so that no figure of another program is ever returned.
    pub fn snapshot(&mut self, options: &SnapshotOptions) -> Result<Snapshot, SnapshotError> {
        let pid = self.key.pid;
        let taken = take(&mut self.program, &self.memory, options);
        match self.still_same() {
            Liveness::Same => {}
            liveness => return Err(SnapshotError::Over { pid, liveness }),
        }
        taken.map_err(|reason| match reason {
            // Its address space is gone already, though its end is not visible yet.
            WalkError::Memory(MemoryError::Gone { .. }) => SnapshotError::Over { pid, liveness: Liveness::Exited },
            reason => SnapshotError::Walk { pid, reason },
        })
    }
}

impl Target {
    /// CPU time of a walk without pages and without verification, for comparison.
    #[doc(hidden)]
    pub fn naive_cost(&self) -> Result<std::time::Duration, WalkError> {
        crate::walk::naive_cost(&self.program, &self.memory)
    }
}

fn open_pidfd(pid: u32) -> Result<OwnedFd, AttachError> {
    let gone = AttachError::Gone { pid };
    let Some(raw) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else {
        return Err(gone);
    };
    rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::empty()).map_err(|errno| {
        match errno {
            // EINVAL: the number of a thread that is not the first of its process.
            rustix::io::Errno::SRCH | rustix::io::Errno::INVAL => gone,
            errno => AttachError::from_io(pid, "opening the process (pidfd_open needs Linux 5.3)", errno.into()),
        }
    })
}

/// A pidfd is readable from the end of its process on.
fn has_ended(pidfd: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Where the program was loaded, from where the kernel started it and where its file says that it starts.
fn load_bias(pid: u32, stat: &Stat, memory: &AnyMemory, file: &File) -> Result<u64, AttachError> {
    let reading = |error| AttachError::from_io(pid, "reading the auxiliary vector", error);
    let auxv = initial_stack::auxiliary_vector(pid, stat, memory).map_err(reading)?;
    let mut header = [0; 64];
    file.read_exact_at(&mut header, 0).map_err(reading)?;
    // A process that is ending has no auxiliary vector any more.
    let running = proc::entry_address(&auxv).ok_or(AttachError::Gone { pid })?;
    let linked = proc::elf_entry(&header).ok_or(AttachError::NotGo { pid, reason: ImageError::NotElf })?;
    Ok(running.wrapping_sub(linked))
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
