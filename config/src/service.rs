//! The `service` section: what runs, and how the service watches itself.
//!
//! Keys and defaults are the Collector's (`service/config.go`, `service/telemetry`). Keys that have no effect here yet are
//! known by name, so that a Collector's configuration loads, and are listed by [`Telemetry::without_effect`].

mod control;
mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{ComponentId, PipelineId};
use crate::node::Origin;
use crate::problem::{Issues, Validate};
use crate::value::{Duration, Endpoint};
use words::words;

pub use control::{ADMIN_PORT, Admin, Reload};

/// One pipeline as configured. A receiver or exporter may be the id of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineSpec {
    /// Its id.
    pub id: PipelineId,
    /// Where data comes from: receivers and connectors, at least one, none twice.
    pub receivers: Vec<ComponentId>,
    /// What data goes through, in this order; none twice.
    pub processors: Vec<ComponentId>,
    /// Where data goes: exporters and connectors, at least one, none twice.
    pub exporters: Vec<ComponentId>,
    /// Where the pipeline's key stands.
    pub origin: Origin,
}

/// The checked `service` section, pipelines aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Extensions to start, in this order.
    pub extensions: Vec<ComponentId>,
    /// How the service watches itself.
    pub telemetry: Telemetry,
    /// How long a shutdown may take until what is left is dropped and counted. Ours: the Collector has no such limit.
    /// The default stays below the 30 s after which Kubernetes kills a container.
    pub shutdown_timeout: Duration,
    /// What makes the service read its configuration again, SIGHUP aside.
    pub reload: Reload,
    /// Where a running service is administered; nothing is off.
    pub admin: Option<Admin>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            extensions: Vec::new(),
            telemetry: Telemetry::default(),
            shutdown_timeout: Duration::from_secs(20),
            reload: Reload::default(),
            admin: None,
        }
    }
}

/// `service::telemetry`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// The service's own log.
    pub logs: Logs,
    /// The service's own metrics.
    pub metrics: Metrics,
    /// Spans of the service itself; no effect yet.
    pub traces: BTreeMap<String, serde_json::Value>,
    /// Attributes put on everything the service says about itself; null takes one away.
    pub resource: BTreeMap<String, serde_json::Value>,
}

/// `service::telemetry::logs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Logs {
    /// The lowest level that is written.
    pub level: LogLevel,
    /// How a line looks.
    pub encoding: Encoding,
    /// Human-friendly output and stack traces on warnings; no effect yet.
    pub development: bool,
    /// Leaves out where a line was logged; no effect yet.
    pub disable_caller: bool,
    /// Leaves out stack traces; no effect yet.
    pub disable_stacktrace: bool,
    /// Limits repeated lines; no effect yet.
    pub sampling: BTreeMap<String, serde_json::Value>,
    /// Where lines go; only `stderr` yet.
    pub output_paths: Vec<String>,
    /// Where errors of logging itself go; only `stderr` yet.
    pub error_output_paths: Vec<String>,
    /// Fields put on every line.
    pub initial_fields: BTreeMap<String, serde_json::Value>,
    /// OpenTelemetry log processors; no effect yet.
    pub processors: Vec<serde_json::Value>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            encoding: Encoding::Console,
            development: false,
            disable_caller: false,
            disable_stacktrace: false,
            sampling: BTreeMap::new(),
            output_paths: vec!["stderr".to_owned()],
            error_output_paths: vec!["stderr".to_owned()],
            initial_fields: BTreeMap::new(),
            processors: Vec::new(),
        }
    }
}

/// Level of the service's own log. The Collector also knows `dpanic`, `panic` and `fatal`, which mean errors here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What an operator may want to know.
    #[default]
    Info,
    /// What an operator should know.
    Warn,
    /// What is broken.
    Error,
}

words!(LogLevel: "debug" => Debug, "info" => Info, "warn" => Warn, "error" => Error; "dpanic" => Error, "panic" => Error, "fatal" => Error);

/// How a line of the service's own log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// For people.
    #[default]
    Console,
    /// One JSON object per line.
    Json,
}

words!(Encoding: "console" => Console, "json" => Json;);

/// `service::telemetry::metrics`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// How much is measured.
    pub level: MetricsLevel,
    /// Where a Prometheus can scrape, the older way to say it; wins over `readers`.
    pub address: Option<Endpoint>,
    /// Where metrics go. The default is a Prometheus endpoint on `localhost:8888`.
    pub readers: Vec<Reader>,
    /// Changes to what is measured; no effect yet.
    pub views: Vec<serde_json::Value>,
}

