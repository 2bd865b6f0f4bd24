//! What the service costs the machine, in the Collector's names.

use std::time::{Duration, Instant};

use deferd_component::telemetry::{Exposition, MetricKind};

/// Figures of this process since it began to serve.
#[derive(Debug)]
pub(crate) struct ProcessFigures {
    started: Instant,
}

impl ProcessFigures {
    /// Begins to count.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// Writes uptime, CPU time and resident memory. Memory is left out where the kernel does not tell it.
    pub(crate) fn render(&self, out: &mut Exposition) {
        let mut one = |name: &str, help: &str, kind, value: f64| {
            out.family(name, help, kind);
            out.sample(name, std::iter::empty(), value, None);
        };
        let uptime = self.started.elapsed().as_secs_f64();
        one("otelcol_process_uptime", "Seconds since the service started", MetricKind::Counter, uptime);
        let cpu = cpu_time().as_secs_f64();
        one("otelcol_process_cpu_seconds", "CPU time of the process, user and system", MetricKind::Counter, cpu);
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(bytes) = resident_bytes(&status) {
            one("otelcol_process_memory_rss", "Resident memory in bytes", MetricKind::Gauge, bytes);
        }
    }
}

/// Allows as many open files as may be had: each watched process takes up to three (its handle, its memory, its executable), and the
/// limit that is usual at first is 1024.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused, it stays what it was, and the processes past it are refused by name.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// CPU time of the whole process so far.
pub(crate) fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// Resident memory out of the text of `/proc/PID/status`, which counts in units of 1024 bytes.
fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_as_high_as_it_may_be() {
        raise_file_limit();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[test]
    fn resident_memory_is_read_from_the_kernels_text() {
        assert_eq!(resident_bytes("Name:\tdeferd\nVmRSS:\t   12 kB\nThreads:\t3\n"), Some(12_288.0));
        assert_eq!(resident_bytes("Name:\tdeferd\n"), None);
    }
}
