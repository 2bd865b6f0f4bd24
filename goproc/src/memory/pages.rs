//! A bounded cache of whole pages over a [`Memory`].

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::{Extent, Memory, MemoryError};

/// Bytes per cached page: the smallest unit the kernel pins for a remote read on amd64 and (usually) arm64.
pub const PAGE: usize = 4096;

const PAGE_SHIFT: u32 = PAGE.trailing_zeros();

/// Pages kept at most (16 MiB). When the next batch would go past it, everything is forgotten first.
const MAX_PAGES: usize = 4096;

/// When at most this many pages are missing, their neighbours are read along: a single long chain then costs a
/// system call per [`READ_AHEAD`] pages. With many missing pages a batch is full anyway, and more bytes only cost.
const FEW: usize = 8;

/// Aligned block, in pages, read around each of a few missing pages when a neighbour of it is here already. Measured on a chain of a million records:
/// 4 KiB blocks 101-108 ms with the closures, 64 KiB blocks 68-70 ms.
const READ_AHEAD: u64 = 16;

/// What reading has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// System calls made.
    pub reads: u64,
    /// Bytes copied out of the target.
    pub bytes: u64,
}

/// Where a page's bytes are, or that it cannot be read.
#[derive(Debug, Clone, Copy)]
enum Slot {
    At(usize),
    Unreadable,
}

/// A page cache over `memory`: prefetch many, then look at words without a system call.
///
/// The cache is a picture: it does not notice changes. [`clear`](Pages::clear) before a look that must be fresh.
#[derive(Debug)]
pub struct Pages<'m, M> {
    memory: &'m M,
    index: HashMap<u64, Slot, BuildHasherDefault<PageHasher>>,
    bytes: Vec<u8>,
    /// The page looked at last, which is the page looked at next nine times out of ten.
    last: Option<(u64, usize)>,
    read_ahead: bool,
    cost: Cost,
}

impl<'m, M: Memory> Pages<'m, M> {
    /// An empty cache over `memory`. `read_ahead` makes a miss bring its neighbours, for looks at still data.
    pub fn new(memory: &'m M) -> Self {
        Self { memory, index: HashMap::default(), bytes: Vec::new(), last: None, read_ahead: true, cost: Cost::default() }
    }

    /// Whether a miss brings its neighbours along. Off where every byte must be as fresh as possible.
    pub fn set_read_ahead(&mut self, on: bool) {
        self.read_ahead = on;
    }

    /// What this cache has cost since it was made.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Forgets every page, keeping the room for them.
    pub fn clear(&mut self) {
        self.index.clear();
        self.bytes.clear();
        self.last = None;
    }

    /// Whether all of `length` bytes at `address` have been asked for before (readable or not).
    pub fn holds(&mut self, address: u64, length: usize) -> bool {
        let (first, last) = page_range(address, length);
        if self.last.is_some_and(|(page, _)| page == first && page == last) {
            return true;
        }
        (first..=last).all(|page| self.is_here(page))
    }

