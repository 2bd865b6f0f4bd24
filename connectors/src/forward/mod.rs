//! Passes data from one pipeline to others of the same signal: for processors that several pipelines share.

mod config;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use deferd_component::{Batch, BuildContext, BuildError, Connector, ConnectorFactory, Metadata, Out, Refused, Signal, Stability};

pub use config::Config;

/// Makes forward connectors.
pub struct Factory;

/// A forward connector.
#[derive(Debug)]
pub struct Forward;

impl ConnectorFactory for Factory {
    type Config = Config;
    type State = ();
    type Connector = Forward;

    const METADATA: Metadata = Metadata {
        component_type: "forward",
        summary: "passes data from one pipeline to others of the same signal",
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs, Signal::Profiles],
        stability: Stability::Stable,
    };

    fn connects(from: Signal, to: Signal) -> bool {
        from == to
    }

    fn build(_: Config, _: Arc<()>, _: &BuildContext) -> Result<Forward, BuildError> {
        Ok(Forward)
    }
}

impl Connector for Forward {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        out.emit(batch);
        Ok(())
    }
}
