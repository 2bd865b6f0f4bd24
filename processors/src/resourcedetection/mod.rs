//! Says of resources where they come from: environment, host, this process, its container. Looks once, when it is built, and at local files
//! alone; afterwards it only splices what it found into the bytes of each batch.
//!
//! What it knows is about *this* process, and most batches are another's. So an identity that is there is never replaced, and what describes
//! the process itself is said only of resources that name no process, unless the configuration insists.

mod config;
mod detect;
mod machine;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use deferd_component::{
    Batch, BuildContext, BuildError, Metadata, Out, Processor, ProcessorFactory, Refusal, RefusalKind, Refused, Signal, Stability,
};
use deferd_pdata::edit::{Changes, resource_attributes};
use deferd_pdata::envelope::Resource;

pub use config::{
    Config, Container, ContainerAttributes, Detector, HostnameSource, Process, ProcessAttributes, Switch, System,
    SystemAttributes,
};
use detect::{Surroundings, Value};
use machine::Machine;

/// What says who a resource is.
const IDENTITY: [&str; 5] = ["service.name", "service.namespace", "service.instance.id", "process.pid", "container.id"];
/// What only one process has: a resource with any of these is that process's, not ours.
const OF_A_PROCESS: [&str; 4] = ["service.instance.id", "process.pid", "container.id", "k8s.pod.uid"];

/// Makes processors.
pub struct Factory;

impl ProcessorFactory for Factory {
    type Config = Config;
    type State = ();
    type Processor = ResourceDetection;

    const METADATA: Metadata = Metadata {
        component_type: "resourcedetection",
        summary: "says of resources which host, container and environment they come from",
        signals: &[Signal::Metrics, Signal::Logs, Signal::Traces],
        stability: Stability::Alpha,
    };

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<ResourceDetection, BuildError> {
        ResourceDetection::new(&config, &Machine)
    }
}

/// A processor with what it found.
#[derive(Debug)]
pub struct ResourceDetection {
    /// For a resource that names no process.
    own: Changes,
    /// For a resource that names one.
    foreign: Changes,
    override_identity: bool,
}

impl ResourceDetection {
    fn new(config: &Config, around: &impl Surroundings) -> Result<Self, BuildError> {
        let found = detect::run(config, around).map_err(|malformed| BuildError::Unavailable(malformed.to_string()))?;
        let changes = |wanted: &dyn Fn(&str) -> bool| {
            let mut changes = Changes::default();
            for (key, value) in found.iter().filter(|(key, _)| wanted(key)) {
                let replaces = config.r#override && (config.override_identity || !IDENTITY.contains(&key.as_str()));
                put(&mut changes, key, value, replaces);
            }
            changes
        };
        Ok(Self {
            own: changes(&|_| true),
            foreign: changes(&|key| !key.starts_with("process.") && !OF_A_PROCESS.contains(&key)),
            override_identity: config.override_identity,
        })
    }

    fn changes(&self, resource: &Resource<'_>) -> Option<&Changes> {
        let names_a_process = || resource.attributes().iter().any(|(key, _)| OF_A_PROCESS.iter().any(|&of| key == of));
        let changes = if self.override_identity || !names_a_process() { &self.own } else { &self.foreign };
        (!changes.is_empty()).then_some(changes)
    }
}

fn put(changes: &mut Changes, key: &str, value: &Value, replaces: bool) {
    let value: deferd_pdata::build::Value<'_> = match value {
        Value::Text(text) => text.into(),
        Value::Number(number) => (*number).into(),
    };
    if replaces { changes.upsert(key, value) } else { changes.insert(key, value) }
}

impl Processor for ResourceDetection {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        match resource_attributes(&batch.payload(), |resource| self.changes(resource)) {
            Ok(None) => out.emit(batch),
            Ok(Some(payload)) => {
                let items = batch.items();
                out.emit(batch.with_payload(payload, items));
            }
            Err(_malformed) => return Err(batch.refuse(Refusal::new(RefusalKind::Invalid))),
        }
        Ok(())
    }
}
