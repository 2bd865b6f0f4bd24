//! Records what passes in a file, a line of OTLP in JSON per batch: for `deferd rules test`, for tests, and for those who want the data itself.
//!
//! Encoding and writing happen on a thread that may block. A line is written whole or not at all, and handed to the kernel before the
//! batch counts as delivered.

mod config;
mod recording;
#[cfg(test)]
mod tests;

use std::fs;
use std::sync::Arc;

use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Metadata, RetrySettings, Signal,
    Stability,
};
use deferd_pdata::json::{self, Request};

pub use config::{Config, Format, Rotation};
use recording::Recording;

/// Makes file exporters.
pub struct Factory;

impl ExporterFactory for Factory {
    type Config = Config;
    type State = ();
    type Exporter = ToFile;

    const METADATA: Metadata = Metadata {
        component_type: "file",
        summary: "records telemetry in a file, as OTLP in JSON",
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
        stability: Stability::Alpha,
    };

    fn settings(_: &Config) -> ExporterSettings {
        // A disk that is full may have room again.
        ExporterSettings { retry: RetrySettings::default(), ..ExporterSettings::local() }
    }

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<ToFile, BuildError> {
        let unavailable = |what: &str, error: std::io::Error| {
            BuildError::Unavailable(format!("cannot {what} {}: {error}", config.path.display()))
        };
        if let (true, Some(folder)) = (config.create_directory, config.path.parent()) {
            fs::create_dir_all(folder).map_err(|error| unavailable("create the directory of", error))?;
        }
        // With rotation, what is there becomes a backup in its time.
        let anew = !config.append && config.rotation.is_none();
        let recording = Recording::open(&config.path, anew).map_err(|error| unavailable("open", error))?;
        Ok(ToFile { recording, rotation: config.rotation })
    }
}

/// A file exporter.
#[derive(Debug)]
pub struct ToFile {
    recording: Arc<Recording>,
    rotation: Option<Rotation>,
}

impl Exporter for ToFile {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        let request = match batch.signal() {
            Signal::Metrics => Request::Metrics,
            Signal::Logs => Request::Logs,
            Signal::Traces => Request::Traces,
            Signal::Profiles => return Err(ExportError::permanent("profiles cannot be written as JSON")),
        };
        let (payload, recording, rotation) = (batch.payload(), Arc::clone(&self.recording), self.rotation);
        let written = tokio::task::spawn_blocking(move || {
            let line = json::encode(request, &payload).map_err(|malformed| ExportError::permanent(malformed.to_string()))?;
            recording.add(&line, rotation).map_err(|error| ExportError::retryable(error.to_string()))
        });
        written.await.unwrap_or_else(|failed| Err(ExportError::permanent(failed.to_string())))
    }
}
