//! What would be probed, and what is known of its cost before it is.

use deferd_goproc::image::{Image, NoProbePoint, ProbePoint};

/// Seconds that a hit takes from the process where the kernel emulates the
/// instruction: 0.49 to 0.52 us were measured, with the program that counts.
pub(super) const SECONDS_PER_HIT: f64 = 1.0 / HITS_PER_CPU;
/// Seconds that a sample of the timer takes from the process.
pub(super) const SECONDS_PER_SAMPLE: f64 = 1e-6;
/// How many hits one second of CPU time pays for.
const HITS_PER_CPU: f64 = 2e6;
/// Samples per second of each CPU, unless the configuration says otherwise.
pub(super) const SAMPLES_PER_SECOND: u32 = 99;
/// However little a process does, its probes may take this share of one CPU,
/// so that one which sleeps can be watched as well.
const LEAST: f64 = 1e-3;

/// What each breakpoint would be for: the probe by its name in the
/// configuration, what a hit means, and the function.
const WANTED: [(&str, &str, &str); 9] = [
    ("panics", "panic raised", "runtime.gopanic"),
    ("panics", "panic recovered", "runtime.recovery"),
    ("panics", "fatal panic", "runtime.fatalpanic"),
    ("panics", "Goexit", "runtime.Goexit"),
    ("panics", "runtime fault", "runtime.throw"),
    ("panics", "fatal error", "runtime.fatal"),
    ("rates", "return with defers", "runtime.deferreturn"),
    ("files", "file opened", "os.newFile"),
    ("files", "file closed", "os.(*file).close"),
];

/// All of it, for one process.
pub(super) struct Plan {
    pub(super) probes: Vec<Probe>,
    pub(super) budget: Budget,
}

/// One breakpoint that would be, or why it could not.
pub(super) struct Probe {
    pub(super) name: &'static str,
    pub(super) event: &'static str,
    pub(super) function: &'static str,
    pub(super) place: Result<ProbePoint, NoProbePoint>,
}

/// What the probes may cost.
pub(super) struct Budget {
    /// Of the CPU time that the process uses.
    pub(super) share: f64,
    /// CPUs that it has used since it started, on average, if known.
    pub(super) used: Option<f64>,
}

impl Plan {
    pub(super) fn new(image: &Image, budget: Budget) -> Self {
        let places = image.probe_points(&WANTED.map(|(_, _, function)| function));
        let probes = WANTED.into_iter().zip(places);
        let probes = probes.map(|((name, event, function), place)| Probe { name, event, function, place });
        Self { probes: probes.collect(), budget }
    }
}

impl Budget {
    /// Hits per second that are paid for by each CPU that the process keeps
    /// busy.
    pub(super) fn hits_per_cpu(&self) -> f64 {
        self.share * HITS_PER_CPU
    }

    /// Hits per second that are paid for in any case.
    pub(super) fn least_hits() -> f64 {
        LEAST * HITS_PER_CPU
    }

    /// Hits per second that are paid for by what the process has used.
    pub(super) fn hits_now(&self) -> Option<f64> {
        self.used.map(|used| (self.share * used).max(LEAST) * HITS_PER_CPU)
    }
}
