//! Why a process cannot be watched, or not any more.

use crate::image::ImageError;
use crate::memory::MemoryError;
use crate::walk::WalkError;

/// Why [`Target::attach`](super::Target::attach) failed. Each variant is handled in another way.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// There is no such process any more. Nothing to report.
    #[error("process {pid} has ended")]
    Gone {
        /// The process asked for.
        pid: u32,
    },
    /// A right is missing. To be shown to the user, once.
    #[error(
        "{what} of process {pid} needs CAP_SYS_PTRACE (or the same user with kernel.yama.ptrace_scope=0): run as root, \
         or `setcap cap_sys_ptrace+ep` on this binary, or add SYS_PTRACE to the container's securityContext.capabilities; \
         a program whose file its own user alone may read takes CAP_DAC_READ_SEARCH beside it"
    )]
    Denied {
        /// The process asked for.
        pid: u32,
        /// What was refused: `opening the executable`, `reading the memory`.
        what: &'static str,
    },
    /// The process may be read, and the file of its program may not. To be shown to the user, once.
    #[error(
        "opening the executable of process {pid}, which not everybody may read, needs CAP_DAC_READ_SEARCH beside CAP_SYS_PTRACE (or \
         the same user): run as root, or `setcap cap_sys_ptrace,cap_dac_read_search+ep` on this binary, or add DAC_READ_SEARCH to \
         the container's securityContext.capabilities"
    )]
    Unreadable {
        /// The process asked for.
        pid: u32,
    },
    /// Not a Go program. Not worth a message, nor another attempt while the executable is the same.
    #[error("process {pid}: {reason}")]
    NotGo {
        /// The process asked for.
        pid: u32,
        /// What it is instead.
        reason: ImageError,
    },
    /// A Go program, but of a version or form that is not understood.
    #[error("process {pid}: {reason}")]
    Unsupported {
        /// The process asked for.
        pid: u32,
        /// What is not understood.
        reason: ImageError,
    },
    /// So young that its runtime is not up. Try again later.
    #[error("process {pid}: the Go runtime is not initialised yet: try again in a moment")]
    NotReady {
        /// The process asked for.
        pid: u32,
    },
    /// What is in its memory is not what a program of its version has there.
    #[error("process {pid}: self-check failed: {reason}")]
    SelfCheck {
        /// The process asked for.
        pid: u32,
        /// The first thing that was wrong.
        reason: String,
    },
    /// The kernel answered something else.
    #[error("process {pid}: {what}: {error}")]
    System {
        /// The process asked for.
        pid: u32,
        /// What was attempted.
        what: &'static str,
        /// What the kernel answered.
        error: std::io::Error,
    },
}

impl AttachError {
    /// The error for an attempt at `what` that the kernel refused.
    pub(super) fn from_io(pid: u32, what: &'static str, error: std::io::Error) -> Self {
        /// `ESRCH`: reading a file of `/proc/PID` after the process has gone.
        const NO_SUCH_PROCESS: i32 = 3;
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Gone { pid },
            std::io::ErrorKind::PermissionDenied => Self::Denied { pid, what },
            _ if error.raw_os_error() == Some(NO_SUCH_PROCESS) => Self::Gone { pid },
            _ => Self::System { pid, what, error },
        }
    }

    /// The error for an executable that could not be opened. Whether the process may be read is told by `link`, the path of its
    /// executable: the kernel asks the same of who wants to know that as of who opens it, and of who opens it also what any file asks.
    pub(super) fn opening<T>(pid: u32, error: std::io::Error, link: impl FnOnce() -> std::io::Result<T>) -> Self {
        if error.kind() == std::io::ErrorKind::PermissionDenied && link().is_ok() {
            return Self::Unreadable { pid };
        }
        Self::from_io(pid, "opening the executable", error)
    }

    pub(super) fn from_image(pid: u32, reason: ImageError) -> Self {
        match reason {
            ImageError::Io(error) => Self::from_io(pid, "reading the executable", error),
            ImageError::NotRegular | ImageError::NotElf | ImageError::NotGo => Self::NotGo { pid, reason },
            _ => Self::Unsupported { pid, reason },
        }
    }

    pub(super) fn from_walk(pid: u32, error: WalkError) -> Self {
        match error {
            WalkError::NotReady => Self::NotReady { pid },
            WalkError::Check(reason) => Self::SelfCheck { pid, reason },
            WalkError::Memory(MemoryError::Gone { .. }) => Self::Gone { pid },
            WalkError::Memory(MemoryError::Denied { .. }) => Self::Denied { pid, what: "reading the memory" },
            WalkError::Memory(MemoryError::System { errno, .. }) => {
                Self::System { pid, what: "reading the memory", error: std::io::Error::other(errno) }
            }
        }
    }
}

/// Why [`Target::snapshot`](super::Target::snapshot) failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The process has ended, or runs another program: this target is of no more use.
    #[error("process {pid} has {}", match liveness { Liveness::Replaced => "been replaced by another program", _ => "ended" })]
    Over {
        /// The process.
        pid: u32,
        /// Which of the two.
        liveness: Liveness,
    },
    /// The memory could not be read, or did not pass a check.
    #[error("process {pid}: {reason}")]
    Walk {
        /// The process.
        pid: u32,
        /// What was wrong.
        reason: WalkError,
    },
}

/// Whether a target is still what it was when it was attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It is.
    Same,
    /// The process has ended.
    Exited,
    /// The process runs another program (`exec`), or the pid belongs to another process.
    Replaced,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_named_with_the_command_that_gives_it() {
        let refused = std::io::Error::from_raw_os_error(13);
        let denied = AttachError::from_walk(7, MemoryError::Denied { pid: 7 }.into());
        for error in [AttachError::from_io(7, "opening the executable", refused), denied] {
            let text = error.to_string();
            assert!(text.contains("process 7") && text.contains("setcap cap_sys_ptrace+ep"), "{text}");
        }
    }

    #[test]
    fn the_right_that_is_named_for_an_executable_is_the_one_that_is_missing() {
        let refused = || std::io::Error::from_raw_os_error(13);
        let file = AttachError::opening(7, refused(), || Ok(()));
        assert!(matches!(file, AttachError::Unreadable { pid: 7 }), "{file}");
        assert!(file.to_string().contains("needs CAP_DAC_READ_SEARCH"), "{file}");
        let process = AttachError::opening(7, refused(), || Err::<(), _>(refused()));
        assert!(process.to_string().contains("needs CAP_SYS_PTRACE"), "{process}");
        let gone = AttachError::opening(7, std::io::Error::from_raw_os_error(2), || Ok(()));
        assert!(matches!(gone, AttachError::Gone { pid: 7 }), "{gone}");
    }

    #[test]
    fn a_process_that_vanishes_at_any_step_is_gone() {
        for number in [2, 3] {
            let error = AttachError::from_io(7, "reading", std::io::Error::from_raw_os_error(number));
            assert!(matches!(error, AttachError::Gone { pid: 7 }), "{error}");
        }
        let error = AttachError::from_walk(7, MemoryError::Gone { pid: 7 }.into());
        assert!(matches!(error, AttachError::Gone { pid: 7 }), "{error}");
    }
}
