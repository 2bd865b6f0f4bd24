//! What the programs tell at once.

use super::{Role, Stage};

const FRAMES: usize = 40;
const DATA: usize = 64;
const TEXT: usize = 256;
const TEXTS: usize = 3;

/// Something the programs tell at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The breakpoint in this process was hit.
    SelfTest {
        /// Slot of its cookie.
        slot: u32,
        /// Process id in the outermost namespace.
        pid: u32,
        /// How deep this process's pid namespace is; 0 is the outermost.
        level: u32,
    },
    /// A limit of hits was reached.
    Over {
        /// Of which target.
        slot: u32,
        /// Cookie role of the breakpoint.
        is_panic: bool,
    },
    /// A panic, or what became of it.
    Panic(Box<PanicRecord>),
    /// A sample of a target that runs.
    Tick {
        /// Of which target.
        slot: u32,
        /// The instruction; 0 in the kernel.
        pc: u64,
        /// Records of the goroutine that runs, up to 256.
        chain: u32,
    },
}

/// A panic, or what became of it. Addresses are those of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanicRecord {
    /// Of which target.
    pub slot: u32,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// The same for all stages of one panic; 0 if its beginning is not known.
    pub id: u64,
    /// Of the goroutine.
    pub goid: u64,
    /// What happened.
    pub stage: Stage,
    /// The value's two words: its type's address, and where it is (or the value itself, of a pointer).
    pub value: (u64, u64),
    /// Where the program goes on, of [`Stage::Recovered`].
    pub resumes_at: u64,
    /// Bytes at the value's second word, at most 64.
    pub data: Vec<u8>,
    /// Strings of it, and the text of [`Stage::Throw`].
    pub texts: Vec<Text>,
    /// Return addresses of the callers, innermost first.
    pub stack: Vec<u64>,
}

/// A string of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Where it is.
    pub address: u64,
    /// Its whole length in bytes.
    pub length: u64,
    /// Its beginning, at most 256 bytes.
    pub bytes: Vec<u8>,
}

/// Reads numbers off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_ne_bytes(*self.bytes(4)?.first_chunk()?))
    }

    fn words<const N: usize>(&mut self) -> Option<[u64; N]> {
        let mut words = [0; N];
        for word in &mut words {
            *word = self.u64()?;
        }
        Some(words)
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_ne_bytes(*self.bytes(8)?.first_chunk()?))
    }
}

impl Event {
    /// `None` for bytes that are no event.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (kind, slot) = (reader.u32()?, reader.u32()?);
        match kind {
            1 => Some(Self::SelfTest { slot, pid: reader.u32()?, level: reader.u32()? }),
            2 => Some(Self::Over { slot, is_panic: reader.u32()? == Role::Raise as u32 }),
            3 => PanicRecord::decode(slot, &mut reader).map(|record| Self::Panic(Box::new(record))),
            4 => Some(Self::Tick { slot, pc: reader.u64()?, chain: reader.u32()? }),
            _ => None,
        }
    }
}

impl PanicRecord {
    fn decode(slot: u32, reader: &mut Reader<'_>) -> Option<Self> {
        let (time, id, goid) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let (stage, frames) = (Stage::decode(reader.u32()?)?, reader.u32()?);
        let value = (reader.u64()?, reader.u64()?);
        let resumes_at = reader.u64()?;
        let (data_length, count) = (reader.u32()?, reader.u32()?);
        let addresses = reader.words::<TEXTS>()?;
        let lengths = reader.words::<TEXTS>()?;
        let at_most = |number: u32, most: usize| usize::try_from(number).unwrap_or(most).min(most);
        let stack: Option<Vec<u64>> = (0..FRAMES).map(|_| reader.u64()).collect();
        let stack = stack?.into_iter().take(at_most(frames, FRAMES)).collect();
        let data = reader.bytes(DATA)?.iter().copied().take(at_most(data_length, DATA)).collect();
        let mut texts = Vec::new();
        for (address, length) in addresses.into_iter().zip(lengths) {
            let kept = usize::try_from(length).unwrap_or(TEXT).min(TEXT);
            let bytes: Vec<u8> = reader.bytes(TEXT)?.iter().copied().take(kept).collect();
            // A string that could not be read is marked by its first byte.
            let bytes = if bytes.first() == Some(&0) { Vec::new() } else { bytes };
            texts.push(Text { address, length, bytes });
        }
        texts.truncate(at_most(count, TEXTS));
        Some(Self { slot, time, id, goid, stage, value, resumes_at, data, texts, stack })
    }
}
