//! Knowing when the breakpoint of a window is gone.
//!
//! The kernel answers the order to remove breakpoints after some ten milliseconds of waiting for readers; the breakpoints
//! themselves are gone earlier, and until then they cost. A keeper waits for that answer, so that this thread can look.

use std::time::{Duration, Instant};

use deferd_bpf::Link;
use deferd_goproc::memory::{AnyMemory, Extent, Memory};

/// The breakpoint instruction.
const INT3: u8 = 0xcc;
/// Between two looks at the byte.
const LOOK: Duration = Duration::from_micros(500);
/// After this it is somebody else's turn, whatever the byte says.
const LONGEST: Duration = Duration::from_millis(200);

/// Removes breakpoints and waits until the byte at `address` is what it was, or the kernel says so.
pub(super) fn remove_and_wait(link: Link, memory: &AnyMemory, address: u64) {
    let removal = link.remove();
    let begin = Instant::now();
    while !removal.is_done() && begin.elapsed() < LONGEST {
        let mut byte = [0];
        let read = memory.read(&[Extent { address, length: 1 }], &mut byte);
        if read == Ok(1) && byte != [INT3] {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "between looks at a condition with a deadline")]
        std::thread::sleep(LOOK);
    }
}
