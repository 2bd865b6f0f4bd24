//! Keeps what some services reported. A team that shares a node with others sends on only what is its own.
//!
//! The decision is made once for each resource, on a view of its attributes; what stays is never rebuilt.

mod config;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use deferd_component::{
    Batch, BuildContext, BuildError, DropReason, Metadata, Out, Processor, ProcessorFactory, Refusal, RefusalKind, Refused,
    Signal, Stability,
};
use deferd_pdata::any_value::AnyValue;
use deferd_pdata::envelope::Resource;
use deferd_pdata::{logs, metrics};

pub(crate) use config::Config;

/// What OpenTelemetry calls a service that nobody named.
const UNKNOWN: &[u8] = b"unknown_service";

/// Makes instances.
pub(crate) struct Factory;

impl ProcessorFactory for Factory {
    type Config = Config;
    type State = ();
    type Processor = OnlyServices;

    const METADATA: Metadata = Metadata {
        component_type: "only_services",
        summary: "keeps what some services reported",
        signals: &[Signal::Metrics, Signal::Logs],
        stability: Stability::Alpha,
    };

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<OnlyServices, BuildError> {
        Ok(OnlyServices(config))
    }
}

/// An instance.
#[derive(Debug)]
pub(crate) struct OnlyServices(Config);

impl Processor for OnlyServices {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        let payload = batch.payload();
        let edited = match batch.signal() {
            Signal::Metrics => metrics::retain(&payload, |resource, _, _| self.keeps(&resource.resource)),
            Signal::Logs => logs::retain(&payload, |resource, _, _| self.keeps(&resource.resource)),
            // The engine builds no pipeline of a signal that METADATA does not list.
            Signal::Traces | Signal::Profiles => Ok(None),
        };
        match edited {
            Ok(None) => out.emit(batch),
            Ok(Some(edited)) if edited.kept == 0 => out.drop(batch, DropReason::Filtered),
            Ok(Some(edited)) => {
                out.count_dropped(edited.dropped, DropReason::Filtered);
                out.emit(batch.with_payload(edited.bytes, edited.kept));
            }
            Err(_malformed) => return Err(batch.refuse(Refusal::new(RefusalKind::Invalid))),
        }
        Ok(())
    }
}

impl OnlyServices {
    fn keeps(&self, resource: &Resource<'_>) -> bool {
        match resource.attributes().get("service.name") {
            Some(AnyValue::Str(name)) if !name.as_bytes().starts_with(UNKNOWN) => {
                self.0.prefixes.iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes()))
            }
            _ => self.0.keep_unknown,
        }
    }
}
