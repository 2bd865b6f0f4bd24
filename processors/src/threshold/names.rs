//! Names of rules as numbers, so that what is kept for a series is small and survives a reload.

use std::collections::HashMap;

use parking_lot::Mutex;

/// A rule's name. The same name has the same number for as long as the state lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NameId(u32);

/// All names seen so far. Bounded by what configurations name.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<String, NameId>>);

impl Names {
    /// The number of a name.
    pub(super) fn id(&self, name: &str) -> NameId {
        let mut names = self.0.lock();
        if let Some(id) = names.get(name) {
            return *id;
        }
        let id = NameId(u32::try_from(names.len()).unwrap_or(u32::MAX));
        names.insert(name.to_owned(), id);
        id
    }
}
