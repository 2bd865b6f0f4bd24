//! Changing a serialized request without rebuilding it.
//!
//! An edit walks the request once and notes `splices`: what to cut out and what to put there. Lengths of the messages around a
//! change are corrected on the way. If nothing was noted, the caller keeps its bytes; otherwise the new request is
//! one copy of the untouched ranges and the insertions between them.
//!
//! [`Changes`] says what to do to a set of attributes. [`resource_attributes`] and [`scope_attributes`] apply it to resources and scopes,
//! `logs::edit` and `traces::edit` to records and spans; an item of another signal differs only in where its attributes are.

mod attributes;
pub(crate) mod items;
mod shells;
mod splices;

#[cfg(test)]
mod tests;

use bytes::Bytes;

pub use attributes::Changes;
pub use items::Verdict;
pub use shells::{resource_attributes, scope_attributes};
use splices::{Span, Splices};

use crate::wire::{Malformed, Reader, Wire};

/// What an edit made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new request.
    pub bytes: Bytes,
    /// Items (data points, log records, spans) that stayed.
    pub kept: usize,
    /// Items that went.
    pub dropped: usize,
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
