//! The open files of a process, from `/proc/PID/fd`: how many, and of what types.
//!
//! A link is read per descriptor, which asks no file system anything. Only a path needs a second question (a file or a folder?), and
//! that one is put to file systems of this machine alone: a file server that does not answer would hold the watcher up for ever.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType as Mode, StatxFlags, readlinkat, statx};

use super::proc;

/// Most bytes read of a list of mounts: 10,000 lines. Of a longer list nothing is used.
const MAX_MOUNTS: u64 = 1 << 20;

/// File systems that answer without asking another machine or a process.
const LOCAL: [&str; 31] = [
    "bcachefs",
    "bpf",
    "btrfs",
    "cgroup",
    "cgroup2",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "erofs",
    "exfat",
    "ext2",
    "ext3",
    "ext4",
    "f2fs",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "ramfs",
    "rootfs",
    "securityfs",
    "squashfs",
    "sysfs",
    "tmpfs",
    "tracefs",
    "vfat",
    "xfs",
    "zfs",
];

/// How many files a process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileCount {
    /// All of them.
    pub total: u64,
    /// Whether they had to be listed one by one (before Linux 6.2, 0.7 us each), and not just asked for.
    pub listed: bool,
}

/// What a descriptor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileType {
    /// A file with contents, deleted ones and `memfd` included.
    Regular,
    /// A folder.
    Directory,
    /// A socket of any family.
    Socket,
    /// A pipe, named or not.
    Pipe,
    /// A kernel object without a name: epoll, eventfd, timerfd, pidfd, ...
    AnonInode,
    /// A character or block device, terminals included.
    Device,
    /// Anything else: namespaces, and paths on network and user-space file systems, which are not asked.
    Other,
}

impl FileType {
    /// All, in a fixed order.
    pub const ALL: [Self; 7] =
        [Self::Regular, Self::Directory, Self::Socket, Self::Pipe, Self::AnonInode, Self::Device, Self::Other];

    /// The value of the attribute `process.unix.file_descriptor.type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Directory => "directory",
            Self::Socket => "socket",
            Self::Pipe => "pipe",
            Self::AnonInode => "anon_inode",
            Self::Device => "device",
            Self::Other => "other",
        }
    }
}

/// The open files of a process by type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTypes {
    counts: [u64; FileType::ALL.len()],
    /// Whether there were more than were looked at.
    pub cut: bool,
}

impl FileTypes {
    /// Counts in the order of [`FileType::ALL`].
    pub(crate) fn from_counts(counts: [u64; FileType::ALL.len()], cut: bool) -> Self {
        Self { counts, cut }
    }

    /// How many there are of each type.
    pub fn counts(&self) -> impl Iterator<Item = (FileType, u64)> {
        FileType::ALL.into_iter().zip(self.counts)
    }

    /// How many were looked at.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn add(&mut self, kind: FileType) {
        if let Some((_, count)) = FileType::ALL.iter().zip(&mut self.counts).find(|(each, _)| **each == kind) {
            *count += 1;
        }
    }
}

/// How many files process `pid` has open: what the kernel says since Linux 6.2, counted before. `None` if it may not be known.
pub(super) fn count(pid: u32) -> Option<FileCount> {
    let folder = proc::path(pid, "fd");
    match std::fs::metadata(&folder).ok()?.len() {
        // A process without any, or a kernel that does not say.
        0 => Some(FileCount { total: u64::try_from(std::fs::read_dir(folder).ok()?.count()).ok()?, listed: true }),
        total => Some(FileCount { total, listed: false }),
    }
}

/// The types of the first `limit` files of process `pid`. Needs the right to open its `/proc/PID/fd`.
pub(super) fn types(pid: u32, limit: u64) -> io::Result<FileTypes> {
    let folder = File::open(proc::path(pid, "fd"))?;
    let mounts = Mounts::of(pid);
    let mut found = FileTypes::default();
    let mut buffer = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes().starts_with(b".") {
            continue;
        }
        if found.total() >= limit {
            found.cut = true;
            break;
        }
        // One that was closed meanwhile is not open.
        let Ok(link) = readlinkat(&folder, name, buffer) else {
            buffer = Vec::new();
            continue;
        };
        let kind = by_link(link.to_bytes()).unwrap_or_else(|| {
            let path = Path::new(OsStr::from_bytes(link.to_bytes()));
            if mounts.is_local(path) { by_mode(folder.as_fd(), name) } else { FileType::Other }
        });
        found.add(kind);
        buffer = link.into_bytes();
    }
    Ok(found)
}

/// The type that the text of a link tells; `None` for a path.
fn by_link(link: &[u8]) -> Option<FileType> {
    let kinds = [
        (&b"socket:["[..], FileType::Socket),
        (b"pipe:[", FileType::Pipe),
        (b"anon_inode:", FileType::AnonInode),
        (b"/memfd:", FileType::Regular),
    ];
    let known = kinds.into_iter().find(|(prefix, _)| link.starts_with(prefix)).map(|(_, kind)| kind);
    known.or_else(|| (!link.starts_with(b"/")).then_some(FileType::Other))
}

