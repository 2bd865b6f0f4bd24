//! What the sites of registrations are called.

use std::collections::HashMap;

use deferd_goproc::image::{DeferCall, Image};

/// Sites that are remembered.
const MOST_SITES: usize = 4096;

/// Function, file and line of a `defer` statement, and its kind.
type Named = ((String, String, u32), &'static str);

/// The names of sites that were asked for.
#[derive(Debug, Default)]
pub(super) struct SiteNames {
    known: HashMap<u64, Named>,
}

impl SiteNames {
    /// The site whose registering call returns to `linked`, a link-time address. `pc` is 0 for all sites that were not counted one
    /// by one.
    pub(super) fn of(&mut self, image: &Image, linked: u64, pc: u64) -> Named {
        if pc == 0 {
            return (("other".to_owned(), String::new(), 0), "");
        }
        if let Some(known) = self.known.get(&linked) {
            return known.clone();
        }
        let kind = match image.defer_call_before(linked) {
            Some(DeferCall::Deferproc) => "heap",
            Some(DeferCall::DeferprocStack) => "stack",
            Some(DeferCall::Deferprocat | DeferCall::Deferrangefunc) => "rangefunc",
            None => "",
        };
        // A return address stands after the call; the line is that of the call.
        let site = image.location(linked.wrapping_sub(1));
        let site = site.map_or_else(|| ("unknown".to_owned(), String::new(), 0), |site| (site.function, site.file, site.line));
        if self.known.len() >= MOST_SITES {
            self.known.clear();
        }
        self.known.insert(linked, (site.clone(), kind));
        (site, kind)
    }
}
