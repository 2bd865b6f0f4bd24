//! The runtime's own figures: three reads of fixed places.

use std::time::{Duration, SystemTime};

use super::code::Code;
use super::goroutine::{u32_at, u64_at};
use super::program::Program;
use crate::layout::GcController;
use crate::memory::{Extent, Memory, MemoryError, Pages};
use crate::snapshot::RuntimeFigures;

/// Reads memory and collector figures. A variable that was not found, or cannot be read, gives `None`.
pub(super) fn read_figures<C: Code, M: Memory>(
    program: &Program<C>,
    pages: &mut Pages<'_, M>,
) -> Result<RuntimeFigures, MemoryError> {
    let layout = program.layout().memstats;
    let globals = program.globals();
    let mut figures = RuntimeFigures::default();
    if let Some(memstats) = globals.memstats {
        let base = program.at(memstats);
        let mut bytes = [0; 20];
        let extents = [
            Extent { address: base.wrapping_add(layout.last_gc_unix), length: 16 },
            Extent { address: base.wrapping_add(layout.num_gc), length: 4 },
        ];
        if pages.read_fresh(&extents, &mut bytes)? == bytes.len() {
            figures.last_gc = unix_time(u64_at(&bytes, 0));
            figures.gc_pause_total = Some(Duration::from_nanos(u64_at(&bytes, 8)));
            figures.gc_cycles = Some(u64::from(u32_at(&bytes, 16)));
        }
    }
    if let Some(controller) = globals.gc_controller {
        let base = program.at(controller);
        let mut bytes = [0; 32];
        let extents = [
            Extent { address: base.wrapping_add(GcController::HEAP_GOAL), length: 8 },
            Extent { address: base.wrapping_add(GcController::HEAP_LIVE), length: 8 },
            Extent { address: base.wrapping_add(GcController::TOTAL_ALLOC), length: 16 },
        ];
        if pages.read_fresh(&extents, &mut bytes)? == bytes.len() {
            // All ones: GOGC=off, there is no goal.
            figures.heap_goal = Some(u64_at(&bytes, 0)).filter(|goal| *goal != u64::MAX);
            figures.heap_live = Some(u64_at(&bytes, 8));
            figures.allocated_total = Some(u64_at(&bytes, 16));
            figures.freed_total = Some(u64_at(&bytes, 24));
        }
    }
    Ok(figures)
}

/// Nanoseconds since 1970 as a time; `None` for 0, which stands for never.
fn unix_time(nanoseconds: u64) -> Option<SystemTime> {
    (nanoseconds != 0).then(|| SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))).flatten()
}
