//! Shows what passes, for people who debug a pipeline: counts, a line per item, or everything.
//!
//! The text is that of the Collector's debug exporter, so that what people know how to read, and grep, stays. Rendering and
//! writing happen on a thread that may block; the queue's single consumer keeps the order.

mod config;
mod detailed;
mod go;
mod lines;
mod normal;
mod output;
mod points;
mod sampler;
mod summary;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Metadata, Signal, Stability,
};
use deferd_pdata::validate::{self, Utf8};
use deferd_pdata::wire::Malformed;
use deferd_pdata::{logs, metrics, traces};

pub use config::{Config, Verbosity};
use lines::Lines;
use output::Output;
use sampler::Sampler;

/// Makes debug exporters.
pub struct Factory;

impl ExporterFactory for Factory {
    type Config = Config;
    type State = Sampler;
    type Exporter = Debug;

    const METADATA: Metadata = Metadata {
        component_type: "debug",
        summary: "shows telemetry in the log, on standard output or in a file",
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
        stability: Stability::Development,
    };

    fn settings(_: &Config) -> ExporterSettings {
        ExporterSettings::local()
    }

    fn build(config: Config, sampler: Arc<Sampler>, context: &BuildContext) -> Result<Debug, BuildError> {
        let output = if config.use_internal_logger {
            Output::log(context.path())
        } else {
            Output::open(&config.output_paths).map_err(|error| BuildError::Unavailable(error.to_string()))?
        };
        Ok(Debug { config: Arc::new(config), sampler, output: Arc::new(output) })
    }
}

/// A debug exporter.
#[derive(Debug)]
pub struct Debug {
    config: Arc<Config>,
    sampler: Arc<Sampler>,
    output: Arc<Output>,
}

impl Exporter for Debug {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        if !self.sampler.admits(Instant::now(), self.config.sampling_initial, self.config.sampling_thereafter) {
            return Ok(());
        }
        let (signal, chunks) = (batch.signal(), batch.chunks().to_vec());
        let (verbosity, output) = (self.config.verbosity, Arc::clone(&self.output));
        let shown = tokio::task::spawn_blocking(move || {
            let text = render(signal, &chunks, verbosity).map_err(|malformed| ExportError::permanent(malformed.to_string()))?;
            output.write(&text).map_err(|error| ExportError::retryable(error.to_string()))
        });
        shown.await.unwrap_or_else(|failed| Err(ExportError::permanent(failed.to_string())))
    }
}

/// The text of one batch, ending without a line break. Chunks are numbered through, as if they were one request.
fn render(signal: Signal, chunks: &[Bytes], verbosity: Verbosity) -> Result<String, Malformed> {
    let mut lines = Lines::default();
    match signal {
        Signal::Metrics => {
            chunks.iter().try_for_each(|chunk| validate::metrics(chunk, Utf8::Ignore))?;
            let resources = || chunks.iter().flat_map(|chunk| metrics::Request::new(chunk).resources());
            summary::metrics(&mut lines, resources());
            match verbosity {
                Verbosity::Basic => {}
                Verbosity::Normal => normal::metrics(&mut lines, resources()),
                Verbosity::Detailed => detailed::metrics(&mut lines, resources()),
            }
        }
        Signal::Logs => {
            chunks.iter().try_for_each(|chunk| validate::logs(chunk, Utf8::Ignore))?;
            let resources = || chunks.iter().flat_map(|chunk| logs::Request::new(chunk).resources());
            summary::logs(&mut lines, resources());
            match verbosity {
                Verbosity::Basic => {}
                Verbosity::Normal => normal::logs(&mut lines, resources()),
                Verbosity::Detailed => detailed::logs(&mut lines, resources()),
            }
        }
        // There are no views of these yet, only counts.
        Signal::Traces | Signal::Profiles => {
            let spans = chunks.iter().try_fold(0_usize, |sum, chunk| Ok(sum.saturating_add(traces::count_spans(chunk)?)))?;
            summary::traces(&mut lines, chunks, spans);
        }
    }
    Ok(lines.finish())
}
