//! What the sites of registrations are called.

use deferd_goproc::image::{DeferCall, Image};

use super::remembered::Remembered;

/// Function, file and line of a `defer` statement, and its kind.
type Named = ((String, String, u32), &'static str);

/// The names of sites that were asked for.
#[derive(Debug, Default)]
pub(super) struct SiteNames {
    known: Remembered<u64, Named>,
}

impl SiteNames {
    /// The site whose registering call returns to `linked`, a link-time address. `pc` is 0 for all sites that were not counted one
    /// by one.
    pub(super) fn of(&mut self, image: &Image, linked: u64, pc: u64) -> Named {
        if pc == 0 {
            return (("other".to_owned(), String::new(), 0), "");
        }
        self.known.of(linked, || named(image, linked))
    }
}

fn named(image: &Image, linked: u64) -> Named {
    let kind = match image.defer_call_before(linked) {
        Some(DeferCall::Deferproc) => "heap",
        Some(DeferCall::DeferprocStack) => "stack",
        Some(DeferCall::Deferprocat | DeferCall::Deferrangefunc) => "rangefunc",
        None => "",
    };
    // A return address stands after the call; the line is that of the call.
    let site = image.location(linked.wrapping_sub(1));
    (site.map_or_else(|| ("unknown".to_owned(), String::new(), 0), |site| (site.function, site.file, site.line)), kind)
}
