//! Configurations that raise alerts: godefer through threshold to Alertmanager, and to Prometheus beside it.

use crate::config::Watch;

/// The watched processes, the rules, and where alerts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerting {
    /// Who is watched, and where the service listens.
    pub watch: Watch,
    /// The port of Alertmanager on 127.0.0.1.
    pub alertmanager: u16,
    /// Between two repetitions of an alert that fires.
    pub refresh: String,
    /// Keys of threshold that are YAML flow values, such as `include: [default]`.
    pub threshold: String,
    /// A second exporter of metrics, which keeps nothing.
    pub with_nop: bool,
    /// An OTLP backend that gets everything, too.
    pub otlp: Option<Backend>,
}

/// An OTLP backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend {
    /// On 127.0.0.1.
    pub port: u16,
    /// Requests that may wait for it.
    pub queue_size: u32,
}

impl Backend {
    /// With the queue that is the default.
    pub const fn new(port: u16) -> Self {
        Self { port, queue_size: 1000 }
    }
}

impl Alerting {
    /// Repeats every second what these rules say.
    pub fn new(watch: Watch, alertmanager: u16, threshold: &str) -> Self {
        Self { watch, alertmanager, refresh: "1s".into(), threshold: threshold.into(), with_nop: false, otlp: None }
    }

    /// The text.
    pub fn yaml(&self) -> String {
        let Self { watch, alertmanager, refresh, threshold, with_nop, otlp } = self;
        let (nop, also) = if *with_nop { ("  nop:\n", ", nop") } else { ("", "") };
        let otlp = otlp.map_or_else(Default::default, |Backend { port, queue_size }| {
            let keys = format!("retry_on_failure: {{initial_interval: 1s}}, sending_queue: {{queue_size: {queue_size}}}");
            (format!("  otlp: {{endpoint: \"http://127.0.0.1:{port}\", {keys}}}\n"), ", otlp")
        });
        format!(
            "{}processors:
  threshold: {{{threshold}}}
exporters:
{}  alertmanager:
    endpoint: http://127.0.0.1:{alertmanager}
    refresh_interval: {refresh}
{nop}{}service:
{}  pipelines:
    metrics:
      receivers: [godefer]
      processors: [threshold]
      exporters: [prometheus, alertmanager{also}{}]
",
            watch.receivers(),
            watch.prometheus(),
            otlp.0,
            watch.telemetry(),
            otlp.1
        )
    }
}

/// A rule over what is pending at one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// More than so many are too many.
    pub above: u32,
    /// For so long.
    pub held: String,
    /// How bad that is.
    pub severity: String,
}

impl Rule {
    /// The name of the alert.
    pub const NAME: &'static str = "pending_defers";

    /// As an entry of `rules`.
    pub fn yaml(&self) -> String {
        let Self { above, held, severity } = self;
        format!(
            "{{name: {}, metric: go.defer.pending, match: {{go.defer.kind: heap|rangefunc}}, measure: value, above: {above}, \
             for: {held}, severity: {severity}, \
             summary: \"{{{{ value }}}} pending in {{{{ attributes['code.function.name'] }}}}\", remediation: return}}",
            Self::NAME
        )
    }

    /// As all that threshold is told.
    pub fn alone(&self) -> String {
        format!("include: [], rules: [{}]", self.yaml())
    }
}
