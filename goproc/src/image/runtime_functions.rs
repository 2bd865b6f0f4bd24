//! Entries of the runtime functions that mean something to us.

use super::functions::FunctionTable;

/// Found in one pass over the function table, so every name that is asked for
/// must be in this list.
const NAMES: [&str; 17] = [
    "runtime.deferproc",
    "runtime.deferprocStack",
    "runtime.deferprocat",
    "runtime.deferrangefunc",
    "runtime.allgadd",
    "runtime.goschedImpl",
    "runtime.schedEnableUser",
    "runtime.lock2",
    "runtime.gcStart",
    "runtime.gcMarkDone",
    "runtime.(*mcache).releaseAll",
    "runtime.(*mcache).allocLarge",
    "runtime.(*mcache).refill",
    "runtime.(*gcControllerState).startCycle",
    "runtime.(*gcControllerState).endCycle",
    "runtime.(*gcControllerState).update",
    "runtime.(*consistentHeapStats).acquire",
];

/// Their link-time addresses.
pub(super) struct RuntimeFunctions {
    entries: Vec<Option<u64>>,
}

impl RuntimeFunctions {
    pub(super) fn find(functions: &FunctionTable) -> Self {
        let entries = functions.entries(&NAMES);
        Self { entries }
    }

    /// `None` when the linker dropped the function because nothing calls it.
    pub(super) fn entry(&self, name: &str) -> Option<u64> {
        let index = NAMES.iter().position(|known| *known == name)?;
        self.entries.get(index).copied().flatten()
    }
}
