//! Who a process is, for people and for resource attributes.

use std::path::PathBuf;
use std::time::SystemTime;

use super::container::container_of;
use super::initial_stack;
use super::proc::{self, Stat};
use crate::image::Image;
use crate::memory::Memory;

/// Most bytes kept of a command line; the rest is cut. Enough to recognise a process by.
const MAX_COMMAND_LINE: u64 = 4096;

/// What is known of a process beside its memory. Read once, when it is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Process id in the namespace of the watcher.
    pub pid: u32,
    /// Process id in its own, innermost namespace.
    pub vpid: Option<u32>,
    /// Last component of the executable's path.
    pub executable_name: String,
    /// The executable's path as the process sees it; of a deleted file, the path it had.
    pub executable_path: PathBuf,
    /// Whether the file has been deleted or replaced since.
    pub executable_deleted: bool,
    /// Its arguments, the first 4 KiB.
    pub command_line: Vec<String>,
    /// Real user id.
    pub uid: Option<u32>,
    /// When it started.
    pub started: Option<SystemTime>,
    /// The version that built it, as the linker wrote it: `go1.26.6 X:jsonv2`.
    pub go_version: String,
    /// Path of its main module.
    pub module_path: Option<String>,
    /// Its build id.
    pub build_id: Option<String>,
    /// The container it is in: 64 hexadecimal digits.
    pub container_id: Option<String>,
    /// `OTEL_SERVICE_NAME` in its initial environment.
    pub otel_service_name: Option<String>,
    /// `OTEL_RESOURCE_ATTRIBUTES` in its initial environment, unparsed.
    pub otel_resource_attributes: Option<String>,
    /// The host's name; inside a container of its own UTS namespace, the watcher's view of it.
    pub host_name: String,
}

/// What [`ProcessInfo`] takes from `/proc`. Whatever cannot be read is left out: it names, but decides nothing.
pub(super) fn read(pid: u32, stat: Stat, link: PathBuf, image: &Image, memory: &impl Memory) -> ProcessInfo {
    let (executable_path, executable_deleted) = without_deleted_mark(link);
    let (uid, vpid) = proc::read_text(pid, "status").map(|text| proc::parse_status(&text)).unwrap_or_default();
    let environment = initial_stack::environment(pid, &stat, memory).unwrap_or_default();
    let name = executable_path.file_name().map(|name| name.to_string_lossy().into_owned());
    ProcessInfo {
        pid,
        vpid,
        executable_name: name.unwrap_or_default(),
        executable_path,
        executable_deleted,
        command_line: command_line(pid),
        uid,
        started: proc::boot_time().and_then(|boot| stat.started(boot)),
        go_version: image.version().text().to_owned(),
        module_path: image.module_path().map(str::to_owned),
        build_id: image.build_id().map(str::to_owned),
        container_id: container_of(pid),
        otel_service_name: proc::environment(&environment, "OTEL_SERVICE_NAME"),
        otel_resource_attributes: proc::environment(&environment, "OTEL_RESOURCE_ATTRIBUTES"),
        host_name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}

/// The arguments of process `pid`, bounded; empty when they cannot be read.
pub(super) fn command_line(pid: u32) -> Vec<String> {
    let bytes = proc::read(pid, "cmdline", MAX_COMMAND_LINE).unwrap_or_default();
    proc::nul_separated(&bytes).collect()
}

/// Takes off what the kernel adds to the path of a file that is no longer there.
fn without_deleted_mark(path: PathBuf) -> (PathBuf, bool) {
    match path.to_str().and_then(|text| text.strip_suffix(" (deleted)")) {
        Some(text) => (PathBuf::from(text), true),
        None => (path, false),
    }
}
