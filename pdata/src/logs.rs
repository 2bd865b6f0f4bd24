//! Views over a serialized `ExportLogsServiceRequest`.

use std::borrow::Borrow;

use crate::{
    any_value::AnyValue,
    attributes::Attributes,
    edit::{Changes, Edited, Verdict, items},
    envelope::{self, low32},
    text::Text,
    wire::{Fields, Malformed, View, Wire},
};

/// A whole request.
pub type Request<'a> = envelope::Request<'a, LogRecord<'a>>;
/// What one resource reported.
pub type ResourceLogs<'a> = envelope::ResourceItems<'a, LogRecord<'a>>;
/// What one scope of a resource reported.
pub type ScopeLogs<'a> = envelope::ScopeItems<'a, LogRecord<'a>>;

/// One `LogRecord`.
#[derive(Debug, Clone, Copy)]
pub struct LogRecord<'a> {
    bytes: &'a [u8],
    /// Nanoseconds since the epoch at which it happened; 0 if not known.
    pub time: u64,
    /// Nanoseconds since the epoch at which somebody noticed; 0 if not said.
    pub observed_time: u64,
    /// 1 (trace) to 24 (fatal4); 0 if not said. Other values are handed through.
    pub severity_number: i32,
    /// The severity as the source calls it.
    pub severity_text: Text<'a>,
    /// What it says.
    pub body: AnyValue<'a>,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
    /// Low 8 bits: the trace flags of W3C Trace Context.
    pub flags: u32,
    /// The trace it belongs to: 16 bytes, or none.
    pub trace_id: &'a [u8],
    /// The span it belongs to: 8 bytes, or none.
    pub span_id: &'a [u8],
    /// Not empty if the record is an event of that name.
    pub event_name: Text<'a>,
}

impl<'a> LogRecord<'a> {
    /// What is known about it.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, ATTRIBUTES)
    }
}

impl<'a> View<'a> for LogRecord<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut record = Self {
            bytes,
            time: 0,
            observed_time: 0,
            severity_number: 0,
            severity_text: Text::default(),
            body: AnyValue::Empty,
            dropped_attributes_count: 0,
            flags: 0,
            trace_id: &[],
            span_id: &[],
            event_name: Text::default(),
        };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Fixed64(time)) => record.time = time,
                (2, Wire::Varint(value)) => record.severity_number = low32(value).cast_signed(),
                (3, Wire::Len(text)) => record.severity_text = Text::new(text),
                (5, Wire::Len(value)) => record.body = AnyValue::view(value),
                (7, Wire::Varint(count)) => record.dropped_attributes_count = low32(count),
                (8, Wire::Fixed32(flags)) => record.flags = flags,
                (9, Wire::Len(id)) => record.trace_id = id,
                (10, Wire::Len(id)) => record.span_id = id,
                (11, Wire::Fixed64(time)) => record.observed_time = time,
                (12, Wire::Len(text)) => record.event_name = Text::new(text),
                _ => {}
            }
        }
        record
    }
}

/// Records in a serialized request. Looks at the outer three levels only and allocates nothing.
pub fn count_records(request: &[u8]) -> Result<usize, Malformed> {
    envelope::sum_items(request, |_| Ok(1))
}

/// Field of a `LogRecord` that holds its attributes.
const ATTRIBUTES: u32 = 6;

/// Keeps the records for which `keep` returns true.
///
/// `None` if that is all of them. A scope or resource left without a record is dropped too. Everything else is copied as it stands,
/// unknown fields included. Fails if the shape around the records is malformed; the inside of a record is not looked at.
pub fn retain<'a>(
    request: &'a [u8],
    keep: impl FnMut(&ResourceLogs<'a>, &ScopeLogs<'a>, &LogRecord<'a>) -> bool,
) -> Result<Option<Edited>, Malformed> {
    items::retain(request, |_| 1, keep)
}

/// Changes the attributes of the records for which `mark` returns something.
///
/// `None` if no record changed. The rest is as for [`edit`].
pub fn mark<'a, C: Borrow<Changes>>(
    request: &'a [u8],
    mut mark: impl FnMut(&ResourceLogs<'a>, &ScopeLogs<'a>, &LogRecord<'a>) -> Option<C>,
) -> Result<Option<Edited>, Malformed> {
    edit(request, |resource, scope, record| mark(resource, scope, record).map_or(Verdict::Keep, Verdict::Change))
}

/// Keeps, drops or changes each record, as `decide` says, in one pass.
///
/// `None` if all of them stay as they are. A scope or resource left without a record is dropped too. Everything else is copied as it
/// stands, unknown fields included. Fails if the shape around the records, or around the attributes of one that is changed, is malformed.
pub fn edit<'a, C: Borrow<Changes>>(
    request: &'a [u8],
    decide: impl FnMut(&ResourceLogs<'a>, &ScopeLogs<'a>, &LogRecord<'a>) -> Verdict<C>,
) -> Result<Option<Edited>, Malformed> {
    items::change(request, ATTRIBUTES, decide)
}
