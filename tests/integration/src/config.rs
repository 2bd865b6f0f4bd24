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

    /// The text: all that is seen goes to the Prometheus exporter.
    pub fn yaml(&self) -> String {
        format!(
            "{}exporters:
{}service:
{}  pipelines:
    metrics:
      receivers: [godefer]
      exporters: [prometheus]
",
            self.receivers(),
            self.prometheus(),
            self.telemetry()
        )
    }

    /// The section `receivers`. `max_agent_cpu` leaves room for an unoptimised build.
    pub(crate) fn receivers(&self) -> String {
        let Self { include, interval, min_age, .. } = self;
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
"
        )
    }

    /// The Prometheus exporter, in the section `exporters`.
    pub(crate) fn prometheus(&self) -> String {
        format!("  prometheus:\n    endpoint: 127.0.0.1:{}\n", self.ports.exporter)
    }

    /// Where the service shows its own metrics, in the section `service`.
    pub(crate) fn telemetry(&self) -> String {
        format!("  telemetry:\n    metrics:\n      address: 127.0.0.1:{}\n", self.ports.own_metrics)
    }
}
