//! The metrics of the receiver: names, units, meanings.

/// What kind of OTLP metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A value at an instant.
    Gauge,
    /// A sum that goes up and down.
    Level,
    /// A sum that only grows.
    Counter,
    /// Values by size.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Metric {
    Pending,
    PendingMemory,
    PendingGrowth,
    PendingOldestAge,
    ChainGoroutines,
    ChainMax,
    Goroutines,
    MemoryUsed,
    MemoryGcGoal,
    MemoryAllocated,
    GcCycles,
    GcPauses,
    FileDescriptors,
    FileDescriptorsByType,
    FileDescriptorGrowth,
    SnapshotDuration,
    SnapshotCpu,
    SnapshotUnverified,
    SnapshotUnsearched,
    Panics,
    Registrations,
    RegistrationRate,
    RegistrationRateLower,
    RegistrationRateUpper,
    PerCall,
    OpenFiles,
    MachineryShare,
    RunningChains,
    TargetOverhead,
    ProbeCoverage,
}

impl Metric {
    /// All, in the order in which they are written.
    pub(super) const ALL: &'static [Self] = &[
        Self::Pending,
        Self::PendingMemory,
        Self::PendingGrowth,
        Self::PendingOldestAge,
        Self::ChainGoroutines,
        Self::ChainMax,
        Self::Goroutines,
        Self::MemoryUsed,
        Self::MemoryGcGoal,
        Self::MemoryAllocated,
        Self::GcCycles,
        Self::GcPauses,
        Self::FileDescriptors,
        Self::FileDescriptorsByType,
        Self::FileDescriptorGrowth,
        Self::SnapshotDuration,
        Self::SnapshotCpu,
        Self::SnapshotUnverified,
        Self::SnapshotUnsearched,
        Self::Panics,
        Self::Registrations,
        Self::RegistrationRate,
        Self::RegistrationRateLower,
        Self::RegistrationRateUpper,
        Self::PerCall,
        Self::OpenFiles,
        Self::MachineryShare,
        Self::RunningChains,
        Self::TargetOverhead,
        Self::ProbeCoverage,
    ];

    /// Whether probes tell it, and not the look itself.
    pub(super) const fn is_of_probes(self) -> bool {
        matches!(
            self,
            Self::Panics
                | Self::Registrations
                | Self::RegistrationRate
                | Self::RegistrationRateLower
                | Self::RegistrationRateUpper
                | Self::PerCall
                | Self::OpenFiles
                | Self::MachineryShare
                | Self::RunningChains
                | Self::TargetOverhead
                | Self::ProbeCoverage
        )
    }

    pub(super) const fn name(self) -> &'static str {
        self.facts().0
    }

    pub(super) const fn unit(self) -> &'static str {
        self.facts().1
    }

    pub(super) const fn shape(self) -> Shape {
        self.facts().2
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Pending => "Deferred calls registered at a site and not yet run",
            Self::PendingMemory => {
                "Heap held by the records of pending deferred calls and their closures, at least; what the closures refer to is not counted"
            }
            Self::PendingGrowth => "Slope of go.defer.pending over the last 12 snapshots",
            Self::PendingOldestAge => {
                "Time since a goroutine that holds something from the site was first seen doing so; the runtime keeps no time"
            }
            Self::ChainGoroutines => "Goroutines whose chain of defer records has at least so many",
            Self::ChainMax => "The longest chain of defer records of a goroutine",
            Self::Goroutines => "Goroutines by state and wait reason, without the runtime's own",
            Self::MemoryUsed => "Heap in use by live objects and objects not yet swept",
            Self::MemoryGcGoal => "Heap size target for the end of the GC cycle",
            Self::MemoryAllocated => "Memory allocated to the heap by the application",
            Self::GcCycles => "Completed GC cycles",
            Self::GcPauses => "Time the world was stopped by GC, in total",
            Self::FileDescriptors => "Open files of the process, sockets and the like included",
            Self::FileDescriptorsByType => "Open files of the process by what they are",
            Self::FileDescriptorGrowth => {
                "Slope of the number of open files over the last minute, without those open for a moment"
            }
            Self::SnapshotDuration => "Time the last snapshot of the process took",
            Self::SnapshotCpu => "CPU time of deferd that the last snapshot cost; the process itself pays nothing",
            Self::SnapshotUnverified => "Goroutines whose defers could not be read truthfully, and so are in no other figure",
            Self::Panics => "Panics by how they went on and where they were raised, since deferd attached",
            Self::Registrations => "Deferred calls registered since deferd attached, estimated",
            Self::RegistrationRate => "Deferred calls registered per second since the last report, estimated",
            Self::RegistrationRateLower => "At least so many of go.defer.registrations.rate, in 95 % of reports",
            Self::RegistrationRateUpper => {
                "At most so many of go.defer.registrations.rate, in 95 % of reports; left out where that is not known"
            }
            Self::PerCall => "Deferred calls of a site that one call of its function registered, of calls that were sampled",
            Self::OpenFiles => {
                "Open files by the place that opened them since their number grows, and whether a deferred close waits there"
            }
            Self::MachineryShare => {
                "Part of the CPU time of the process that a function of the runtime which handles defers takes itself"
            }
            Self::RunningChains => "Defer records of the goroutine that ran when a sample was taken",
            Self::TargetOverhead => "CPU time that probes cost the process, of one CPU",
            Self::ProbeCoverage => "Part of the time in which the probes were in place; below 1 their counts are lower bounds",
            Self::SnapshotUnsearched => "Goroutines not searched for open-coded defers: not parked, too deep, or past the limit",
        }
    }

    /// Name, unit and shape.
    const fn facts(self) -> (&'static str, &'static str, Shape) {
        match self {
            Self::Pending => ("go.defer.pending", "{defer}", Shape::Gauge),
            Self::PendingMemory => ("go.defer.pending.memory", "By", Shape::Gauge),
            Self::PendingGrowth => ("go.defer.pending.growth", "{defer}/s", Shape::Gauge),
            Self::PendingOldestAge => ("go.defer.pending.oldest_age", "s", Shape::Gauge),
            Self::ChainGoroutines => ("go.defer.chain.goroutines", "{goroutine}", Shape::Gauge),
            Self::ChainMax => ("go.defer.chain.max", "{defer}", Shape::Gauge),
            Self::Goroutines => ("go.goroutine.count", "{goroutine}", Shape::Level),
            Self::MemoryUsed => ("go.memory.used", "By", Shape::Level),
            Self::MemoryGcGoal => ("go.memory.gc.goal", "By", Shape::Level),
            Self::MemoryAllocated => ("go.memory.allocated", "By", Shape::Counter),
            Self::GcCycles => ("go.memory.gc.cycles", "{cycle}", Shape::Counter),
            Self::GcPauses => ("go.memory.gc.pause.duration", "s", Shape::Counter),
            Self::FileDescriptors => ("process.unix.file_descriptor.count", "{file_descriptor}", Shape::Level),
            Self::FileDescriptorsByType => ("process.unix.file_descriptor.count.by_type", "{file_descriptor}", Shape::Level),
            Self::FileDescriptorGrowth => ("process.unix.file_descriptor.growth", "{file_descriptor}/s", Shape::Gauge),
            Self::SnapshotDuration => ("deferd.snapshot.duration", "s", Shape::Gauge),
            Self::SnapshotCpu => ("deferd.snapshot.cpu", "s", Shape::Gauge),
            Self::SnapshotUnverified => ("deferd.snapshot.unverified", "{goroutine}", Shape::Gauge),
            Self::Panics => ("go.panic.count", "{panic}", Shape::Counter),
            Self::Registrations => ("go.defer.registrations", "{defer}", Shape::Counter),
            Self::RegistrationRate => ("go.defer.registrations.rate", "{defer}/s", Shape::Gauge),
            Self::RegistrationRateLower => ("go.defer.registrations.rate.lower", "{defer}/s", Shape::Gauge),
            Self::RegistrationRateUpper => ("go.defer.registrations.rate.upper", "{defer}/s", Shape::Gauge),
            Self::PerCall => ("go.defer.per_call", "{defer}", Shape::Histogram),
            Self::OpenFiles => ("go.file.open", "{file}", Shape::Gauge),
            Self::MachineryShare => ("go.defer.cpu.utilization", "1", Shape::Gauge),
            Self::RunningChains => ("go.defer.chain.running", "{defer}", Shape::Histogram),
            Self::TargetOverhead => ("deferd.target.overhead", "1", Shape::Gauge),
            Self::ProbeCoverage => ("deferd.probe.coverage", "1", Shape::Gauge),
            Self::SnapshotUnsearched => ("deferd.snapshot.unsearched", "{goroutine}", Shape::Gauge),
        }
    }
}
