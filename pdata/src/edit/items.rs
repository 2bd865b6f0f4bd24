//! Walking the items of a request: which stay, and what changes inside those.

use std::borrow::Borrow;

use super::{Changes, Edited, attributes, children, splices::Splices};
use crate::{
    envelope::{ITEMS, RESOURCES, ResourceItems, SCOPES, ScopeItems},
    wire::{Malformed, Reader, View},
};

/// What becomes of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<C = Changes> {
    /// It stays as it is.
    Keep,
    /// It goes.
    Drop,
    /// It stays with these changes to its attributes.
    Change(C),
}

/// Keeps the items for which `keep` returns true; `weigh` says what an item counts for.
pub(crate) fn retain<'a, T: View<'a>>(
    request: &'a [u8],
    weigh: impl Fn(&T) -> usize,
    mut keep: impl FnMut(&ResourceItems<'a, T>, &ScopeItems<'a, T>, &T) -> bool,
) -> Result<Option<Edited>, Malformed> {
    edit(request, weigh, |_, resource, scope, item, _| Ok(keep(resource, scope, item)))
}

/// Does to each item, which holds its attributes as field `attributes` and counts for one, what `decide` says.
pub(crate) fn change<'a, T: View<'a>, C: Borrow<Changes>>(
    request: &'a [u8],
    attributes: u32,
    mut decide: impl FnMut(&ResourceItems<'a, T>, &ScopeItems<'a, T>, &T) -> Verdict<C>,
) -> Result<Option<Edited>, Malformed> {
    edit(
        request,
        |_| 1,
        |splices, resource, scope, item, message| {
            match decide(resource, scope, item) {
                Verdict::Keep => {}
                Verdict::Drop => return Ok(false),
                Verdict::Change(changes) => attributes::apply(splices, message, attributes, changes.borrow())?,
            }
            Ok(true)
        },
    )
}

/// Hands each item to `of_item`, with a reader for its fields, which notes changes inside and says whether the item stays.
///
/// A scope or resource that loses its last item goes too; one that came without any stays, as it was not touched. `None`:
/// nothing is changed.
fn edit<'a, T: View<'a>>(
    request: &'a [u8],
    weigh: impl Fn(&T) -> usize,
    mut of_item: impl FnMut(&mut Splices, &ResourceItems<'a, T>, &ScopeItems<'a, T>, &T, Reader<'a>) -> Result<bool, Malformed>,
) -> Result<Option<Edited>, Malformed> {
    let mut splices = Splices::default();
    let (mut kept, mut dropped) = (0_usize, 0_usize);
    let of_resource = &mut |splices: &mut Splices, bytes, message| {
        let resource = ResourceItems::view(bytes);
        let of_scope = &mut |splices: &mut Splices, bytes, message| {
            let scope = ScopeItems::view(bytes);
            let of_item = &mut |splices: &mut Splices, bytes, message| {
                let item = T::view(bytes);
                let stays = of_item(splices, &resource, &scope, &item, message)?;
                let count = if stays { &mut kept } else { &mut dropped };
                *count = count.saturating_add(weigh(&item));
                Ok(stays)
            };
            children(splices, message, ITEMS, of_item)
        };
        children(splices, message, SCOPES, of_scope)
    };
    children(&mut splices, Reader::new(request), RESOURCES, of_resource)?;
    Ok(splices.apply(request).map(|bytes| Edited { bytes: bytes.into(), kept, dropped }))
}
