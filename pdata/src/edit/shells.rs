//! Changing the resources and scopes of a request, whatever its signal.

use std::borrow::Borrow;

use bytes::Bytes;

use super::{
    Changes, attributes, children,
    splices::{Span, Splices},
};
use crate::{
    envelope::{RESOURCES, Resource, ResourceItems, SCOPES, Scope, ScopeItems},
    wire::{Expect, Malformed, Reader, View, Wire, Writer},
};

/// Field of a resource's entry that holds the resource, and of a scope's entry that holds the scope.
const DESCRIBED: u32 = 1;
/// Field of a resource that holds its attributes.
const RESOURCE_ATTRIBUTES: u32 = 1;
/// Field of a scope that holds its attributes.
const SCOPE_ATTRIBUTES: u32 = 3;

/// Changes the attributes of each resource as `decide` says; `None` leaves that one alone.
///
/// Works on requests of every signal. An entry without a resource gets one if there is something to add. The result is `None`
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
            of_described(splices, entry, RESOURCE_ATTRIBUTES, changes.borrow())?;
        }
        Ok(true)
    };
    children(&mut splices, Reader::new(request), RESOURCES, of_entry)?;
    Ok(splices.apply(request).map(Bytes::from))
}

/// Changes the attributes of each scope as `decide` says; `None` leaves that one alone.
///
/// The rest is as for [`resource_attributes`], one level further down.
pub fn scope_attributes<'a, C: Borrow<Changes>>(
    request: &'a [u8],
    mut decide: impl FnMut(&Resource<'a>, &Scope<'a>) -> Option<C>,
) -> Result<Option<Bytes>, Malformed> {
    let mut splices = Splices::default();
    let of_resource = &mut |splices: &mut Splices, bytes: &'a [u8], entry: Reader<'a>| {
        let resource = ResourceItems::<&[u8]>::view(bytes).resource;
        let of_scope = &mut |splices: &mut Splices, bytes: &'a [u8], entry: Reader<'a>| {
            let scope = ScopeItems::<&[u8]>::view(bytes).scope;
            if let Some(changes) = decide(&resource, &scope) {
                of_described(splices, entry, SCOPE_ATTRIBUTES, changes.borrow())?;
            }
            Ok(true)
        };
        children(splices, entry, SCOPES, of_scope)
    };
    children(&mut splices, Reader::new(request), RESOURCES, of_resource)?;
    Ok(splices.apply(request).map(Bytes::from))
}

/// Changes the attributes, field `number`, of what an entry describes: its resource or its scope.
fn of_described(splices: &mut Splices, mut entry: Reader<'_>, number: u32, changes: &Changes) -> Result<(), Malformed> {
    let mut done = false;
    loop {
        let start = entry.offset();
        let Some(field) = entry.next_field()? else {
            break;
        };
        let (Wire::Len(bytes), DESCRIBED, false) = (field.value, field.number, done) else {
            continue;
        };
        if let Some(span) = Span::new(&field, start, &entry) {
            done = true;
            splices.nested(&span, |splices| {
                attributes::apply(splices, entry.nested(bytes), number, changes)?;
                Ok(true)
            })?;
        }
    }
    if !done {
        let (mut described, mut added) = (Writer::default(), Writer::default());
        if changes.write(&mut added, number) {
            described.nested(DESCRIBED, Expect::Medium, |out| out.encoded(added.as_bytes()));
            splices.insert(entry.offset(), described.as_bytes());
        }
    }
    Ok(())
}
