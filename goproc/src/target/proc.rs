//! Reading `/proc/PID`: bounded reads, and pure parsers of what they give.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Clock ticks per second in `/proc` (`USER_HZ`, part of the kernel's interface on every architecture Go runs on).
const TICKS_PER_SECOND: u64 = 100;

/// Most bytes read of a one-page file such as `stat`, `status` or `cgroup`.
const SMALL_FILE: u64 = 64 * 1024;

/// `PF_KTHREAD` in the flags of `/proc/PID/stat` (`include/linux/sched.h`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// `PF_EXITING` there.
const EXITING: u64 = 0x4;

/// The path of `file` about process `pid`.
pub(super) fn path(pid: u32, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{file}"))
}

/// At most `limit` bytes of `file` about process `pid`.
pub(super) fn read(pid: u32, file: &str, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path(pid, file))?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A small file about process `pid` as text.
pub(super) fn read_text(pid: u32, file: &str) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read(pid, file, SMALL_FILE)?).into_owned())
}

/// What is used of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) state: char,
    pub(super) kernel_thread: bool,
    /// Whether it has begun to end.
    pub(super) exiting: bool,
    /// Ticks from boot to the start of the process.
    pub(super) start_ticks: u64,
    /// Where its stack begins; like the addresses below, 0 to those who may not read its memory.
    pub(super) stack: u64,
    /// Where the text of its arguments begins, which lies above that.
    pub(super) arguments: u64,
    /// Where the text of its environment begins and ends.
    pub(super) environment: (u64, u64),
}

impl Stat {
    pub(super) fn read(pid: u32) -> io::Result<Self> {
        let text = read_text(pid, "stat")?;
        Self::parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unknown form of /proc/PID/stat"))
    }

    /// `pid (name) state ppid ...`: the name may hold spaces and parentheses, so fields count from the last one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        // proc(5): state is field 3, flags 9, starttime 22, startstack 28, arg_start 48, env_start 50, env_end 51.
        let flags: u64 = fields.nth(5)?.parse().ok()?;
        let start_ticks = fields.nth(12)?.parse().ok()?;
        let mut address = |skipped| fields.nth(skipped).and_then(|field| field.parse().ok()).unwrap_or(0);
        let (stack, arguments, environment) = (address(5), address(19), (address(1), address(0)));
        let (kernel_thread, exiting) = (flags & KERNEL_THREAD != 0, flags & EXITING != 0);
        Some(Self { state, kernel_thread, exiting, start_ticks, stack, arguments, environment })
    }

    /// Whether it has ended and only waits to be collected.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// When it started on a machine booted at `boot`; second-exact, as the boot time is.
    pub(super) fn started(&self, boot: SystemTime) -> Option<SystemTime> {
        let since_boot = Duration::from_millis(self.start_ticks.saturating_mul(1000 / TICKS_PER_SECOND));
        boot.checked_add(since_boot)
    }
}

/// When the machine was booted, from `/proc/stat`: not a cheap file, so read once for many processes.
pub(super) fn boot_time() -> Option<SystemTime> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let seconds = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.trim().parse().ok()?))
}

/// Real user id and pid in the innermost namespace, from `/proc/PID/status`.
pub(super) fn parse_status(text: &str) -> (Option<u32>, Option<u32>) {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let uid = value("Uid:").and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    let vpid = value("NSpid:").and_then(|line| line.split_ascii_whitespace().last()?.parse().ok());
    (uid, vpid)
}

/// Strings separated by NUL bytes, as in `cmdline` and `environ`.
pub(super) fn nul_separated(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let parts = bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    parts.take(if bytes.is_empty() { 0 } else { usize::MAX })
}

/// The value of `name` in the contents of `environ`; the first one, as `getenv` finds it.
pub(super) fn environment(bytes: &[u8], name: &str) -> Option<String> {
    bytes.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// The address of a program's first instruction, `AT_ENTRY` in `/proc/PID/auxv`.
pub(super) fn entry_address(auxv: &[u8]) -> Option<u64> {
    /// `AT_ENTRY` of `<elf.h>`.
    const AT_ENTRY: u64 = 9;
    let (pairs, _) = auxv.as_chunks::<16>();
    pairs.iter().find_map(|pair| {
        let (key, value) = pair.split_first_chunk::<8>()?;
        let value = value.first_chunk::<8>()?;
        (u64::from_le_bytes(*key) == AT_ENTRY).then(|| u64::from_le_bytes(*value))
    })
}

/// The address of the first instruction in the header of a 64-bit little-endian ELF file.
pub(super) fn elf_entry(header: &[u8]) -> Option<u64> {
    /// `e_entry` of `Elf64_Ehdr`.
    const E_ENTRY: usize = 24;
    header.strip_prefix(b"\x7fELF\x02\x01")?;
    header.get(E_ENTRY..)?.first_chunk().copied().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "812 (a) b (c) S 1 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 5 0 123456 1000 10 1 2 3";

    #[test]
    fn a_process_name_with_parentheses_does_not_shift_the_fields() {
        let stat = Stat::parse(STAT).unwrap();
        assert_eq!((stat.state, stat.kernel_thread, stat.start_ticks), ('S', false, 123_456));
        assert_eq!(Stat::parse("812 (a"), None);
        assert_eq!(Stat::parse("812 (a) S 1"), None);
    }

    #[test]
    fn our_own_start_is_in_the_past() {
        let stat = Stat::read(std::process::id()).unwrap();
        let started = stat.started(boot_time().unwrap()).unwrap();
        assert!(started <= SystemTime::now() + Duration::from_secs(2));
    }

    #[test]
    fn the_innermost_namespace_gives_the_vpid() {
        assert_eq!(parse_status("Uid:\t1000\t0\t0\t0\nNSpid:\t812\t17\t1\n"), (Some(1000), Some(1)));
        assert_eq!(parse_status(""), (None, None));
    }

    #[test]
    fn environment_finds_whole_names_only() {
        let bytes = b"XOTEL=1\0OTEL=2\0OTEL=3\0OTEL_X=4\0";
        assert_eq!(environment(bytes, "OTEL").as_deref(), Some("2"));
        assert_eq!(environment(bytes, "OTE"), None);
    }

    #[test]
    fn empty_arguments_are_kept_and_an_empty_line_has_none() {
        assert_eq!(nul_separated(b"a\0\0b\0").collect::<Vec<_>>(), ["a", "", "b"]);
        assert_eq!(nul_separated(b"").count(), 0);
    }

    #[test]
    fn a_cut_auxv_has_no_entry() {
        let mut auxv = [6_u64, 4096, 9, 0x40_1000].map(u64::to_le_bytes).concat();
        assert_eq!(entry_address(&auxv), Some(0x40_1000));
        auxv.truncate(30);
        assert_eq!(entry_address(&auxv), None);
    }
}
