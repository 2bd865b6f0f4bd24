//! How a service ends when what it accepted cannot be delivered.

use std::sync::Arc;

use bytes::Bytes;
use deferd_component::Registry;
use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Ingress, Metadata, Receiver,
    ReceiverFactory, Signal, Stability, Stop, Validate,
};
use deferd_config::Source;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Exit, Loaded, Log, Service, Signals, drain, ended};

/// No keys.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Validate for Nothing {}

const fn metadata(component_type: &'static str) -> Metadata {
    Metadata { component_type, summary: "", signals: &[Signal::Logs], stability: Stability::Development }
}

/// Sends one item and is content.
struct Once;

impl Receiver for Once {
    async fn run(self, ingress: Ingress, stop: Stop) {
        ingress.send(Batch::new(Signal::Logs, Bytes::from_static(b"x"), 1)).await.unwrap();
        stop.wait().await;
    }
}

impl ReceiverFactory for Once {
    type Config = Nothing;
    type State = ();
    type Receiver = Self;
    const METADATA: Metadata = metadata("once");

    fn build(_: Nothing, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

/// Never delivers anything.
struct Hung;

impl Exporter for Hung {
    async fn export(&self, _: &Batch) -> Result<(), ExportError> {
        std::future::pending().await
    }
}

impl ExporterFactory for Hung {
    type Config = Nothing;
    type State = ();
    type Exporter = Self;
    const METADATA: Metadata = metadata("hung");

    fn settings(_: &Nothing) -> ExporterSettings {
        ExporterSettings::local()
    }

    fn build(_: Nothing, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.receiver::<Once>().exporter::<Hung>();
    registry
}

fn start<'a>(registry: &'a Registry, shutdown_timeout: &str) -> Service<'a> {
    let yaml = format!(
        "{{receivers: {{once: }}, exporters: {{hung: }}, service: {{shutdown_timeout: {shutdown_timeout}, \
         telemetry: {{metrics: {{level: none}}}}, pipelines: {{logs: {{receivers: [once], exporters: [hung]}}}}}}}}"
    );
    let sources = vec![Source::Yaml(yaml)];
    let loaded = Loaded::read(registry, &sources, &|_| None).unwrap();
    let log = Log::start(&loaded.service.telemetry.logs);
    Service::start(registry, sources, |_| None, loaded, log).unwrap()
}

/// Waits until the item is in the exporter's queue or hands.
async fn accepted(service: &Service<'_>) {
    while !service.page().contains("otelcol_receiver_accepted_log_records{receiver=\"once\"} 1") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_the_drain_deadline_leaves_undelivered_shows_in_the_exit_code() {
    let registry = registry();
    let service = start(&registry, "50ms");
    accepted(&service).await;
    assert_eq!(ended(service.stop().await), Exit::Lost);
}

#[tokio::test]
async fn a_second_signal_ends_a_drain_that_would_take_long() {
    let registry = registry();
    let service = start(&registry, "1h");
    accepted(&service).await;
    let mut signals = Signals::listen().unwrap();
    let second = async {
        tokio::task::yield_now().await;
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        exit = drain(service, &mut signals) => assert_eq!(exit, Exit::Lost),
        () = second => {}
    }
}
