//! The file, and bounded windows into it.
//!
//! Nothing is mapped (that needs `unsafe`, and a truncated file would kill us
//! with SIGBUS) and little is kept: the function tables of a large program are
//! tens of megabytes, an agent watches dozens of programs, and the page cache
//! holds the bytes anyway. A question therefore costs a few short `pread`s.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::error::ImageError;

/// How much is held while a table is read from front to back.
const SCAN_CHUNK: usize = 256 << 10;

/// The longest name or path that is returned; Go's own are far shorter, save
/// for a few machine-made ones.
const MAX_TEXT: usize = 16 << 10;

/// A regular file and its length when it was opened.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    len: u64,
}

impl Source {
    pub(super) fn open(file: &File) -> Result<Arc<Self>, ImageError> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(ImageError::NotRegular);
        }
        let file = file.try_clone()?;
        let len = metadata.len();
        Ok(Arc::new(Self { file, len }))
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Reads into `buf` and says how many bytes came; fewer than asked at the
    /// end of the file or when the disk fails.
    fn fill(&self, offset: u64, buf: &mut [u8]) -> usize {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..)
            && !rest.is_empty()
            && let Some(at) = offset.checked_add(done as u64)
        {
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        done
    }
}

/// A range of the file. Offsets given to its methods count from its start.
#[derive(Clone, Debug)]
pub(super) struct Window {
    source: Arc<Source>,
    start: u64,
    len: u64,
}

impl Window {
    /// `None` when the range is not wholly inside the file.
    pub(super) fn new(source: &Arc<Source>, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len)?;
        let source = Arc::clone(source);
        (end <= source.len()).then_some(Self { source, start, len })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// `len` bytes of this window from `at`.
    pub(super) fn part(&self, at: u64, len: u64) -> Option<Self> {
        if at.checked_add(len)? > self.len {
            return None;
        }
        Self::new(&self.source, self.start.checked_add(at)?, len)
    }

    /// As much of `buf` as the window holds from `at`.
    pub(super) fn fill<'b>(&self, at: u64, buf: &'b mut [u8]) -> &'b [u8] {
        let room = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let want = buf.len().min(room);
        let done = match (buf.get_mut(..want), self.start.checked_add(at)) {
            (Some(part), Some(offset)) => self.source.fill(offset, part),
            _ => 0,
        };
        buf.get(..done).unwrap_or_default()
    }

    /// Exactly `N` bytes at `at`.
    pub(super) fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut buf = [0; N];
        (self.fill(at, &mut buf).len() == N).then_some(buf)
    }

    /// Exactly `len` bytes at `at`; memory is taken only once the window is
    /// known to hold them.
    pub(super) fn vec(&self, at: u64, len: u64) -> Option<Vec<u8>> {
        if at.checked_add(len)? > self.len {
            return None;
        }
        let mut buf = vec![0; usize::try_from(len).ok()?];
        let done = self.fill(at, &mut buf).len();
        (done == buf.len()).then_some(buf)
    }

    /// The NUL-terminated text at `at`, at most `MAX_TEXT` bytes of it; bytes
    /// that are not UTF-8 are replaced.
    pub(super) fn text(&self, at: u64) -> Option<String> {
        let mut short = [0; 128];
        let bytes = self.fill(at, &mut short);
        if let Some(text) = until_nul(bytes) {
            return Some(text);
        }
        let mut long = vec![0; MAX_TEXT];
        until_nul(self.fill(at, &mut long))
    }

    /// Reads the window from front to back in chunks that overlap by
    /// `overlap` bytes, until `see(offset of the chunk, chunk)` gives a value.
    pub(super) fn scan<T>(&self, overlap: usize, mut see: impl FnMut(u64, &[u8]) -> Option<T>) -> Option<T> {
        let mut buf = vec![0; SCAN_CHUNK.min(usize::try_from(self.len).unwrap_or(SCAN_CHUNK))];
        let mut at = 0;
        while at < self.len {
            let chunk = self.fill(at, &mut buf);
            if let Some(found) = see(at, chunk) {
                return Some(found);
            }
            let step = chunk.len().saturating_sub(overlap);
            if step == 0 || chunk.len() < SCAN_CHUNK {
                return None;
            }
            at = at.checked_add(step as u64)?;
        }
        None
    }

    /// A reader for offsets that only grow.
    pub(super) fn forward(&self) -> Forward<'_> {
        Forward { window: self, buf: Vec::new(), at: 0 }
    }

    /// The bytes from `at`, one by one.
    pub(super) fn stream(&self, at: u64) -> Stream<'_> {
        Stream { window: self, at, buf: [0; 512], len: 0, used: 0 }
    }
}

fn until_nul(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

/// Records read at growing offsets, a chunk of the file at a time.
pub(super) struct Forward<'w> {
    window: &'w Window,
    buf: Vec<u8>,
    at: u64,
}

impl Forward<'_> {
    /// `len` bytes at `at`.
    pub(super) fn bytes(&mut self, at: u64, len: usize) -> Option<&[u8]> {
        if self.held(at, len).is_none() {
            self.buf.resize(SCAN_CHUNK, 0);
            let done = self.window.fill(at, &mut self.buf).len();
            self.buf.truncate(done);
            self.at = at;
        }
        self.held(at, len)
    }

    fn held(&self, at: u64, len: usize) -> Option<&[u8]> {
        let from = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.buf.get(from..from.checked_add(len)?)
    }
}

/// A window's bytes in order, through a small buffer on the stack.
pub(super) struct Stream<'w> {
    window: &'w Window,
    at: u64,
    buf: [u8; 512],
    len: usize,
    used: usize,
}

impl Iterator for Stream<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.used == self.len {
            self.len = self.window.fill(self.at, &mut self.buf).len();
            self.at = self.at.checked_add(self.len as u64)?;
            self.used = 0;
        }
        let byte = self.buf.get(..self.len)?.get(self.used)?;
        self.used += 1;
        Some(*byte)
    }
}
