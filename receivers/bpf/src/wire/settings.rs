//! What the programs are told of a target.

use super::TARGET_WORDS;

/// What the programs know of a target, and what is wanted of it. Offsets in bytes, of its Go version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Its process id as this process sees it.
    pub pid: u32,
    /// Of the hits of `deferreturn` one in `sample_mask + 1` is looked into; one less than a power of two.
    pub sample_mask: u32,
    /// Most records of one frame that are walked.
    pub max_records: u32,
    /// Most records of panics per site and second.
    pub records_per_second: u32,
    /// Number of hits of `deferreturn` on one CPU in one epoch at which [`Event::Over`](super::Event::Over) is sent.
    pub return_limit: u64,
    /// The same for `gopanic`.
    pub raise_limit: u64,
    /// Another number begins another epoch.
    pub epoch: u64,
    /// Nanoseconds on one CPU in one epoch after which no frame is looked into any more; hits are counted on.
    pub walk_limit: u64,
    /// Where fields are.
    pub offsets: Offsets,
}

/// Offsets of fields of the runtime's structures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    /// `g.goid`.
    pub g_goid: u32,
    /// `g.sigcode0`, where Go 1.21 keeps the frame that it recovers to; 0 in others.
    pub g_sigcode0: u32,
    /// `_defer.link`.
    pub defer_link: u32,
    /// `_defer.rangefunc`; 0 where there is none.
    pub defer_rangefunc: u32,
    /// `_panic.arg`.
    pub panic_arg: u32,
    /// `_panic.sp`; 0 in Go 1.21.
    pub panic_sp: u32,
    /// `_panic.retpc`; 0 in Go 1.21.
    pub panic_retpc: u32,
    /// `_panic.recovered`.
    pub panic_recovered: u32,
    /// `m.curg`.
    pub m_curg: u32,
}

impl Settings {
    pub(crate) fn encode(&self) -> [u32; TARGET_WORDS] {
        let halves = |word: u64| [u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0), u32::try_from(word >> 32).unwrap_or(0)];
        let [return_low, return_high] = halves(self.return_limit);
        let [raise_low, raise_high] = halves(self.raise_limit);
        let [epoch_low, epoch_high] = halves(self.epoch);
        let [walk_low, walk_high] = halves(self.walk_limit);
        let of = &self.offsets;
        [
            self.pid,
            self.sample_mask,
            self.max_records,
            self.records_per_second,
            return_low,
            return_high,
            raise_low,
            raise_high,
            epoch_low,
            epoch_high,
            walk_low,
            walk_high,
            of.g_goid,
            of.g_sigcode0,
            of.defer_link,
            of.defer_rangefunc,
            of.panic_arg,
            of.panic_sp,
            of.panic_retpc,
            of.panic_recovered,
            of.m_curg,
            0,
        ]
    }
}
