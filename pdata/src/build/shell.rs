//! The levels around the items, the same for every signal.

use super::AttributeSet;
use crate::{
    envelope::{ITEMS, RESOURCES, SCOPES},
    wire::{Expect, Writer},
};

/// Where items are written, and how many there are by now.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) out: Writer,
    pub(super) count: usize,
}

impl Items {
    /// Writes a resource with the scopes that `write` writes.
    pub(super) fn resource(&mut self, attributes: &AttributeSet<'_>, write: impl FnOnce(&mut Self)) {
        self.nested(RESOURCES, |items| {
            items.out.nested(1, Expect::Medium, |out| attributes.write(out, 1));
            write(items);
        });
    }

    /// Writes a scope with the items that `write` writes.
    pub(super) fn scope(&mut self, name: &str, version: &str, write: impl FnOnce(&mut Self)) {
        self.nested(SCOPES, |items| {
            items.out.nested(1, Expect::Small, |out| {
                out.text(1, name);
                out.text(2, version);
            });
            write(items);
        });
    }

    /// Writes an item that itself counts its parts.
    pub(super) fn item(&mut self, write: impl FnOnce(&mut Self)) {
        self.nested(ITEMS, write);
    }

    /// Writes a nested message, and takes it back if nothing was counted inside.
    pub(super) fn nested(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        let count = self.count;
        let nested = self.out.open(number, Expect::Large);
        write(self);
        if self.count > count {
            self.out.close(&nested);
        } else {
            self.out.cancel(&nested);
        }
    }
}
