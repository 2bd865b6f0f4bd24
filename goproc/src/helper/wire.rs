//! The messages: fixed layouts in little-endian order, each in one packet.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::target::FileTypes;

/// Most bytes of an answer: a path (4096 at most), the text of `stat` (far below 2048), and what goes before.
pub(super) const MAX_ANSWER: usize = 8192;
/// Most bytes of a path.
const MAX_PATH: usize = 4096;
/// Most bytes of the text of `/proc/PID/stat`.
pub(super) const MAX_STAT: usize = 2048;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The path of the executable.
    Link,
    /// Memory and executable as descriptors, path and `stat` as text.
    Open,
    /// Types of open files.
    FileTypes,
}

impl What {
    const ALL: [Self; 3] = [Self::Link, Self::Open, Self::FileTypes];

    /// How many descriptors come with the answer.
    pub(super) fn descriptors(self) -> usize {
        if self == Self::Open { 2 } else { 0 }
    }
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// Told again in the answer.
    pub(super) number: u64,
    pub(super) what: What,
    pub(super) pid: u32,
    pub(super) limit: u64,
}

/// Bytes of a request.
pub(super) const REQUEST: usize = 24;

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        let what = What::ALL.iter().position(|each| *each == self.what).and_then(|at| u32::try_from(at).ok());
        let mut bytes = self.number.to_le_bytes().to_vec();
        bytes.extend(what.unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(self.pid.to_le_bytes());
        bytes.extend(self.limit.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (number, what, pid, limit) = (u64_at(bytes, 0)?, u32_at(bytes, 8)?, u32_at(bytes, 12)?, u64_at(bytes, 16)?);
        let what = *What::ALL.get(usize::try_from(what).ok()?)?;
        (bytes.len() == REQUEST).then_some(Self { number, what, pid, limit })
    }
}

/// An answer without its descriptors: the bytes that were asked for, or the number of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) number: u64,
    pub(super) result: Result<Vec<u8>, i32>,
}

impl Answer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.number.to_le_bytes().to_vec();
        bytes.extend(self.result.as_ref().err().copied().unwrap_or_default().to_le_bytes());
        bytes.extend(self.result.as_deref().unwrap_or_default());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (number, error) = (u64_at(bytes, 0)?, i32::from_le_bytes(*bytes.get(8..)?.first_chunk()?));
        let result = if error == 0 { Ok(bytes.get(12..)?.to_vec()) } else { Err(error) };
        Some(Self { number, result })
    }
}

/// A path, cut at what a path may have.
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_bytes();
    bytes.get(..MAX_PATH).unwrap_or(bytes).to_vec()
}

pub(super) fn path(bytes: &[u8]) -> PathBuf {
    OsString::from_vec(bytes.to_vec()).into()
}

/// The path and the text of `stat`.
pub(super) fn opened_bytes(link: &Path, stat: &str) -> Vec<u8> {
    let link = path_bytes(link);
    let mut bytes = u32::try_from(link.len()).unwrap_or_default().to_le_bytes().to_vec();
    bytes.extend(link);
    bytes.extend(stat.bytes().take(MAX_STAT));
    bytes
}

pub(super) fn opened(bytes: &[u8]) -> Option<(PathBuf, String)> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let (link, stat) = bytes.get(4..)?.split_at_checked(length)?;
    Some((path(link), String::from_utf8_lossy(stat).into_owned()))
}

/// The counts in the order of `FileType::ALL`, and whether there were more.
pub(super) fn types_bytes(types: &FileTypes) -> Vec<u8> {
    let counts = types.counts().flat_map(|(_, count)| count.to_le_bytes());
    counts.chain([u8::from(types.cut)]).collect()
}

pub(super) fn types(bytes: &[u8]) -> Option<FileTypes> {
    let (counts, rest) = bytes.as_chunks::<8>();
    let counts: Vec<u64> = counts.iter().map(|count| u64::from_le_bytes(*count)).collect();
    Some(FileTypes::from_counts(counts.try_into().ok()?, *rest.first()? != 0))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}
