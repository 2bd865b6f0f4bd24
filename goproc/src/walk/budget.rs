//! How much one look may cost, whatever the memory says.

use crate::snapshot::SnapshotOptions;

/// What is left of the limits of one look. A chain that is met with nothing left is doubted, and counted so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    records: u64,
    reads: u64,
}

impl Budget {
    pub(super) fn new(options: &SnapshotOptions) -> Self {
        Self { records: options.max_records, reads: options.max_reads }
    }

    /// Counts a record; `false` when there was none left.
    pub(super) fn take_record(&mut self) -> bool {
        let left = self.records.checked_sub(1);
        self.records = left.unwrap_or(0);
        left.is_some()
    }

    /// Compares with the reads made since the look began; past the limit, no record is left either.
    pub(super) fn check_reads(&mut self, made: u64) {
        if made >= self.reads {
            self.records = 0;
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.records == 0
    }
}
