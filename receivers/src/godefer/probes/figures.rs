//! What the probes found out about one process, for the next look to send.

/// The latest figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) panics: Vec<PanicSeries>,
    pub(crate) costs: Vec<Cost>,
    /// Parts of the process's CPU time spent in functions of the runtime that handle defers.
    pub(crate) machinery: Vec<(&'static str, f64)>,
    /// Samples by records of the goroutine that ran: up to 0, 1, 2, 4, ... 128, more; and the sum of the records.
    pub(crate) running_chains: Option<([u64; 10], u64)>,
    /// Whether registrations are counted.
    pub(crate) counts_registrations: bool,
    /// Whether a site that is not among them had no returns since the last look.
    pub(crate) registrations_are_all: bool,
    /// Registrations by site.
    pub(crate) registrations: Vec<Registrations>,
    /// Who opened the files that were opened since their number grows, and are open.
    pub(crate) open_sites: Vec<OpenSite>,
}

/// Registrations of deferred calls at one site, as far as the functions that registered them have returned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Registrations {
    pub(crate) site: (String, String, u32),
    /// `heap`, `stack` or `rangefunc`; empty if it is not known.
    pub(crate) kind: &'static str,
    /// Since counting began; never falls.
    pub(crate) total: f64,
    /// Per second since the last report, and the interval that holds the truth in 95 % of reports; no upper end where only
    /// "at least" is known.
    pub(crate) rate: f64,
    pub(crate) lower: f64,
    pub(crate) upper: Option<f64>,
    /// What the rate is about: from where to where, in nanoseconds since the epoch.
    pub(crate) about: (u64, u64),
    /// Frames that were looked into, by how many records of the site they had: up to 1, 2, 4, ... 2^22, more.
    pub(crate) per_call: Vec<u64>,
    /// The records of all of them.
    pub(crate) per_call_sum: u64,
}

/// A place that opens files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenSite {
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    /// How many of them are open.
    pub(crate) open: u64,
}

/// What a kind of probe cost the process in the last interval.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cost {
    /// `panics`, `rates`, `files`, `timer`.
    pub(crate) probe: &'static str,
    /// CPU seconds per second.
    pub(crate) share: f64,
    /// Part of the interval in which the probe was in place; below 1 its counts are "at least".
    pub(crate) coverage: f64,
}

/// How often panics of one place came to one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PanicSeries {
    pub(crate) stage: &'static str,
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    /// Raised and recovered within one package of the standard library.
    pub(crate) is_internal: bool,
    pub(crate) count: u64,
}
