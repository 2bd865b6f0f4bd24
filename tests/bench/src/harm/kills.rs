//! Agents that are killed while their breakpoints stand, and while they are placed or removed.
//!
//! The second can go wrong, and the kernel says so (`uprobe: ... failed to unregister, leaking uprobe`): removing a breakpoint
//! fetches a page of the target on behalf of the agent, which is refused to a task that has been sent SIGKILL and is not yet ending.
//! What is left then is a breakpoint that nobody listens to. Whether the next agent removes it is part of what is measured.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use deferd_bpf::Probes;
use deferd_integration::process::Running;
use deferd_integration::wait;
use rustix::process::Signal;

use super::churn::complaint;
use super::holder::PLACED;
use super::{Bytes, Churn, Places, Spread};
use crate::Failure;

/// How long a breakpoint may outlive its agent.
pub const LIMIT: Duration = Duration::from_secs(1);
/// How long is waited for one that does.
const PATIENCE: Duration = Duration::from_secs(5);
/// Milliseconds for which an agent that places and removes is left to it.
const RESTLESS: std::ops::RangeInclusive<u64> = 0..=100;

/// What became of it.
#[derive(Debug, Clone, Default)]
pub struct Kills {
    /// How many were killed.
    pub kills: u32,
    /// From the signal until the last breakpoint is gone, where they all went.
    pub gone: Spread,
    /// How often some stayed.
    pub left: u32,
    /// How often the next agent, placing and removing its own, removed those that had stayed.
    pub healed: u32,
    /// What went wrong with the target; empty is well.
    pub complaints: Vec<String>,
}

/// Kills so many agents, whose breakpoints stand or, if they are `restless`, are placed and removed all the time. An agent is
/// `holder hold PID`, which runs [`super::hold`]; `probes` are those of the next one.
///
/// # Panics
/// If a program does not come up, or does not end.
pub fn kill_holders(probes: &Probes, holder: &Path, churn: &Path, kills: u32, restless: bool) -> Result<Kills, Failure> {
    let mut target = Churn::start(churn);
    let places = Places::of(target.pid())?;
    let mut outcome = Kills::default();
    while outcome.kills < kills && target.is_running() {
        outcome.kills += 1;
        if let Some(took) = kill(holder, &places, target.pid(), restless)? {
            outcome.gone.add(took);
        } else {
            outcome.left += 1;
            outcome.healed += u32::from(heal(probes, &places)?);
        }
    }
    target.after(target.lines() + 2);
    outcome.complaints.extend(complaint(&target.stop().0));
    Ok(outcome)
}

/// How long until all breakpoints were gone; `None` if they stayed.
fn kill(holder: &Path, places: &Places, pid: u32, restless: bool) -> Result<Option<Duration>, Failure> {
    let mut command = Command::new(holder);
    command.arg("hold").arg(pid.to_string());
    if restless {
        command.arg("--restless");
    }
    let mut agent = Running::start(command);
    wait::until("the breakpoints stand", || {
        assert!(agent.is_running(), "the agent ended: {}", agent.stderr());
        agent.stdout().contains(PLACED).then_some(())
    });
    if restless {
        wait::pause(Duration::from_millis(fastrand::u64(RESTLESS)));
    } else if places.bytes()? != Bytes::Breakpoints {
        return Err("an agent says that breakpoints stand, and they do not".into());
    }
    let begin = Instant::now();
    agent.signal(Signal::KILL);
    while begin.elapsed() < PATIENCE {
        // Only once it is gone nothing of it can come any more.
        if !agent.is_running() && places.bytes()? == Bytes::AsInFile {
            return Ok(Some(begin.elapsed()));
        }
        std::thread::yield_now();
    }
    Ok(None)
}

fn heal(probes: &Probes, places: &Places) -> Result<bool, Failure> {
    drop(places.place(probes, 0)?);
    Ok(places.bytes()? == Bytes::AsInFile)
}
