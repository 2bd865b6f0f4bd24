//! Dropping items from a request.

use super::{
    Edited,
    splices::{Span, Splices},
};
use crate::{
    envelope::{ITEMS, RESOURCES, ResourceItems, SCOPES, ScopeItems},
    wire::{Malformed, Reader, View, Wire},
};

/// Keeps the items for which `keep` returns true; `weigh` says what an item counts for.
///
/// A scope or resource that loses its last item goes too; one that came without any stays, as it was not touched. `None`:
/// everything is kept.
pub(crate) fn retain<'a, T: View<'a>>(
    request: &'a [u8],
    weigh: impl Fn(&T) -> usize,
    mut keep: impl FnMut(&ResourceItems<'a, T>, &ScopeItems<'a, T>, &T) -> bool,
) -> Result<Option<Edited>, Malformed> {
    let mut splices = Splices::default();
    let (mut kept, mut dropped) = (0_usize, 0_usize);
    let of_resource = &mut |splices: &mut Splices, bytes, message| {
        let resource = ResourceItems::view(bytes);
        let of_scope = &mut |splices: &mut Splices, bytes, message| {
            let scope = ScopeItems::view(bytes);
            let of_item = &mut |_: &mut Splices, bytes, _| {
                let item = T::view(bytes);
                let stays = keep(&resource, &scope, &item);
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

/// Edits every message that field `number` holds. False if there was one and none is left.
fn children<'a>(
    splices: &mut Splices,
    mut message: Reader<'a>,
    number: u32,
    edit: &mut impl FnMut(&mut Splices, &'a [u8], Reader<'a>) -> Result<bool, Malformed>,
) -> Result<bool, Malformed> {
    let (mut had, mut has) = (false, false);
    loop {
        let start = message.offset();
        let Some(field) = message.next_field()? else {
            return Ok(has || !had);
        };
        let (Wire::Len(bytes), true) = (field.value, field.number == number) else {
            continue;
        };
        had = true;
        if let Some(span) = Span::new(&field, start, &message) {
            splices.nested(&span, |splices| {
                let stays = edit(splices, bytes, message.nested(bytes))?;
                has |= stays;
                Ok(stays)
            })?;
        }
    }
}
