//! Views over a serialized `ExportTraceServiceRequest`.
//!
//! The plain fields of a span are read in one pass when the view is made; attributes, events and links are iterators over the
//! same bytes.

mod event;
mod link;

pub use event::Event;
pub use link::Link;

use std::borrow::Borrow;

use crate::{
    attributes::Attributes,
    edit::{Changes, Edited, Verdict, items},
    envelope::{self, low32},
    text::Text,
    wire::{Fields, Malformed, Repeated, View, Wire},
};

/// A whole request.
pub type Request<'a> = envelope::Request<'a, Span<'a>>;
/// What one resource reported.
pub type ResourceSpans<'a> = envelope::ResourceItems<'a, Span<'a>>;
/// What one scope of a resource reported.
pub type ScopeSpans<'a> = envelope::ScopeItems<'a, Span<'a>>;

/// One `Span`.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    bytes: &'a [u8],
    /// The trace it belongs to: 16 bytes, or none.
    pub trace_id: &'a [u8],
    /// Its own id: 8 bytes, or none.
    pub span_id: &'a [u8],
    /// The span that caused it: 8 bytes, or none if it is the first of its trace.
    pub parent_span_id: &'a [u8],
    /// The `tracestate` header of W3C Trace Context, as it came.
    pub trace_state: Text<'a>,
    /// Low 8 bits: the trace flags of W3C Trace Context. Bit 8 says that bit 9 is known: whether the parent is remote.
    pub flags: u32,
    /// What was done.
    pub name: Text<'a>,
    /// 1 (internal), 2 (server), 3 (client), 4 (producer) or 5 (consumer); 0 if not said. Other values are handed through.
    pub kind: i32,
    /// Nanoseconds since the epoch at which it began; 0 if not said.
    pub start_time: u64,
    /// Nanoseconds since the epoch at which it ended; 0 if not said.
    pub end_time: u64,
    /// Attributes that the sender left out.
    pub dropped_attributes_count: u32,
    /// Events that the sender left out.
    pub dropped_events_count: u32,
    /// Links that the sender left out.
    pub dropped_links_count: u32,
    /// How it ended.
    pub status: Status<'a>,
}

impl<'a> Span<'a> {
    /// What is known about it.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, ATTRIBUTES)
    }

    /// What happened while it lasted.
    pub fn events(&self) -> Repeated<'a, Event<'a>> {
        Repeated::new(self.bytes, 11)
    }

    /// Spans of this or other traces that have to do with it.
    pub fn links(&self) -> Repeated<'a, Link<'a>> {
        Repeated::new(self.bytes, 13)
    }
}

impl<'a> View<'a> for Span<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut span = Self {
            bytes,
            trace_id: &[],
            span_id: &[],
            parent_span_id: &[],
            trace_state: Text::default(),
            flags: 0,
            name: Text::default(),
            kind: 0,
            start_time: 0,
            end_time: 0,
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            status: Status::default(),
        };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Len(id)) => span.trace_id = id,
                (2, Wire::Len(id)) => span.span_id = id,
                (3, Wire::Len(text)) => span.trace_state = Text::new(text),
                (4, Wire::Len(id)) => span.parent_span_id = id,
                (5, Wire::Len(text)) => span.name = Text::new(text),
                (6, Wire::Varint(value)) => span.kind = low32(value).cast_signed(),
                (7, Wire::Fixed64(time)) => span.start_time = time,
                (8, Wire::Fixed64(time)) => span.end_time = time,
                (10, Wire::Varint(count)) => span.dropped_attributes_count = low32(count),
                (12, Wire::Varint(count)) => span.dropped_events_count = low32(count),
                (14, Wire::Varint(count)) => span.dropped_links_count = low32(count),
                (15, Wire::Len(status)) => span.status = Status::view(status),
                (16, Wire::Fixed32(flags)) => span.flags = flags,
                _ => {}
            }
        }
        span
    }
}

/// How a span ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Status<'a> {
    /// Why, for people.
    pub message: Text<'a>,
    /// 0 (not said), 1 (ok) or 2 (error). Other values are handed through.
    pub code: i32,
}

impl<'a> View<'a> for Status<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut status = Self::default();
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (2, Wire::Len(text)) => status.message = Text::new(text),
                (3, Wire::Varint(value)) => status.code = low32(value).cast_signed(),
                _ => {}
            }
        }
        status
    }
}

/// Spans in a serialized request. Looks at the outer three levels only and allocates nothing.
pub fn count_spans(request: &[u8]) -> Result<usize, Malformed> {
    envelope::sum_items(request, |_| Ok(1))
}

/// Field of a `Span` that holds its attributes.
const ATTRIBUTES: u32 = 9;

/// Keeps the spans for which `keep` returns true.
///
/// `None` if that is all of them. A scope or resource left without a span is dropped too. Everything else is copied as it stands,
/// unknown fields included. Fails if the shape around the spans is malformed; the inside of a span is not looked at.
pub fn retain<'a>(
    request: &'a [u8],
    keep: impl FnMut(&ResourceSpans<'a>, &ScopeSpans<'a>, &Span<'a>) -> bool,
) -> Result<Option<Edited>, Malformed> {
    items::retain(request, |_| 1, keep)
}

/// Keeps, drops or changes the attributes of each span, as `decide` says, in one pass.
///
/// `None` if all of them stay as they are. A scope or resource left without a span is dropped too. Everything else is copied as it
/// stands, unknown fields included. Fails if the shape around the spans, or around the attributes of one that is changed, is malformed.
pub fn edit<'a, C: Borrow<Changes>>(
    request: &'a [u8],
    decide: impl FnMut(&ResourceSpans<'a>, &ScopeSpans<'a>, &Span<'a>) -> Verdict<C>,
) -> Result<Option<Edited>, Malformed> {
    items::change(request, ATTRIBUTES, decide)
}
