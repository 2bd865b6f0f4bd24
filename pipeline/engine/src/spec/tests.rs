use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{
    Batch, BuildContext, BuildError, Connector, ConnectorFactory, ExportError, Exporter, ExporterFactory, ExporterSettings,
    Ingress, Metadata, Out, Receiver, ReceiverFactory, Refused, Registry, Signal, Stability, Stop, Validate,
};
use deferd_config::{Document, Source};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

use super::*;
use crate::Engine;

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    limit: u32,
}

impl Validate for Config {}

const fn metadata(component_type: &'static str, signals: &'static [Signal]) -> Metadata {
    Metadata { component_type, summary: "for tests", signals, stability: Stability::Development }
}

/// Does nothing, in every role.
struct Nop;

impl ReceiverFactory for Nop {
    type Config = Config;
    type State = ();
    type Receiver = Self;
    const METADATA: Metadata = metadata("nop", &Signal::ALL);
    fn build(_: Config, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Receiver for Nop {
    async fn run(self, _: Ingress, stop: Stop) {
        stop.wait().await;
    }
}

impl ExporterFactory for Nop {
    type Config = Config;
    type State = ();
    type Exporter = Self;
    const METADATA: Metadata = metadata("nop", &[Signal::Traces, Signal::Metrics]);
    fn settings(_: &Config) -> ExporterSettings {
        ExporterSettings::local()
    }
    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        if config.limit == 13 { Err(BuildError::Unavailable("unlucky".to_owned())) } else { Ok(Self) }
    }
}

impl Exporter for Nop {
    async fn export(&self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }
}

impl ConnectorFactory for Nop {
    type Config = Config;
    type State = ();
    type Connector = Self;
    const METADATA: Metadata = metadata("link", &Signal::ALL);
    fn connects(from: Signal, to: Signal) -> bool {
        from == to
    }
    fn build(_: Config, _: Arc<()>, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Connector for Nop {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        out.emit(batch);
        Ok(())
    }
}

fn read(text: &str) -> Result<Spec, Vec<String>> {
    let mut registry = Registry::default();
    registry.receiver::<Nop>().exporter::<Nop>().connector::<Nop>();
    let source = Source::Text { name: "test.yaml".into(), bytes: text.as_bytes().into() };
    let (document, _) = Document::load(&[source], &|_| None).map_err(|problems| texts(&problems))?;
    Spec::read(&registry, &document).map_err(|problems| texts(&problems))
}

fn texts(problems: &[deferd_component::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

const SOUND: &str = "
receivers: { nop: }
exporters: { nop: }
service: { pipelines: { metrics: { receivers: [nop], exporters: [nop] } } }
";

#[test]
fn a_sound_document_becomes_a_spec() {
    let spec = read(SOUND).unwrap();
    assert_eq!(spec.pipelines.len(), 1);
    assert_eq!(spec.drain_timeout, Duration::from_secs(20));
}

#[test]
fn problems_of_several_components_are_all_reported_with_their_places() {
    let errors = read(
        "
receivers: { nop: { limt: 3 }, nopp: }
exporters: { nop: { limit: many } }
service: { pipelines: { metrics: { receivers: [nop], exporters: [nop] } } }
",
    )
    .unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(errors.iter().any(|error| error.contains("test.yaml:2:") && error.contains("limt") && error.contains("limit")));
    assert!(errors.iter().any(|error| error.contains("unknown type: \"nopp\"")));
    assert!(errors.iter().any(|error| error.contains("exporters::nop::limit")));
}

#[test]
fn an_exporter_that_cannot_do_a_signal_is_named() {
    let errors = read(&SOUND.replace("metrics:", "logs:")).unwrap_err();
    let text = "failed to create \"nop\" exporter for data type \"logs\": telemetry type is not supported";
    assert!(errors.iter().any(|error| error.contains(text) && error.contains("test.yaml:")), "{errors:#?}");
}

#[test]
fn a_connector_needs_both_sides() {
    let errors = read(
        "
receivers: { nop: }
exporters: { nop: }
connectors: { link: }
service: { pipelines: { metrics: { receivers: [nop], exporters: [nop, link] } } }
",
    )
    .unwrap_err();
    let text = "connector \"link\" used as exporter in [metrics] pipeline but not used in any supported receiver pipeline";
    assert!(errors.iter().any(|error| error.contains(text)), "{errors:#?}");
}

#[test]
fn a_cycle_of_connectors_is_refused() {
    let errors = read(
        "
receivers: { nop: }
exporters: { nop: }
connectors: { link/a: , link/b: }
service:
  pipelines:
    metrics/one: { receivers: [nop, link/b], exporters: [link/a] }
    metrics/two: { receivers: [link/a], exporters: [nop, link/b] }
",
    )
    .unwrap_err();
    let text =
        "cycle detected: connector \"link/a\" (metrics/one to metrics/two) -> connector \"link/b\" (metrics/two to metrics/one)";
    assert!(errors.iter().any(|error| error.contains(text)), "{errors:#?}");
}

#[tokio::test]
async fn a_component_that_cannot_be_built_leaves_everything_as_it_is() {
    let (telemetry, health) = (Arc::new(Telemetry::default()), Arc::new(Health::default()));
    let mut engine = Engine::start(read(SOUND).unwrap(), telemetry, health, Arc::default()).unwrap();
    let unlucky = read(&SOUND.replace("exporters: { nop: }", "exporters: { nop: { limit: 13 } }")).unwrap();
    let error = engine.reload(unlucky).unwrap_err();
    assert_eq!(error.to_string(), "exporters::nop: unlucky");
    let again = engine.reload(read(SOUND).unwrap()).unwrap();
    assert!(again.plan.is_empty(), "{}", again.plan);
    assert_eq!(engine.stop().await.undelivered, 0);
}
