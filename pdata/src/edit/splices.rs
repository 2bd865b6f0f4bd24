//! A list of changes to a byte string, and the lengths around them kept right.

use std::ops::Range;

use crate::wire::{Field, LEN, Reader, Wire, push_varint};

/// Where a length-delimited field lies in the request.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    number: u32,
    start: usize,
    content: Range<usize>,
}

impl Span {
    /// The span of `field`, that `reader` has just read from `start` on. `None` if it is not length-delimited.
    pub(crate) fn new(field: &Field<'_>, start: usize, reader: &Reader<'_>) -> Option<Self> {
        let Wire::Len(bytes) = field.value else {
            return None;
        };
        let end = reader.offset();
        Some(Self { number: field.number, start, content: end.checked_sub(bytes.len())?..end })
    }

    /// From the field's key to its last byte.
    pub(crate) fn whole(&self) -> Range<usize> {
        self.start..self.content.end
    }
}

#[derive(Debug, Clone)]
struct Splice {
    cut: Range<usize>,
    insert: Range<usize>,
}

/// Changes in ascending order that do not overlap.
#[derive(Debug, Default)]
pub(crate) struct Splices {
    list: Vec<Splice>,
    inserts: Vec<u8>,
    cut: usize,
    inserted: usize,
    /// Entries before this one include the header of a message still being edited, so nothing may be joined to them.
    closed_from: usize,
}

impl Splices {
    /// Notes that `range` is to be left out.
    pub(crate) fn remove(&mut self, range: Range<usize>) {
        self.cut += range.len();
        // Neighbours become one, so that dropping a run of items is one gap.
        match self.list.iter_mut().skip(self.closed_from).next_back() {
            Some(last) if last.cut.end == range.start && last.insert.is_empty() => {
                last.cut.end = range.end;
            }
            _ => self.list.push(Splice { cut: range, insert: 0..0 }),
        }
    }

    /// Notes that `bytes` are to be put in at `offset`.
    pub(crate) fn insert(&mut self, offset: usize, bytes: &[u8]) {
        let start = self.inserts.len();
        self.inserts.extend_from_slice(bytes);
        self.inserted += bytes.len();
        self.list.push(Splice { cut: offset..offset, insert: start..self.inserts.len() });
    }

    /// Notes the changes that `edit` makes inside the message at `span`, and its new length. If `edit` returns `false`, the
    /// whole field is left out instead.
    pub(crate) fn nested<E>(&mut self, span: &Span, edit: impl FnOnce(&mut Self) -> Result<bool, E>) -> Result<(), E> {
        let header = self.list.len();
        let (inserts, cut, inserted) = (self.inserts.len(), self.cut, self.inserted);
        // The header comes before what changes inside, but its value is known after: keep its place.
        let key = span.start..span.content.start;
        self.list.push(Splice { cut: key.clone(), insert: 0..0 });
        let closed_from = std::mem::replace(&mut self.closed_from, header + 1);
        let keep = edit(self)?;
        self.closed_from = closed_from;
        if keep && self.list.len() > header + 1 {
            let length = span.content.len() + (self.inserted - inserted) - (self.cut - cut);
            let start = self.inserts.len();
            push_varint(&mut self.inserts, u64::from(span.number) << 3 | LEN);
            push_varint(&mut self.inserts, length as u64);
            let insert = start..self.inserts.len();
            self.cut += key.len();
            self.inserted += insert.len();
            if let Some(slot) = self.list.get_mut(header) {
                slot.insert = insert;
            }
            return Ok(());
        }
        self.list.truncate(header);
        self.inserts.truncate(inserts);
        (self.cut, self.inserted) = (cut, inserted);
        if !keep {
            self.remove(span.whole());
        }
        Ok(())
    }

    /// The changed copy of `source`, or `None` if there is nothing to change.
    pub(crate) fn apply(&self, source: &[u8]) -> Option<Vec<u8>> {
        if self.list.is_empty() {
            return None;
        }
        let size = (source.len() + self.inserted).saturating_sub(self.cut);
        let mut out = Vec::with_capacity(size);
        let mut at = 0;
        for splice in &self.list {
            out.extend_from_slice(source.get(at..splice.cut.start)?);
            out.extend_from_slice(self.inserts.get(splice.insert.clone())?);
            at = splice.cut.end;
        }
        out.extend_from_slice(source.get(at..)?);
        Some(out)
    }
}
