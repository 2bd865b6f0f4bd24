//! Why there are no probes, in words that say what to do.

use std::error::Error;
use std::io;

use crate::sys::Refused;

/// Why the programs could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A right is missing.
    #[error(
        "{doing} needs CAP_BPF and CAP_PERFMON: run as root, or `setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep` on this binary, or add \
         BPF, PERFMON and SYS_PTRACE to the container's securityContext.capabilities"
    )]
    Denied {
        /// What was refused.
        doing: &'static str,
    },
    /// The kernel does not describe its types.
    #[error(
        "the kernel has no type information in /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF), without which probes cannot be placed: {0}"
    )]
    NoKernelTypes(String),
    /// The kernel's verifier refused a program.
    #[error("the kernel refuses the program {program} ({error}): {reason}")]
    Verifier {
        /// Which.
        program: &'static str,
        /// What the kernel answered.
        error: io::Error,
        /// The last line of the verifier.
        reason: String,
    },
    /// The kernel lacks something.
    #[error("the kernel lacks links at many places (uprobe_multi), which came with Linux 6.6: {0}")]
    NoMultiLinks(io::Error),
    /// Anything else.
    #[error("{doing}: {reason}")]
    Object {
        /// While doing what.
        doing: &'static str,
        /// What went wrong.
        reason: String,
    },
}

impl LoadError {
    /// A short name for metrics and health.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "no_permission",
            Self::NoKernelTypes(_) | Self::NoMultiLinks(_) => "unsupported",
            Self::Verifier { .. } => "refused",
            Self::Object { .. } => "system",
        }
    }

    pub(crate) fn from_io(doing: &'static str, error: &io::Error) -> Self {
        if is_denied(error) { Self::Denied { doing } } else { Self::Object { doing, reason: error.to_string() } }
    }

    /// The library wraps what the kernel answered several times.
    pub(crate) fn from_library(doing: &'static str, error: &(dyn Error + 'static)) -> Self {
        let mut reasons = vec![error.to_string()];
        let mut inner = Some(error);
        while let Some(error) = inner {
            if error.downcast_ref::<io::Error>().is_some_and(is_denied) {
                return Self::Denied { doing };
            }
            let text = error.to_string();
            if reasons.last() != Some(&text) {
                reasons.push(text);
            }
            inner = error.source();
        }
        Self::Object { doing, reason: reasons.join(": ") }
    }

    pub(crate) fn from_verifier(program: &'static str, refused: Refused) -> Self {
        if is_denied(&refused.error) {
            return Self::Denied { doing: "loading the programs" };
        }
        // Before 6.6 the attach type itself is what is refused, and no verifier has looked.
        if refused.log.is_empty() && refused.error.raw_os_error() == Some(libc::EINVAL) {
            return Self::NoMultiLinks(refused.error);
        }
        let lines = refused.log.lines().rev().filter(|line| !line.starts_with("processed "));
        let reason = lines.take(1).collect::<String>();
        Self::Verifier { program, error: refused.error, reason }
    }
}

/// Why breakpoints could not be placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The process has ended.
    #[error("process {pid} has ended")]
    Gone {
        /// Which.
        pid: u32,
    },
    /// Its executable may not be opened.
    #[error("placing probes in process {pid} of another user needs CAP_SYS_PTRACE")]
    Denied {
        /// Which.
        pid: u32,
    },
    /// There is nobody to place them any more; see [`crate::keeper`].
    #[error("{0}")]
    KeeperLost(io::Error),
    /// Anything else.
    #[error("placing probes in process {pid}: {error}")]
    System {
        /// Which.
        pid: u32,
        /// What the kernel answered.
        error: io::Error,
    },
}

impl PlaceError {
    pub(crate) fn new(pid: u32, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ESRCH | libc::ENOENT) => Self::Gone { pid },
            Some(libc::EACCES | libc::EPERM) => Self::Denied { pid },
            None if error.kind() == io::ErrorKind::BrokenPipe => Self::KeeperLost(error),
            _ => Self::System { pid, error },
        }
    }
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}
