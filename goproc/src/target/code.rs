//! The code of an [`Image`] as the walker asks about it.

use std::ops::Range;
use std::sync::Arc;

use crate::image::{self, Image};
use crate::snapshot::DeferKind;
use crate::walk::{AllgPair, Code, DeferCall, Globals, Location, OpenCoded};

/// An image shared by the processes that run it.
#[derive(Debug, Clone)]
pub(super) struct ImageCode(pub(super) Arc<Image>);

impl ImageCode {
    /// The runtime's variables.
    pub(super) fn globals(&self) -> Globals {
        let globals = self.0.globals();
        let pair = globals.allglen.zip(globals.allgptr);
        Globals {
            allg: pair.map(|(length, pointer)| AllgPair { length, pointer }),
            allgs: Some(globals.allgs),
            sched: globals.sched,
            memstats: globals.memstats,
            gc_controller: globals.gc_controller,
        }
    }
}

impl Code for ImageCode {
    fn text(&self) -> Range<u64> {
        self.0.text()
    }

    fn mapped(&self) -> Range<u64> {
        self.0.loaded()
    }

    fn defer_call_before(&self, return_pc: u64) -> Option<DeferCall> {
        match self.0.defer_call_before(return_pc) {
            Some(image::DeferCall::Deferproc) => Some(DeferCall::Heap),
            Some(image::DeferCall::DeferprocStack) => Some(DeferCall::Stack),
            Some(image::DeferCall::Deferrangefunc) => Some(DeferCall::RangeFunc),
            // Its records keep no pc of their own, so that a pc behind this call is not one of a record.
            Some(image::DeferCall::Deferprocat) => None,
            None => self.is_range_pc_at_deferreturn(return_pc).then_some(DeferCall::RangeFunc),
        }
    }

    fn is_function_entry(&self, pc: u64) -> bool {
        self.0.is_function_entry(pc)
    }

    fn is_system_goroutine(&self, start_pc: u64) -> bool {
        self.0.is_system_goroutine(start_pc)
    }

    fn open_coded(&self, pc: u64) -> Option<OpenCoded> {
        let found = self.0.open_coded(pc)?;
        let mut slots = [None; OpenCoded::MAX];
        for (index, slot) in (0_u32..).zip(&mut slots) {
            *slot = found.slot_offset(index).map(u64::from);
        }
        Some(OpenCoded { bits: u64::from(found.bits_offset()), slots, statements: self.0.open_coded_statements(pc) })
    }

    fn location(&self, kind: DeferKind, pc: u64, closure: u64) -> Location {
        match kind {
            // A return address stands after the call; the line is that of the call.
            DeferKind::Heap | DeferKind::Stack => self.place(pc.wrapping_sub(1)),
            DeferKind::OpenCoded if self.0.open_coded_statements(pc).contains(&Some(pc)) => self.place(pc),
            DeferKind::RangeFunc | DeferKind::OpenCoded => self.within(pc.wrapping_sub(1), closure),
        }
    }

    fn callee(&self, entry: u64) -> String {
        self.0.callee(entry).map(|callee| callee.name).unwrap_or_default()
    }
}

impl ImageCode {
    /// Go 1.23 and 1.24 write into the record of a range-over-func loop where the function calls `deferreturn`.
    fn is_range_pc_at_deferreturn(&self, pc: u64) -> bool {
        (22..=24).contains(&self.0.version().minor()) && self.0.is_deferreturn_pc(pc)
    }

    /// The statement in the function around `pc` that defers the closure with code at `closure`, when no call says
    /// where it is. A closure made for the statement (a wrapper, a function literal) begins on its line. For a
    /// function declared elsewhere the program does not tell; the line is then that of the deferring function.
    fn within(&self, pc: u64, closure: u64) -> Location {
        let Some(frame) = self.0.function_at(pc) else {
            return Location::default();
        };
        let mut location = self.place(frame.entry);
        location.line = frame.start_line;
        if let Some(function) = self.0.function_at(closure)
            && let Some(inner) = function.name.strip_prefix(&frame.name)
            // main.f.func1, main.f.deferwrap1; main.f-range1 is the body of a loop over a function.
            && inner.starts_with(['.', '-'])
        {
            let place = self.place(closure);
            location.line = if function.is_wrapper { place.line } else { function.start_line };
            location.file = place.file;
        }
        location.function = frame.name;
        location
    }

    fn place(&self, pc: u64) -> Location {
        let place = self.0.location(pc);
        place.map(|place| Location { function: place.function, file: place.file, line: place.line }).unwrap_or_default()
    }
}