fn by_mode(folder: BorrowedFd<'_>, name: &CStr) -> FileType {
    match statx(folder, name, AtFlags::STATX_DONT_SYNC, StatxFlags::TYPE) {
        Ok(stat) => match Mode::from_raw_mode(u32::from(stat.stx_mode)) {
            Mode::RegularFile => FileType::Regular,
            Mode::Directory => FileType::Directory,
            Mode::Socket => FileType::Socket,
            Mode::Fifo => FileType::Pipe,
            Mode::CharacterDevice | Mode::BlockDevice => FileType::Device,
            _ => FileType::Other,
        },
        Err(_) => FileType::Other,
    }
}

/// The mounts that a process sees, and whether each is local.
#[derive(Debug, Default)]
struct Mounts(HashMap<PathBuf, bool>);

impl Mounts {
    /// Of process `pid`; empty, so that nothing is local, if they cannot be read as a whole.
    fn of(pid: u32) -> Self {
        let bytes = proc::read(pid, "mountinfo", MAX_MOUNTS + 1).unwrap_or_default();
        if bytes.len() as u64 > MAX_MOUNTS { Self::default() } else { Self::parse(&bytes) }
    }

    /// Lines of `id parent major:minor root mount-point options [optional...] - type source options`, see proc(5). Of two mounts on
    /// one place, the later hides the earlier.
    fn parse(bytes: &[u8]) -> Self {
        let lines = bytes.split(|byte| *byte == b'\n');
        let mounts = lines.filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b' ');
            let point = unescaped(fields.nth(4)?);
            let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
            Some((PathBuf::from(OsString::from_vec(point)), LOCAL.iter().any(|local| local.as_bytes() == kind)))
        });
        Self(mounts.collect())
    }

    fn is_local(&self, path: &Path) -> bool {
        path.ancestors().find_map(|place| self.0.get(place)).copied().unwrap_or(false)
    }
}

/// A path with `\ooo` for spaces, tabs, newlines and backslashes.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut rest = field;
    let mut out = Vec::with_capacity(field.len());
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.first_chunk::<3>().filter(|_| *first == b'\\');
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        out.push(code.unwrap_or(*first));
        rest = behind.get(if code.is_some() { 3 } else { 0 }..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn one_more_open_file_is_one_more() {
        let before = count(std::process::id()).unwrap().total;
        let files: Vec<File> = (0..50).map(|_| File::open("/dev/null").unwrap()).collect();
        let after = count(std::process::id()).unwrap().total;
        // Other tests of this process open and close files meanwhile.
        assert!(after >= before + 30, "{before} {after} {}", files.len());
        assert_eq!(count(0), None);
    }

    /// In a process of its own, because the descriptors of this one are shared by all tests.
    #[test]
    fn every_kind_of_descriptor_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a file");
        File::create_new(&path).unwrap().write_all(b"x").unwrap();
        let script = "echo; read line; exec 3<\"$1\" 4<\"$2\" 5</dev/null; echo; read line";
        let socket = OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh"]).args([&path, folder.path()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::from(socket)).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        // What it has inherited from whoever runs the test is there before and after.
        let before = types(child.id(), 100).unwrap();
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        said.read_line(&mut line).unwrap();
        let after = types(child.id(), 100).unwrap();
        let cut = types(child.id(), 4).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let more: Vec<u64> = after.counts().zip(before.counts()).map(|((_, after), (_, before))| after - before).collect();
        assert_eq!(more, [1, 1, 0, 0, 0, 1, 0], "{before:?} {after:?}");
        let at_least = |kind, count| after.counts().any(|(each, found)| each == kind && found >= count);
        assert!(at_least(FileType::Socket, 1) && at_least(FileType::Pipe, 2), "{after:?}");
        assert_eq!((after.cut, cut.cut, cut.total()), (false, true, 4));
    }

    #[test]
    fn a_link_tells_the_type_of_all_that_has_no_path() {
        let kinds = ["socket:[1]", "pipe:[1]", "anon_inode:[eventpoll]", "/memfd:x (deleted)", "net:[4026531840]", "/x"];
        let found = kinds.map(|link| by_link(link.as_bytes()));
        let [socket, pipe, anon, memfd, namespace, path] = found;
        assert_eq!((socket, pipe, anon), (Some(FileType::Socket), Some(FileType::Pipe), Some(FileType::AnonInode)));
        assert_eq!((memfd, namespace, path), (Some(FileType::Regular), Some(FileType::Other), None));
    }

    #[test]
    fn a_path_on_another_machine_is_not_asked_about() {
        let mounts = Mounts::parse(
            b"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
              30 22 0:40 / /srv/my\\040data rw - nfs4 server:/x rw\n\
              31 30 0:41 / /srv/my\\040data/cache rw - tmpfs tmpfs rw\n\
              broken\n40 22 0:50 / /new rw - sometimes x rw\n",
        );
        let local = |path: &str| mounts.is_local(Path::new(path));
        assert!(local("/etc/passwd") && local("/srv/my data/cache/x") && local("/srv/my dataset"));
        assert!(!local("/srv/my data/x") && !local("/new/x") && !local("relative"));
        assert!(!Mounts::default().is_local(Path::new("/")));
    }
}
