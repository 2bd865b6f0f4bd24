//! Takes everything and does nothing with it.

mod config;

use std::sync::Arc;

use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Metadata, Signal, Stability,
};

pub use config::Config;

/// Makes nop exporters.
pub struct Factory;

/// A nop exporter.
#[derive(Debug)]
pub struct Nop;

impl ExporterFactory for Factory {
    type Config = Config;
    type State = ();
    type Exporter = Nop;

    const METADATA: Metadata = Metadata {
        component_type: "nop",
        summary: "discards everything, for tests and for pipelines whose processors are the point",
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs, Signal::Profiles],
        stability: Stability::Stable,
    };

    fn settings(_: &Config) -> ExporterSettings {
        ExporterSettings::local()
    }

    fn build(_: Config, _: Arc<()>, _: &BuildContext) -> Result<Nop, BuildError> {
        Ok(Nop)
    }
}

impl Exporter for Nop {
    async fn export(&self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }
}
