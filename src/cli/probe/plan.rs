//! What would be probed, and what is known of its cost before it is.

use deferd_goproc::image::{Image, NoProbePoint, ProbePoint};
use deferd_receivers::godefer::places::{PROBED, ProbedFunction};
use deferd_receivers::godefer::{LEAST_ALLOWANCE, Timer};

/// Seconds that a hit takes from the process where the kernel emulates the
/// instruction: 0.49 to 0.52 us were measured, with the program that counts.
pub(super) const SECONDS_PER_HIT: f64 = 1.0 / HITS_PER_CPU;
/// Seconds that a sample of the timer takes from the process.
pub(super) const SECONDS_PER_SAMPLE: f64 = 1e-6;
/// How many hits one second of CPU time pays for.
const HITS_PER_CPU: f64 = 2e6;

/// Samples per second of each CPU, unless the configuration says otherwise.
pub(super) fn samples_per_second() -> u32 {
    Timer::default().frequency
}

/// All of it, for one process.
pub(super) struct Plan {
    pub(super) probes: Vec<Probe>,
    pub(super) budget: Budget,
}

/// One breakpoint that would be, or why it could not.
pub(super) struct Probe {
    pub(super) wanted: ProbedFunction,
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
        let places = image.probe_points(&PROBED.map(|wanted| wanted.function));
        let probes = PROBED.into_iter().zip(places).map(|(wanted, place)| Probe { wanted, place });
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
        LEAST_ALLOWANCE * HITS_PER_CPU
    }

    /// Hits per second that are paid for by what the process has used.
    pub(super) fn hits_now(&self) -> Option<f64> {
        self.used.map(|used| (self.share * used).max(LEAST_ALLOWANCE) * HITS_PER_CPU)
    }
}
