//! How the process ends, as scripts and service managers see it.

use std::process::ExitCode;

/// Why the process ended. Codes are part of the interface: they are documented in `--help` and never change meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Did what was asked; a service that was told to stop has delivered everything it accepted.
    Done,
    /// The configuration is wrong, or the service could not start.
    Failed,
    /// The command line is wrong.
    Usage,
    /// A process cannot be read: a right is missing, or the kernel refused.
    Refused,
    /// A process has ended, or never was.
    Gone,
    /// A process is no Go program, or one that is not understood.
    Unsupported,
    /// The service stopped before all that it had accepted was delivered.
    Lost,
}

impl Exit {
    /// The number the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Gone => 4,
            Self::Unsupported => 5,
            Self::Lost => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
