//! What can become of data, said in types: refused, delivered, dropped for a reason.

use std::fmt;
use std::time::Duration;

use crate::Batch;

/// Why a batch was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// No queue had room; nothing was enqueued anywhere, so sending again cannot duplicate.
    QueueFull,
    /// Memory or another budget of the process is used up.
    Overloaded,
    /// The service is stopping, or the pipeline this data was for is.
    ShuttingDown,
    /// The wait for room or for a result took longer than allowed.
    Timeout,
    /// The data can never be taken as it is; sending it again is pointless.
    Invalid,
    /// A component failed in a way that is its own fault (a contained panic, for example).
    Internal,
}

impl RefusalKind {
    /// Whether the sender should send the same data again.
    pub const fn is_retryable(self) -> bool {
        !matches!(self, Self::Invalid | Self::Internal)
    }

    /// The stable name used as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Overloaded => "overloaded",
            Self::ShuttingDown => "shutting_down",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid",
            Self::Internal => "internal",
        }
    }
}

/// A batch was not taken, and the sender still owns the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// How long the sender should wait before it tries again, where that is known.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal that names no waiting time.
    pub const fn new(kind: RefusalKind) -> Self {
        Self { kind, retry_after: None }
    }

    /// The same refusal with a waiting time for the sender.
    #[must_use]
    pub const fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RefusalKind::QueueFull => f.write_str("sending queue is full"),
            RefusalKind::Overloaded => f.write_str("data refused due to high memory usage"),
            RefusalKind::ShuttingDown => f.write_str("the service is shutting down"),
            RefusalKind::Timeout => f.write_str("no room was found in time"),
            RefusalKind::Invalid => f.write_str("the data cannot be taken"),
            RefusalKind::Internal => f.write_str("a component failed"),
        }
    }
}

impl std::error::Error for Refusal {}

/// A refusal together with the data, so that the engine can still decide what becomes of it: it goes back to the sender, or, if
/// the sender was already told that it is accepted, waits and tries again.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// What was refused, whole.
    pub batch: Batch,
}

/// The final word on data whose fate somebody waits for. Ordered from best to worst: when parts of one batch end differently,
/// the worst wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Delivered, or taken into a bounded buffer that is never dropped on a later refusal, or dropped on purpose.
    Accepted,
    /// Not taken.
    Refused(Refusal),
    /// Nobody said what became of it: a token was dropped unresolved. Always a defect or a hard kill.
    Lost,
}

/// Why items ended without being delivered. Every drop is counted under one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// A processor was configured to remove these items.
    Filtered,
    /// A sampler decided against these items.
    Sampled,
    /// This exporter's queue was full while another exporter took the data.
    QueueFull,
    /// The exporter said that the data can never be delivered.
    Rejected,
    /// The exporter kept failing for as long as retrying was allowed.
    RetriesExhausted,
    /// A processor refused data that an earlier stage had already accepted.
    Refused,
    /// The drain deadline passed with the data still queued.
    DrainDeadline,
    /// No pipeline takes this signal from this component any more.
    NoDestination,
    /// The component panicked on this data.
    Panicked,
}

impl DropReason {
    /// Whether the drop was asked for by configuration, and so is no failure.
    pub const fn is_intended(self) -> bool {
        matches!(self, Self::Filtered | Self::Sampled)
    }

    /// The stable name used as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Sampled => "sampled",
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::RetriesExhausted => "retries_exhausted",
            Self::Refused => "refused",
            Self::DrainDeadline => "drain_deadline",
            Self::NoDestination => "no_destination",
            Self::Panicked => "panicked",
        }
    }
}
