//! A process that holds breakpoints, to be killed.

use std::io::{Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Places;
use crate::Failure;

/// The line by which it says that breakpoints stand.
pub(crate) const PLACED: &str = "placed";

/// Places all breakpoints in process `pid` and says so to `told`. Holds them until standard input closes; or, if it is `restless`,
/// removes and places them all the time.
pub fn hold(pid: u32, restless: bool, told: &mut impl Write) -> Result<(), Failure> {
    let mut probes = super::load()??;
    let places = Places::of(pid)?;
    probes.set_target(0, places.settings())?;
    let over = AtomicBool::new(false);
    let mut links = places.place(&probes, 0)?;
    writeln!(told, "{PLACED}")?;
    told.flush()?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Nothing is ever written there.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            over.store(true, Ordering::Relaxed);
        });
        while restless && !over.load(Ordering::Relaxed) {
            drop(std::mem::take(&mut links));
            links = places.place(&probes, 0)?;
            while probes.events().next_event().is_some() {}
        }
        Ok(())
    })
}
