//! What looking costs deferd itself, for its own metrics.

use std::time::{Duration, Instant};

use deferd_component::telemetry::{Gauge, Telemetry};
use parking_lot::Mutex;

/// What is shown is about so much time or a little more.
const SPAN: Duration = Duration::from_secs(10);

/// CPU time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Looks, counts of files and discoveries.
    pub(super) looks: Duration,
    /// The threads that probe.
    pub(super) probes: Duration,
}

/// Shows it as CPU seconds a second, to be compared with `max_agent_cpu`.
#[derive(Debug)]
pub(super) struct Meter {
    looks: Gauge,
    probes: Gauge,
    shown: Mutex<Option<(Instant, Spent)>>,
}

impl Meter {
    pub(super) fn new(telemetry: &Telemetry, receiver: &str) -> Self {
        let gauge = |on: &str| {
            let labels = vec![("receiver", receiver.to_owned()), ("on", on.to_owned())];
            telemetry.gauge("deferd_godefer_cpu_utilization", "CPU seconds a second, of the last ten seconds", labels)
        };
        Self { looks: gauge("looks"), probes: gauge("probes"), shown: Mutex::new(None) }
    }

    /// Shows what was spent since it was last shown, if that is long enough ago.
    pub(super) fn show(&self, spent: Spent, now: Instant) {
        let mut shown = self.shown.lock();
        let (at, before) = *shown.get_or_insert((now, spent));
        let elapsed = now.saturating_duration_since(at);
        if elapsed < SPAN {
            return;
        }
        let part = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() / elapsed.as_secs_f64();
        self.looks.set(part(spent.looks, before.looks));
        self.probes.set(part(spent.probes, before.probes));
        *shown = Some((now, spent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_of_the_last_ten_seconds() {
        let meter = Meter::new(&Telemetry::default(), "godefer");
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        for seconds in 0..=25 {
            let spent = Spent { looks: Duration::from_millis(20) * seconds, probes: Duration::from_millis(5) * seconds.min(10) };
            meter.show(spent, start + second * seconds);
            let expected = match seconds {
                0..10 => (0.0, 0.0),
                10..20 => (0.02, 0.005),
                _ => (0.02, 0.0),
            };
            let (looks, probes) = (meter.looks.get(), meter.probes.get());
            assert!((looks - expected.0).abs() < 1e-9 && (probes - expected.1).abs() < 1e-9, "{seconds}: {looks} {probes}");
        }
    }
}
