//! Configurations as a user would write them, on ports of the test's own.

use crate::port;

/// Where a service listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// The Prometheus exporter.
    pub exporter: u16,
    /// The service's own metrics.
    pub own_metrics: u16,
}

impl Ports {
    /// Two free ones.
    pub fn free() -> Self {
        Self { exporter: port::free(), own_metrics: port::free() }
    }
}

/// godefer to Prometheus, the shape of the quick start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Where it listens.
    pub ports: Ports,
    /// Selectors of processes, as YAML flow maps: `{pid: 1}`.
    pub include: Vec<String>,
    /// Between two looks.
    pub interval: String,
    /// Processes younger than this are left alone.
    pub min_age: String,
}

impl Watch {
    /// Watches these processes, however young, five times a second.
    pub fn pids(pids: &[u32]) -> Self {
        Self {
            ports: Ports::free(),
            include: pids.iter().map(|pid| format!("{{pid: {pid}}}")).collect(),
            interval: "200ms".into(),
            min_age: "0s".into(),
        }
    }

    /// The text. `max_agent_cpu` leaves room for an unoptimised build.
    pub fn yaml(&self) -> String {
        let Self { ports: Ports { exporter, own_metrics }, include, interval, min_age } = self;
        let include = include.join(", ");
        format!(
            "receivers:
  godefer:
    targets:
      include: [{include}]
    snapshot:
      interval: {interval}
    discovery_interval: 200ms
    min_age: {min_age}
    max_agent_cpu: 50%
exporters:
  prometheus:
    endpoint: 127.0.0.1:{exporter}
service:
  telemetry:
    metrics:
      address: 127.0.0.1:{own_metrics}
  pipelines:
    metrics:
      receivers: [godefer]
      exporters: [prometheus]
"
        )
    }
}
