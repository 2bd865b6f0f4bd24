//! The messages: fixed layouts in little-endian order, each in one packet.

/// Most places of one link. Nine functions are probed in all.
pub(crate) const MAX_PLACES: usize = 64;
/// Most descriptors of a request: the programs.
pub(super) const MAX_DESCRIPTORS: usize = 8;

/// Bytes of a request before its places, and of a place.
const HEAD: usize = 32;
const PLACE: usize = 16;
/// Most bytes of a request.
pub(super) const MAX_REQUEST: usize = HEAD + MAX_PLACES * PLACE;
/// Bytes of an answer.
pub(super) const ANSWER: usize = 12;

/// A request, without its descriptors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Told again in the answer. That of a request to place is what the link is called from then on.
    pub(super) number: u64,
    pub(super) what: What,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// To take the programs that come as descriptors. Once, before all else.
    Programs,
    /// To place breakpoints in the executable that comes as the one descriptor.
    Place(Order),
    /// To remove those of a link, and to answer when they are gone.
    Remove {
        /// The number of the request that placed them.
        link: u64,
    },
}

/// Breakpoints to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Which of the programs is to run.
    pub(crate) program: u32,
    /// In this process alone.
    pub(crate) pid: u32,
    /// Offset in the file, and cookie.
    pub(crate) places: Vec<(u64, u64)>,
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        let none = (0, 0, 0, &[][..]);
        let (what, (program, link, pid, places)) = match &self.what {
            What::Programs => (0_u32, none),
            What::Place(order) => (1, (order.program, 0, order.pid, order.places.as_slice())),
            What::Remove { link } => (2, (0, *link, 0, &[][..])),
        };
        let mut bytes = self.number.to_le_bytes().to_vec();
        bytes.extend(what.to_le_bytes());
        bytes.extend(program.to_le_bytes());
        bytes.extend(link.to_le_bytes());
        bytes.extend(pid.to_le_bytes());
        bytes.extend(u32::try_from(places.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(places.iter().flat_map(|(offset, cookie)| [offset.to_le_bytes(), cookie.to_le_bytes()]).flatten());
        bytes
    }

    /// `None` for everything that [`Self::encode`] does not make.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (number, what, program) = (u64_at(head, 0)?, u32_at(head, 8)?, u32_at(head, 12)?);
        let (link, pid, count) = (u64_at(head, 16)?, u32_at(head, 24)?, usize::try_from(u32_at(head, 28)?).ok()?);
        let (words, odd) = rest.as_chunks::<PLACE>();
        if !odd.is_empty() || words.len() != count || count > MAX_PLACES {
            return None;
        }
        let what = match (what, program, link, pid, count) {
            (0, 0, 0, 0, 0) => What::Programs,
            (1, program, 0, pid, 1..) => {
                let places = words.iter().filter_map(|word| Some((u64_at(word, 0)?, u64_at(word, 8)?))).collect();
                What::Place(Order { program, pid, places })
            }
            (2, 0, link, 0, 0) => What::Remove { link },
            _ => return None,
        };
        Some(Self { number, what })
    }
}

/// An answer: done, or the number of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) number: u64,
    pub(super) result: Result<(), i32>,
}

impl Answer {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = self.number.to_le_bytes().to_vec();
        bytes.extend(self.result.err().unwrap_or_default().to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (number, error) = (u64_at(bytes, 0)?, i32::from_le_bytes(*bytes.get(8..)?.first_chunk()?));
        let result = if error == 0 { Ok(()) } else { Err(error) };
        (bytes.len() == ANSWER).then_some(Self { number, result })
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}
