//! What the signals share: a request holds resources, a resource holds scopes, a scope holds items.
//!
//! Metrics, logs and traces number these fields alike, so one set of views serves all of them; a signal says only what its
//! item is.

use std::marker::PhantomData;

use crate::{
    attributes::Attributes,
    text::Text,
    wire::{Fields, Malformed, Reader, Repeated, View, Wire},
};

/// Field of the request that holds resources.
pub(crate) const RESOURCES: u32 = 1;
/// Field of a resource's entry that holds scopes.
pub(crate) const SCOPES: u32 = 2;
/// Field of a scope's entry that holds items.
pub(crate) const ITEMS: u32 = 2;

/// An `Export*ServiceRequest` whose items read as `T`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a, T> {
    bytes: &'a [u8],
    item: PhantomData<T>,
}

impl<'a, T: View<'a>> Request<'a, T> {
    /// Looks at a serialized request.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, item: PhantomData }
    }

    /// What each resource reported.
    pub fn resources(&self) -> Repeated<'a, ResourceItems<'a, T>> {
        Repeated::new(self.bytes, RESOURCES)
    }
}

/// `ResourceMetrics`, `ResourceLogs` or `ResourceSpans`.
#[derive(Debug, Clone, Copy)]
pub struct ResourceItems<'a, T> {
    bytes: &'a [u8],
    /// Who reported. Absent reads as one without attributes.
    pub resource: Resource<'a>,
    /// Schema of the resource's attributes.
    pub schema_url: Text<'a>,
    item: PhantomData<T>,
}

impl<'a, T: View<'a>> ResourceItems<'a, T> {
    /// What each of its scopes reported.
    pub fn scopes(&self) -> Repeated<'a, ScopeItems<'a, T>> {
        Repeated::new(self.bytes, SCOPES)
    }
}

impl<'a, T> View<'a> for ResourceItems<'a, T> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut resource: &[u8] = &[];
        let mut schema_url = Text::default();
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Len(message)) => resource = message,
                (3, Wire::Len(text)) => schema_url = Text::new(text),
                _ => {}
            }
        }
        Self { bytes, resource: Resource(resource), schema_url, item: PhantomData }
    }
}

/// Who reported: a process, a host, a container.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a>(&'a [u8]);

impl<'a> Resource<'a> {
    /// What identifies it.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.0, 1)
    }

    /// Attributes that the sender left out.
    pub fn dropped_attributes_count(&self) -> u32 {
        last_uint32(self.0, 2)
    }

    /// The serialized `Resource` message: equal bytes are the same resource, so this serves as a key.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// `ScopeMetrics`, `ScopeLogs` or `ScopeSpans`.
#[derive(Debug, Clone, Copy)]
pub struct ScopeItems<'a, T> {
    bytes: &'a [u8],
    /// The library that reported. Absent reads as one without a name.
    pub scope: Scope<'a>,
    /// Schema of the items' attributes.
    pub schema_url: Text<'a>,
    item: PhantomData<T>,
}

impl<'a, T: View<'a>> ScopeItems<'a, T> {
    /// The metrics, log records or spans.
    pub fn items(&self) -> Repeated<'a, T> {
        Repeated::new(self.bytes, ITEMS)
    }
}

impl<'a, T> View<'a> for ScopeItems<'a, T> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut scope: &[u8] = &[];
        let mut schema_url = Text::default();
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Len(message)) => scope = message,
                (3, Wire::Len(text)) => schema_url = Text::new(text),
                _ => {}
            }
        }
        Self { bytes, scope: Scope::view(scope), schema_url, item: PhantomData }
    }
}

/// An `InstrumentationScope`: the library that reported.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    bytes: &'a [u8],
    /// The library's name.
    pub name: Text<'a>,
    /// The library's version.
    pub version: Text<'a>,
}

impl<'a> Scope<'a> {
    /// What else is known about the library.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 3)
    }

    /// Attributes that the sender left out.
    pub fn dropped_attributes_count(&self) -> u32 {
        last_uint32(self.bytes, 4)
    }

    /// The serialized `InstrumentationScope` message.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> View<'a> for Scope<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut scope = Self { bytes, name: Text::default(), version: Text::default() };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Len(text)) => scope.name = Text::new(text),
                (2, Wire::Len(text)) => scope.version = Text::new(text),
                _ => {}
            }
        }
        scope
    }
}

fn last_uint32(message: &[u8], number: u32) -> u32 {
    Fields::new(message)
        .filter(|field| field.number == number)
        .filter_map(|field| match field.value {
            Wire::Varint(value) => Some(low32(value)),
            _ => None,
        })
        .last()
        .unwrap_or_default()
}

/// A `uint32` on the wire is a varint; protobuf takes its low half.
#[inline]
pub(crate) fn low32(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Sums `of_item` over all items of a request, with each item's bytes and a reader that stands after it.
pub(crate) fn sum_items(
    request: &[u8],
    mut of_item: impl FnMut(Reader<'_>) -> Result<usize, Malformed>,
) -> Result<usize, Malformed> {
    let mut sum = 0_usize;
    each(Reader::new(request), RESOURCES, &mut |resource| {
        each(resource, SCOPES, &mut |scope| {
            each(scope, ITEMS, &mut |item| {
                sum = sum.saturating_add(of_item(item)?);
                Ok(())
            })
        })
    })?;
    Ok(sum)
}

/// Calls `visit` with a reader for each message that field `number` holds.
#[inline]
pub(crate) fn each<'a>(
    mut message: Reader<'a>,
    number: u32,
    visit: &mut impl FnMut(Reader<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    while let Some(field) = message.next_field()? {
        match field.value {
            Wire::Len(bytes) if field.number == number => visit(message.nested(bytes))?,
            _ => {}
        }
    }
    Ok(())
}
