//! Writing an `ExportLogsServiceRequest`.

use bytes::Bytes;

use super::{AttributeSet, Value, shell::Items};
use crate::{
    envelope::ITEMS,
    wire::{Expect, Writer},
};

/// Builds a logs request; used like [`super::MetricsBuilder`].
#[derive(Debug, Default)]
pub struct LogsBuilder(Items);

impl LogsBuilder {
    /// Adds a resource with what `write` adds to it.
    pub fn resource<'a>(&mut self, attributes: impl Into<AttributeSet<'a>>, write: impl FnOnce(&mut LogsResource<'_>)) {
        self.0.resource(&attributes.into(), |items| {
            write(&mut LogsResource(items));
        });
    }

    /// Records added so far.
    pub fn count_records(&self) -> usize {
        self.0.count
    }

    /// The serialized request; empty if no record was added.
    pub fn finish(self) -> Bytes {
        self.0.out.into_vec().into()
    }
}

/// A resource of a [`LogsBuilder`].
#[derive(Debug)]
pub struct LogsResource<'b>(&'b mut Items);

impl LogsResource<'_> {
    /// Adds a scope with what `write` adds to it.
    pub fn scope(&mut self, name: &str, version: &str, write: impl FnOnce(&mut LogsScope<'_>)) {
        self.0.scope(name, version, |items| write(&mut LogsScope(items)));
    }
}

/// A scope of a [`LogsResource`].
#[derive(Debug)]
pub struct LogsScope<'b>(&'b mut Items);

impl LogsScope<'_> {
    /// Adds a record.
    pub fn add(&mut self, record: &Record<'_>) {
        self.0.count += 1;
        self.0.out.nested(ITEMS, Expect::Medium, |out| record.write(out));
    }
}

/// A log record, or an event if it has an `event_name`.
#[derive(Debug, Clone, Default)]
pub struct Record<'a> {
    /// Nanoseconds since the epoch at which it happened; 0 if not known.
    pub time: u64,
    /// Nanoseconds since the epoch at which we noticed.
    pub observed_time: u64,
    /// 1 (trace) to 24 (fatal4); 0 if it has none.
    pub severity_number: i32,
    /// The severity as the source calls it.
    pub severity_text: &'a str,
    /// What it says.
    pub body: Value<'a>,
    /// What is known about it.
    pub attributes: AttributeSet<'a>,
    /// Attributes left out.
    pub dropped_attributes_count: u32,
    /// Low 8 bits: the trace flags of W3C Trace Context.
    pub flags: u32,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// The span it belongs to.
    pub span_id: Option<[u8; 8]>,
    /// Not empty if the record is an event of that name.
    pub event_name: &'a str,
}

impl Record<'_> {
    fn write(&self, out: &mut Writer) {
        if self.time != 0 {
            out.fixed64(1, self.time);
        }
        if self.severity_number != 0 {
            // A negative enum is sign-extended to ten bytes, as protobuf asks.
            out.varint(2, i64::from(self.severity_number).cast_unsigned());
        }
        out.text(3, self.severity_text);
        if self.body != Value::Empty {
            out.nested(5, Expect::Small, |out| self.body.write(out));
        }
        self.attributes.write(out, 6);
        if self.dropped_attributes_count != 0 {
            out.varint(7, self.dropped_attributes_count.into());
        }
        if self.flags != 0 {
            out.fixed32(8, self.flags);
        }
        if let Some(id) = &self.trace_id {
            out.bytes(9, id);
        }
        if let Some(id) = &self.span_id {
            out.bytes(10, id);
        }
        if self.observed_time != 0 {
            out.fixed64(11, self.observed_time);
        }
        out.text(12, self.event_name);
    }
}
