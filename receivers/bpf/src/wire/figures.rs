//! What the programs count.

use super::{BUCKETS, FILE_WORDS, PANIC_KEY_WORDS, SITE_WORDS, USAGE_WORDS, high};

/// A structure of counters that stand one after the other in the words of a map. One list, because a counter that were added in
/// one place and not in another would shift all behind it.
macro_rules! counters {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $counter:ident,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$meaning])* pub $counter: u64,)*
        }

        impl $name {
            /// From the words of a map; what follows the counters is not ours.
            fn from_words(words: impl IntoIterator<Item = u64>) -> Self {
                let mut words = words.into_iter();
                Self { $($counter: words.next().unwrap_or_default(),)* }
            }

            /// What was added since an earlier reading.
            #[must_use]
            pub fn since(&self, earlier: &Self) -> Self {
                Self { $($counter: self.$counter.saturating_sub(earlier.$counter),)* }
            }
        }
    };
}

counters! {
    /// What was seen of a target since its slot was taken.
    Usage {
        /// Hits of `deferreturn`.
        returns,
        /// Of them, looked into.
        sampled,
        /// Records found in those.
        records,
        /// Sum of the squares of the numbers of records per frame.
        records_squared,
        /// Frames with more records than were walked, or than could be read.
        cut,
        /// Time spent looking, in nanoseconds.
        walk_nanoseconds,
        /// Hits of `gopanic`.
        raises,
        /// Hits of `recovery`.
        recoveries,
        /// Hits of the other probes for panics.
        others,
        /// Hits of `os.newFile`.
        opens,
        /// Hits of `os.(*file).close`.
        closes,
        /// Samples of the timer.
        ticks,
        /// Records that found the ring buffer full.
        lost,
        /// Ends of panics whose beginning is not known.
        unpaired,
        /// Panics whose place found the table full.
        uncounted,
        /// Time spent on panics, in nanoseconds, without the breakpoints themselves.
        panic_nanoseconds,
    }
}

impl Usage {
    /// Hits of the probes for panics.
    pub fn panic_hits(&self) -> u64 {
        self.raises + self.recoveries + self.others
    }

    pub(crate) fn sum<'a>(cpus: impl Iterator<Item = &'a [u64; USAGE_WORDS]>) -> Self {
        let mut total = [0_u64; USAGE_WORDS];
        for cpu in cpus {
            for (total, part) in total.iter_mut().zip(cpu) {
                *total = total.wrapping_add(*part);
            }
        }
        Self::from_words(total)
    }
}

/// What was found at one site in the frames that were looked into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Site {
    /// Return address of the registering call; 0: all sites of a frame past its first four.
    pub pc: u64,
    /// Frames with records of the site.
    pub frames: u64,
    /// The records.
    pub records: u64,
    /// Sum of the squares of the numbers of records per frame.
    pub records_squared: u64,
    /// Frames with up to 1, 2, 4, ... records, each frame in one class.
    pub by_length: [u64; BUCKETS],
}

impl Site {
    /// What was added since an earlier reading of the same site.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut by_length = self.by_length;
        for (now, then) in by_length.iter_mut().zip(&earlier.by_length) {
            *now = now.saturating_sub(*then);
        }
        Self {
            pc: self.pc,
            frames: self.frames.saturating_sub(earlier.frames),
            records: self.records.saturating_sub(earlier.records),
            records_squared: self.records_squared.saturating_sub(earlier.records_squared),
            by_length,
        }
    }

    pub(crate) fn decode(pc: u64, words: &[u64; SITE_WORDS]) -> Self {
        let [frames, records, records_squared, by_length @ ..] = *words;
        Self { pc, frames, records, records_squared, by_length }
    }
}

/// How a panic goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// It begins.
    Raised,
    /// A deferred call recovered it.
    Recovered,
    /// Another panic took its place.
    Replaced,
    /// Nobody recovered it: the program ends.
    Fatal,
    /// No panic: `runtime.Goexit`.
    Goexit,
    /// No panic: the runtime gives up, with a text.
    Throw,
}

impl Stage {
    const ALL: [Self; 6] = [Self::Raised, Self::Recovered, Self::Replaced, Self::Fatal, Self::Goexit, Self::Throw];

    pub(super) fn decode(number: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// How often something happened to panics of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanicCount {
    /// What.
    pub stage: Stage,
    /// The innermost return addresses of the raise; 0 past the last.
    pub raised_at: [u64; 4],
    /// Where the program went on, of [`Stage::Recovered`].
    pub resumes_at: u64,
    /// How often, since the slot was taken.
    pub count: u64,
}

impl PanicCount {
    pub(crate) fn decode(key: &[u64; PANIC_KEY_WORDS], count: u64) -> Option<Self> {
        let [slot_and_stage, raised_at @ .., resumes_at] = *key;
        Some(Self { stage: Stage::decode(high(slot_and_stage))?, raised_at, resumes_at, count })
    }
}

/// An open file and who opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFile {
    /// Its number.
    pub descriptor: u32,
    /// The return addresses of the callers of `os.newFile`, innermost first; 0 past the last.
    pub callers: [u64; FILE_WORDS],
}

impl OpenFile {
    pub(crate) fn decode(key: u64, words: &[u64; FILE_WORDS]) -> Self {
        Self { descriptor: high(key), callers: *words }
    }
}