    /// Reads the pages under every `(address, length)` that are not here yet, in as few system calls as possible.
    /// Pages that cannot be read are remembered as such: looking at them gives `None`.
    pub fn prefetch(&mut self, wanted: impl IntoIterator<Item = (u64, usize)>) -> Result<(), MemoryError> {
        let mut pages: Vec<u64> = Vec::new();
        for (address, length) in wanted {
            let (first, last) = page_range(address, length);
            pages.extend(first..=last);
        }
        pages.sort_unstable();
        pages.dedup();
        let mut missing: Vec<u64> = pages.iter().copied().filter(|page| !self.is_here(*page)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if self.read_ahead && missing.len() <= FEW {
            missing = self.with_neighbours(&missing);
        }
        if self.index.len().saturating_add(missing.len()) > MAX_PAGES {
            self.clear();
            missing = pages;
        }
        self.load(&missing)
    }

    /// Adds the rest of the block around every missing page whose neighbour is here: there the walk goes through
    /// memory in order, up or down, and will come to the rest. Elsewhere it jumps, and more would be wasted.
    fn with_neighbours(&self, missing: &[u64]) -> Vec<u64> {
        let mut pages = missing.to_vec();
        for page in missing {
            if self.is_here(page.saturating_sub(1)) || self.is_here(page.saturating_add(1)) {
                let first = page - page % READ_AHEAD;
                pages.extend((first..=first.saturating_add(READ_AHEAD - 1)).filter(|page| !self.is_here(*page)));
            }
        }
        pages.sort_unstable();
        pages.dedup();
        pages
    }

    fn is_here(&self, page: u64) -> bool {
        self.index.contains_key(&page)
    }

    fn load(&mut self, pages: &[u64]) -> Result<(), MemoryError> {
        let mut rest = pages;
        // A page that cannot be read ends a call and wastes the room made for the pages after it. So after one the
        // calls are small again, and double while they succeed.
        let mut most = pages.len();
        while !rest.is_empty() {
            let part = rest.get(..most).unwrap_or(rest);
            let (extents, count) = runs(part, M::MAX_EXTENTS);
            let start = self.bytes.len();
            let wanted = count.saturating_mul(PAGE);
            self.bytes.resize(start.saturating_add(wanted), 0);
            let out = self.bytes.get_mut(start..).unwrap_or_default();
            let copied = self.memory.read(&extents, out)?.min(wanted);
            self.cost.reads = self.cost.reads.saturating_add(1);
            self.cost.bytes = self.cost.bytes.saturating_add(copied as u64);
            let whole = copied / PAGE;
            self.bytes.truncate(start.saturating_add(whole.saturating_mul(PAGE)));
            let (read, unread) = rest.split_at(whole.min(rest.len()));
            for (position, page) in read.iter().enumerate() {
                self.index.insert(*page, Slot::At(start.saturating_add(position.saturating_mul(PAGE))));
            }
            rest = unread;
            most = most.saturating_mul(2);
            if whole < count
                && let Some((page, after)) = unread.split_first()
            {
                self.index.insert(*page, Slot::Unreadable);
                rest = after;
                most = 1;
            }
        }
        Ok(())
    }

    /// Reads `extents` past the cache, as they are now; returns how many bytes could be read.
    pub fn read_fresh(&mut self, extents: &[Extent], out: &mut [u8]) -> Result<usize, MemoryError> {
        let copied = self.memory.read(extents, out)?;
        self.cost.reads = self.cost.reads.saturating_add(1);
        self.cost.bytes = self.cost.bytes.saturating_add(copied as u64);
        Ok(copied)
    }

    /// `N` bytes at `address`, reading their pages when they are not here yet; `None` when they cannot be read.
    pub fn bytes<const N: usize>(&mut self, address: u64) -> Result<Option<[u8; N]>, MemoryError> {
        if !self.holds(address, N) {
            self.prefetch([(address, N)])?;
        }
        Ok(self.peek(address))
    }

    /// The little-endian word at `address`, reading its page when it is not here yet.
    pub fn word(&mut self, address: u64) -> Result<Option<u64>, MemoryError> {
        Ok(self.bytes(address)?.map(u64::from_le_bytes))
    }

    /// `N` bytes at `address` if they are in the cache; never reads.
    pub fn peek<const N: usize>(&mut self, address: u64) -> Option<[u8; N]> {
        let mut out = [0; N];
        self.peek_into(address, &mut out).then_some(out)
    }

    /// Fills `out` from the cache; `false` when a part of it is not there or cannot be read. Never reads.
    pub fn peek_into(&mut self, address: u64, out: &mut [u8]) -> bool {
        let mut address = address;
        let mut rest = out;
        while !rest.is_empty() {
            let Some(page) = self.page(address >> PAGE_SHIFT) else {
                return false;
            };
            let within = usize::try_from(address).unwrap_or(usize::MAX) & (PAGE - 1);
            let length = rest.len().min(PAGE - within);
            let (now, later) = rest.split_at_mut(length);
            let Some(bytes) = page.get(within..within.saturating_add(length)) else {
                return false;
            };
            now.copy_from_slice(bytes);
            rest = later;
            address = address.wrapping_add(length as u64);
        }
        true
    }

    fn page(&mut self, number: u64) -> Option<&[u8]> {
        let start = match self.last {
            Some((page, start)) if page == number => start,
            _ => {
                let Slot::At(start) = *self.index.get(&number)? else {
                    return None;
                };
                self.last = Some((number, start));
                start
            }
        };
        self.bytes.get(start..start.saturating_add(PAGE))
    }
}

/// First and last page number under `length` bytes at `address`; clamped at the end of the address space.
fn page_range(address: u64, length: usize) -> (u64, u64) {
    let end = address.saturating_add((length.max(1) - 1) as u64);
    (address >> PAGE_SHIFT, end >> PAGE_SHIFT)
}

/// Neighbouring pages joined into extents, at most `max` of them; with the number of pages they cover.
fn runs(pages: &[u64], max: usize) -> (Vec<Extent>, usize) {
    let mut extents: Vec<Extent> = Vec::new();
    let mut next = None;
    let mut count = 0;
    for page in pages {
        let full = extents.len() == max;
        match extents.last_mut() {
            Some(extent) if next == Some(*page) => {
                extent.length = extent.length.saturating_add(PAGE);
            }
            _ if full => break,
            _ => extents.push(Extent { address: page << PAGE_SHIFT, length: PAGE }),
        }
        next = page.checked_add(1);
        count += 1;
    }
    (extents, count)
}

/// One multiplication instead of `SipHash`: page numbers come from a process that can at worst slow its own walk,
/// and the walk is bounded by a node budget.
#[derive(Debug, Default)]
struct PageHasher(u64);

impl Hasher for PageHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        // 2^64 / golden ratio (Knuth's multiplicative hashing); the fold brings the well-mixed high bits down.
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

#[cfg(test)]
mod tests;
