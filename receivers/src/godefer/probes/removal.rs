//! Removing breakpoints without waiting for it, and knowing when they are gone.
//!
//! The kernel answers the order to remove breakpoints after some ten milliseconds of waiting for readers; the breakpoints
//! themselves are gone earlier, and until then they cost. A thread of its own waits, so that this one can look.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use deferd_bpf::Link;
use deferd_goproc::memory::{AnyMemory, Extent, Memory};

/// The breakpoint instruction.
const INT3: u8 = 0xcc;
/// Between two looks at the byte.
const LOOK: Duration = Duration::from_micros(500);
/// After this it is somebody else's turn, whatever the byte says.
const LONGEST: Duration = Duration::from_millis(200);

/// The thread that waits.
#[derive(Debug)]
pub(super) struct Remover {
    links: Option<Sender<Link>>,
    removed: Arc<AtomicU64>,
    ordered: u64,
    thread: Option<JoinHandle<()>>,
}

impl Remover {
    pub(super) fn start() -> std::io::Result<Self> {
        let (links, received) = channel::<Link>();
        let removed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&removed);
        let thread = std::thread::Builder::new().name("deferd-removal".to_owned()).spawn(move || {
            for link in received {
                drop(link);
                count.fetch_add(1, Ordering::Release);
            }
        })?;
        Ok(Self { links: Some(links), removed, ordered: 0, thread: Some(thread) })
    }

    /// Removes the breakpoints, without waiting.
    pub(super) fn remove(&mut self, link: Link) {
        if let Some(links) = &self.links {
            self.ordered += 1;
            // If the thread were gone the link would come back and be dropped here.
            drop(links.send(link));
        }
    }

    /// Removes them and waits until the byte at `address` is what it was, or the kernel says so.
    pub(super) fn remove_and_wait(&mut self, link: Link, memory: &AnyMemory, address: u64) {
        self.remove(link);
        let begin = Instant::now();
        while self.removed.load(Ordering::Acquire) < self.ordered && begin.elapsed() < LONGEST {
            let mut byte = [0];
            let read = memory.read(&[Extent { address, length: 1 }], &mut byte);
            if read == Ok(1) && byte != [INT3] {
                return;
            }
            #[expect(clippy::disallowed_methods, reason = "between looks at a condition with a deadline")]
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Remover {
    fn drop(&mut self) {
        self.links = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
