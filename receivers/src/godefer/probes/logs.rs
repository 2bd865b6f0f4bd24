//! Log records on their way to a pipeline.

use std::sync::Arc;

use deferd_pdata::build::{EncodedAttributes, LogsBuilder, Record};

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