impl Default for Metrics {
    fn default() -> Self {
        let prometheus = Some(PrometheusReader::default());
        let pull = Some(Pull { exporter: PullExporter { prometheus } });
        Self { level: MetricsLevel::Normal, address: None, readers: vec![Reader { pull, periodic: None }], views: Vec::new() }
    }
}

/// How much the service measures about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricsLevel {
    /// Nothing.
    None,
    /// The least that shows whether data flows.
    Basic,
    /// What most want.
    #[default]
    Normal,
    /// Everything.
    Detailed,
}

words!(MetricsLevel: "none" => None, "basic" => Basic, "normal" => Normal, "detailed" => Detailed;);

/// One way for metrics to leave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reader {
    /// Fetched by others.
    pub pull: Option<Pull>,
    /// Sent at an interval; no effect yet.
    pub periodic: Option<BTreeMap<String, serde_json::Value>>,
}

/// What fetches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pull {
    /// The endpoint.
    pub exporter: PullExporter,
}

/// The kinds of endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PullExporter {
    /// A Prometheus scrape endpoint.
    #[schemars(extend("x-null-is-empty" = true))]
    pub prometheus: Option<PrometheusReader>,
}

/// A Prometheus scrape endpoint of the service itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrometheusReader {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 asks for a free one.
    pub port: u16,
    /// Leaves out the labels of the instrumentation scope.
    pub without_scope_info: bool,
    /// Leaves out `_total` and the like.
    pub without_type_suffix: bool,
    /// Leaves out the unit in names.
    pub without_units: bool,
    /// Resource attributes that become labels; no effect yet.
    pub with_resource_constant_labels: BTreeMap<String, serde_json::Value>,
    /// How names are made; no effect yet.
    pub translation_strategy: Option<String>,
}

impl Default for PrometheusReader {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 8888,
            without_scope_info: true,
            without_type_suffix: true,
            without_units: true,
            with_resource_constant_labels: BTreeMap::new(),
            translation_strategy: None,
        }
    }
}

impl Telemetry {
    /// Returns where Prometheus can scrape the service itself; nothing at level `none`.
    pub fn scrape_endpoints(&self) -> Vec<Endpoint> {
        if self.metrics.level == MetricsLevel::None {
            return Vec::new();
        }
        if let Some(address) = &self.metrics.address {
            return vec![address.clone()];
        }
        let prometheus = |reader: &Reader| reader.pull.as_ref()?.exporter.prometheus.clone();
        let readers = self.metrics.readers.iter().filter_map(prometheus);
        readers.filter_map(|reader| Endpoint::new(&reader.host, reader.port).ok()).collect()
    }

    /// Returns the keys that are set and have no effect yet, for a warning.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let logs = &self.logs;
        let default = Logs::default();
        let set = [
            ("traces", !self.traces.is_empty()),
            ("logs::development", logs.development),
            ("logs::sampling", !logs.sampling.is_empty()),
            ("logs::output_paths", logs.output_paths != default.output_paths),
            ("logs::error_output_paths", logs.error_output_paths != default.error_output_paths),
            ("logs::processors", !logs.processors.is_empty()),
            ("metrics::views", !self.metrics.views.is_empty()),
            ("metrics::readers::periodic", self.metrics.readers.iter().any(|reader| reader.periodic.is_some())),
        ];
        set.into_iter().filter(|(_, set)| *set).map(|(key, _)| key).collect()
    }
}

impl Validate for Telemetry {
    fn validate(&self, problems: &mut Issues) {
        for (index, reader) in self.metrics.readers.iter().enumerate() {
            let key = format!("metrics::readers::{index}");
            if reader.pull.is_some() == reader.periodic.is_some() {
                problems.push(&key, "must have exactly one kind of reader", "pull, periodic");
            }
            let Some(prometheus) = reader.pull.as_ref().and_then(|pull| pull.exporter.prometheus.as_ref()) else {
                continue;
            };
            if Endpoint::new(&prometheus.host, prometheus.port).is_err() {
                problems.push(&format!("{key}::pull::exporter::prometheus::host"), "not a host name or address", "");
            }
        }
    }
}
