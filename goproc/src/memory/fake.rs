//! Made-up memory for tests: a few mapped pages, and pages that change while they are looked at.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Extent, Memory, MemoryError, PAGE};

/// Address and new bytes.
type Change = (u64, Vec<u8>);

/// Sparse memory. Only pages written to are mapped.
#[derive(Debug, Default)]
pub(crate) struct FakeMemory {
    pages: RefCell<BTreeMap<u64, Box<[u8; PAGE]>>>,
    /// Changes to make after the n-th read: another thread of the target, made deterministic.
    script: RefCell<BTreeMap<u64, Vec<Change>>>,
    reads: RefCell<u64>,
}

impl FakeMemory {
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) {
        self.poke(address, bytes);
    }

    pub(crate) fn write_word(&mut self, address: u64, word: u64) {
        self.poke(address, &word.to_le_bytes());
    }

    /// Writes `bytes` once `reads` reads have been answered.
    pub(crate) fn write_after(&mut self, reads: u64, address: u64, bytes: &[u8]) {
        self.script.borrow_mut().entry(reads).or_default().push((address, bytes.to_vec()));
    }

    /// Counts reads from here on, with nothing scripted.
    pub(crate) fn restart(&mut self) {
        *self.reads.borrow_mut() = 0;
        self.script.borrow_mut().clear();
    }

    fn poke(&self, address: u64, bytes: &[u8]) {
        let mut pages = self.pages.borrow_mut();
        let (mut address, mut rest) = (address, bytes);
        while !rest.is_empty() {
            let page = pages.entry(address / PAGE as u64).or_insert_with(|| Box::new([0; PAGE]));
            let within = usize::try_from(address % PAGE as u64).unwrap();
            let (now, later) = rest.split_at(rest.len().min(PAGE - within));
            page[within..within + now.len()].copy_from_slice(now);
            address += now.len() as u64;
            rest = later;
        }
    }
}

impl Memory for FakeMemory {
    fn read(&self, extents: &[Extent], out: &mut [u8]) -> Result<usize, MemoryError> {
        let mut copied = 0;
        'all: for extent in extents {
            let mut offset = 0;
            while offset < extent.length {
                let Some(at) = extent.address.checked_add(offset as u64) else {
                    break 'all;
                };
                let within = usize::try_from(at % PAGE as u64).unwrap();
                let length = (PAGE - within).min(extent.length - offset);
                let pages = self.pages.borrow();
                let Some(page) = pages.get(&(at / PAGE as u64)) else {
                    break 'all;
                };
                out[copied..copied + length].copy_from_slice(&page[within..within + length]);
                copied += length;
                offset += length;
            }
        }
        *self.reads.borrow_mut() += 1;
        let now = *self.reads.borrow();
        for (address, bytes) in self.script.borrow_mut().remove(&now).unwrap_or_default() {
            self.poke(address, &bytes);
        }
        Ok(copied)
    }
}
