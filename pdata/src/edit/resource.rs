//! Changing the resources of a request, whatever its signal.

use std::borrow::Borrow;

use bytes::Bytes;

use super::{
    Changes, attributes, children,
    splices::{Span, Splices},
};
use crate::{
    envelope::{RESOURCES, Resource, ResourceItems},
    wire::{Expect, Malformed, Reader, View, Wire, Writer},
};

/// Field of a resource's entry that holds the resource.
const RESOURCE: u32 = 1;
/// Field of a resource that holds its attributes.
const ATTRIBUTES: u32 = 1;

/// Changes the attributes of each resource as `decide` says; `None` leaves that one alone.
///
/// Works on requests of metrics, logs and traces alike. An entry without a resource gets one if there is something to add. The result is `None`
/// if nothing changed. Everything else is copied as it stands, unknown fields included. Fails if the entries or what is edited in them
/// are malformed; what lies below the resources is not looked at.
pub fn resource_attributes<'a, C: Borrow<Changes>>(
    request: &'a [u8],
    mut decide: impl FnMut(&Resource<'a>) -> Option<C>,
) -> Result<Option<Bytes>, Malformed> {
    let mut splices = Splices::default();
    let of_entry = &mut |splices: &mut Splices, bytes: &'a [u8], entry: Reader<'a>| {
        // What the items are does not matter: they are not looked at.
        let resource = ResourceItems::<&[u8]>::view(bytes).resource;
        if let Some(changes) = decide(&resource) {
            of_resource(splices, entry, changes.borrow())?;
        }
        Ok(true)
    };
    children(&mut splices, Reader::new(request), RESOURCES, of_entry)?;
    Ok(splices.apply(request).map(Bytes::from))
}

fn of_resource(splices: &mut Splices, mut entry: Reader<'_>, changes: &Changes) -> Result<(), Malformed> {
    let mut done = false;
    loop {
        let start = entry.offset();
        let Some(field) = entry.next_field()? else {
            break;
        };
        let (Wire::Len(bytes), RESOURCE, false) = (field.value, field.number, done) else {
            continue;
        };
        if let Some(span) = Span::new(&field, start, &entry) {
            done = true;
            splices.nested(&span, |splices| {
                attributes::apply(splices, entry.nested(bytes), ATTRIBUTES, changes)?;
                Ok(true)
            })?;
        }
    }
    if !done {
        let (mut resource, mut added) = (Writer::default(), Writer::default());
        if changes.write(&mut added, ATTRIBUTES) {
            resource.nested(RESOURCE, Expect::Medium, |out| out.encoded(added.as_bytes()));
            splices.insert(entry.offset(), resource.as_bytes());
        }
    }
    Ok(())
}
