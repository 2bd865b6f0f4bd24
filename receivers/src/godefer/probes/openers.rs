//! Which places opened the files that are open.

use std::collections::BTreeMap;

use deferd_bpf::OpenFile;
use deferd_goproc::image::{Image, Location, is_standard_library, package_of};

use super::figures::OpenSite;
use super::remembered::Remembered;

/// Places that are told one by one; a program has few that leak.
const MOST_TOLD: usize = 20;

/// The source lines of those who open files.
#[derive(Debug, Default)]
pub(super) struct Openers {
    places: Remembered<[u64; 10], (String, String, u32)>,
}

impl Openers {
    /// The open files by the place that opened them, most first.
    pub(super) fn sites(&mut self, files: &[OpenFile], image: &Image, bias: u64) -> Vec<OpenSite> {
        let mut counts: BTreeMap<(String, String, u32), u64> = BTreeMap::new();
        for file in files {
            *counts.entry(self.place(&file.callers, image, bias)).or_default() += 1;
        }
        let site = |((function, file, line), open)| OpenSite { function, file, line, open };
        let mut sites: Vec<OpenSite> = counts.into_iter().map(site).collect();
        sites.sort_by_key(|site| std::cmp::Reverse(site.open));
        sites.truncate(MOST_TOLD);
        sites
    }

    fn place(&mut self, callers: &[u64; 10], image: &Image, bias: u64) -> (String, String, u32) {
        let find_out = || {
            let linked: Vec<u64> = callers.iter().filter(|pc| **pc != 0).map(|pc| pc.wrapping_sub(bias)).collect();
            opener(&image.stack(&linked))
        };
        self.places.of(*callers, find_out)
    }
}

/// The innermost frame outside of the standard library, which opens files on behalf of others; else the outermost that is known.
fn opener(frames: &[Location]) -> (String, String, u32) {
    let own = frames.iter().find(|frame| !is_standard_library(&package_of(&frame.function)));
    match own.or(frames.last()) {
        Some(frame) => (frame.function.clone(), frame.file.clone(), frame.line),
        None => ("unknown".to_owned(), String::new(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, line: u32) -> Location {
        Location { function: function.to_owned(), file: "x.go".to_owned(), line }
    }

    #[test]
    fn a_file_was_opened_by_whoever_called_the_library() {
        let frames = [frame("os.OpenFile", 1), frame("os.Open", 2), frame("main.load", 3), frame("main.main", 4)];
        assert_eq!(opener(&frames).2, 3);
        assert_eq!(opener(&frames[..2]).2, 2, "without one, the outermost that is known");
        assert_eq!(opener(&[]).0, "unknown");
    }
}
