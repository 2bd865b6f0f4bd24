//! The open files of one process: how many, of what types, and whether they grow.
//!
//! The total is one cheap question to the kernel, so it is asked once a second, whatever the interval of looks: a leak is to be
//! recognised within half a minute. The types cost a system call or two per descriptor and come with a look.

mod growth;

use std::time::{Duration, Instant};

use deferd_goproc::target::{FileCount, FileType, FileTypes, Target};

use growth::Growth;

/// Time between two counts.
const COUNTED_EVERY: Duration = Duration::from_secs(1);
/// The same where the kernel does not know the number and every descriptor has to be listed.
const LISTED_EVERY: Duration = Duration::from_secs(5);
/// Up to so many, the types are read at every look: some milliseconds.
const FEW: u64 = 1000;
/// More are read at most so often, unless their number has changed by a tenth.
const TYPES_EVERY: Duration = Duration::from_mins(1);
/// Descriptors whose type is read: 80 ms at most. The others are shown under the type `unread`.
const MAX_TYPES: u64 = 20_000;
/// The type of those that were not looked at.
const UNREAD: &str = "unread";

/// What is known about the files of a process.
#[derive(Debug, Default)]
pub(super) struct Files {
    growth: Growth,
    last: Option<(Instant, FileCount)>,
    /// When the types were read, and how many files there were.
    types_of: Option<(Instant, u64)>,
    /// As last read; a type that was there once stays, with 0.
    types: Vec<(&'static str, u64)>,
}

/// What a look reports.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FileFigures {
    /// `None` where that may not be known.
    pub(super) total: Option<u64>,
    /// By type; empty where that may not be known.
    pub(super) by_type: Vec<(&'static str, u64)>,
    /// Per second, over the last minute.
    pub(super) growth: Option<f64>,
}

impl Files {
    /// When the next count is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.last.map(|(at, count)| at + if count.listed { LISTED_EVERY } else { COUNTED_EVERY })
    }

    /// Counts, at a look or between two.
    pub(super) fn count(&mut self, target: &Target, now: Instant) {
        match target.open_files() {
            Some(count) => {
                self.growth.push(now, count.total);
                self.last = Some((now, count));
            }
            // It may not be known, or not any more: asked again at the next look.
            None => self.last = None,
        }
    }

    /// Whether they grow now, so that it is worth finding out where they are opened.
    pub(super) fn is_growing(&self) -> bool {
        self.growth.is_growing()
    }

    /// Counts and reads the types, if that is due.
    pub(super) fn look(&mut self, target: &Target, now: Instant) -> FileFigures {
        self.count(target, now);
        let Some((_, FileCount { total, .. })) = self.last else {
            return FileFigures::default();
        };
        if types_are_due(total, self.types_of, now) {
            match target.file_types(MAX_TYPES) {
                Some(types) => self.keep(&types, total),
                None => self.types.clear(),
            }
            self.types_of = Some((now, total));
        }
        FileFigures { total: Some(total), by_type: self.types.clone(), growth: self.growth.rate() }
    }

    fn keep(&mut self, types: &FileTypes, total: u64) {
        let unread = if types.cut { total.saturating_sub(types.total()) } else { 0 };
        let found = types.counts().map(|(kind, count): (FileType, u64)| (kind.name(), count)).chain([(UNREAD, unread)]);
        let known = |name: &str| self.types.iter().any(|(known, _)| *known == name);
        self.types = found.filter(|(name, count)| *count > 0 || known(name)).collect();
    }
}

/// Whether the types of so many files are to be read again, which were last read at a time and of a number.
fn types_are_due(total: u64, last: Option<(Instant, u64)>, now: Instant) -> bool {
    let Some((at, then)) = last.filter(|_| total > FEW) else { return true };
    now.saturating_duration_since(at) >= TYPES_EVERY || total.abs_diff(then) > then / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_of_many_files_are_read_once_a_minute_or_when_their_number_changes() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let due = |total, then, seconds| types_are_due(total, Some((start, then)), start + second * seconds);
        assert!(types_are_due(5000, None, start) && due(FEW, FEW, 1));
        assert!(!due(5000, 5000, 59) && due(5000, 5000, 60));
        assert!(!due(5500, 5000, 1) && due(5501, 5000, 1) && due(4499, 5000, 1));
    }

    #[test]
    fn a_type_that_was_there_once_stays_with_zero() {
        let mut files = Files { types: vec![("socket", 3), ("device", 1)], ..Files::default() };
        files.keep(&FileTypes::default(), 4);
        assert_eq!(files.types, [("socket", 0), ("device", 0)]);
    }

    #[test]
    fn what_was_not_looked_at_has_a_type_of_its_own() {
        let mut files = Files::default();
        let mut types = FileTypes::default();
        types.cut = true;
        files.keep(&types, 25_000);
        assert_eq!(files.types, [(UNREAD, 25_000)]);
    }

    #[test]
    fn nothing_is_counted_between_looks_where_the_number_may_not_be_known() {
        let mut files = Files::default();
        assert_eq!((files.due(), files.is_growing()), (None, false));
        let now = Instant::now();
        for (listed, every) in [(false, COUNTED_EVERY), (true, LISTED_EVERY)] {
            files.last = Some((now, FileCount { total: 3, listed }));
            assert_eq!(files.due(), Some(now + every));
        }
    }
}
