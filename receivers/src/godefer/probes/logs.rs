//! Log records on their way to a pipeline.

use std::sync::Arc;

use deferd_pdata::build::{EncodedAttributes, LogsBuilder, Record};
use tokio::sync::mpsc::Sender;

use super::losses::{Losses, Reason};

/// One record, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct LogEntry {
    pub(crate) resource: Arc<EncodedAttributes>,
    pub(crate) event: &'static str,
    /// Nanoseconds since the epoch.
    pub(crate) time: u64,
    pub(crate) severity: (i32, &'static str),
    pub(crate) body: String,
    pub(crate) attributes: EncodedAttributes,
}

/// The way to the pipelines.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    logs: Sender<LogEntry>,
    pub(super) losses: Losses,
}

impl Outlet {
    pub(crate) fn new(logs: Sender<LogEntry>, losses: Losses) -> Self {
        Self { logs, losses }
    }

    /// Never waits: what finds the way full is counted and gone.
    pub(super) fn send(&self, entry: LogEntry) {
        if self.logs.try_send(entry).is_err() {
            self.losses.add(Reason::QueueFull, 1);
        }
    }
}

/// One request with all of them, in their order.
pub(crate) fn encode(entries: &[LogEntry], now: u64) -> (deferd_pdata::Bytes, usize) {
    let mut request = LogsBuilder::default();
    for of_one in entries.chunk_by(|one, other| Arc::ptr_eq(&one.resource, &other.resource)) {
        let Some(first) = of_one.first() else { continue };
        request.resource(&*first.resource, |resource| {
            resource.scope("deferd/godefer", env!("CARGO_PKG_VERSION"), |scope| {
                for entry in of_one {
                    scope.add(&Record {
                        time: entry.time,
                        observed_time: now,
                        severity_number: entry.severity.0,
                        severity_text: entry.severity.1,
                        body: entry.body.as_str().into(),
                        attributes: (&entry.attributes).into(),
                        event_name: entry.event,
                        ..Record::default()
                    });
                }
            });
        });
    }
    let count = request.count_records();
    (request.finish(), count)
}

#[cfg(test)]
mod tests {
    use deferd_component::testing::context;
    use deferd_component::{ComponentId, Kind, Signal};

    use super::*;

    #[test]
    fn records_that_find_the_way_full_are_counted_and_do_not_wait() {
        let context = context(Kind::Receiver, &"godefer".parse::<ComponentId>().unwrap(), &[Signal::Logs]);
        let (logs, received) = tokio::sync::mpsc::channel(2);
        let outlet = Outlet::new(logs, Losses::new(&context));
        let entry = LogEntry {
            resource: Arc::default(),
            event: "go.panic",
            time: 0,
            severity: (13, "WARN"),
            body: String::new(),
            attributes: EncodedAttributes::default(),
        };
        for _ in 0..5 {
            outlet.send(entry.clone());
        }
        assert_eq!(received.len(), 2);
        assert_eq!(context.telemetry.total("deferd_dropped_items", ("reason", "queue_full")), 3);
    }
}
