//! A process that holds breakpoints, to be killed.

use std::io::{Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Places, keep};
use crate::Failure;

/// The line by which it says that breakpoints stand.
pub(crate) const PLACED: &str = "placed";

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Agent {
    /// Place and remove all the time
    #[arg(long)]
    pub restless: bool,
    /// Without a process of its own that holds the breakpoints
    #[arg(long)]
    pub alone: bool,
}

impl Agent {
    /// As it is written.
    pub(crate) fn arguments(self) -> impl Iterator<Item = &'static str> {
        [("--restless", self.restless), ("--alone", self.alone)].into_iter().filter_map(|(name, is)| is.then_some(name))
    }
}

/// Places all breakpoints in process `pid` and says so to `told`. Holds them until standard input closes; or, if it is restless,
/// removes and places them all the time.
pub fn hold(pid: u32, agent: Agent, told: &mut impl Write) -> Result<(), Failure> {
    let mut probes = super::load()??;
    let _keeper = if agent.alone { None } else { Some(keep(&mut probes)?) };
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
        while agent.restless && !over.load(Ordering::Relaxed) {
            drop(std::mem::take(&mut links));
            links = places.place(&probes, 0)?;
            while probes.events().next_event().is_some() {}
        }
        Ok(())
    })
}
