//! Agents that are killed while their breakpoints stand, and while they are placed or removed.
//!
//! The second can go wrong, and the kernel says so (`uprobe: ... failed to unregister, leaking uprobe`): removing a breakpoint
//! fetches a page of the target on behalf of the agent, which is refused to a task that has been sent SIGKILL and is not yet ending.
//! What is left then is a breakpoint that nobody listens to. So the service has another process place and remove, and so have these
//! agents, unless they are alone. Whether the next agent removes it is part of what is measured.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use deferd_bpf::Probes;
use deferd_integration::deferd;
use deferd_integration::process::Running;
use deferd_integration::wait;
use rustix::process::Signal;

use super::churn::complaint;
use super::holder::{Agent, PLACED};
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

/// Kills so many agents, whose breakpoints stand or, if they are restless, are placed and removed all the time. An agent is
/// `holder hold PID`, which runs [`super::hold`]; `probes` are those of the next one.
///
/// # Panics
/// If a program does not come up, or does not end.
pub fn kill_holders(probes: &Probes, holder: &Path, churn: &Path, kills: u32, agent: Agent) -> Result<Kills, Failure> {
    let mut target = Churn::start(churn);
    let places = Places::of(target.pid())?;
    let mut outcome = Kills::default();
    while outcome.kills < kills && target.is_running() {
        outcome.kills += 1;
        if let Some(took) = kill(holder, &places, target.pid(), agent)? {
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
fn kill(holder: &Path, places: &Places, pid: u32, how: Agent) -> Result<Option<Duration>, Failure> {
    let mut command = Command::new(holder);
    command.env("DEFERD_BIN", deferd::binary()).arg("hold").arg(pid.to_string()).args(how.arguments());
    let mut agent = Running::start(command);
    wait::until("the breakpoints stand", || {
        assert!(agent.is_running(), "the agent ended: {}", agent.stderr());
        agent.stdout().contains(PLACED).then_some(())
    });
    if how.restless {
        wait::pause(Duration::from_millis(fastrand::u64(RESTLESS)));
    } else if places.bytes()? != Bytes::Breakpoints {
        return Err("an agent says that breakpoints stand, and they do not".into());
    }
    let keeper = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", agent.pid()))?;
    let begin = Instant::now();
    agent.signal(Signal::KILL);
    let mut gone = None;
    while begin.elapsed() < PATIENCE {
        // Only once all of it is gone nothing of it can come any more.
        let is_over = !agent.is_running() && has_ended(keeper.trim());
        if places.bytes()? == Bytes::AsInFile {
            gone.get_or_insert(begin.elapsed());
        } else {
            gone = None;
        }
        if is_over && gone.is_some() {
            return Ok(gone);
        }
        std::thread::yield_now();
    }
    Ok(None)
}

/// Whether a process has ended; nobody may collect it where there is no init. There may be none.
fn has_ended(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    pid.is_empty() || status.map_or(true, |status| status.contains("State:\tZ"))
}

fn heal(probes: &Probes, places: &Places) -> Result<bool, Failure> {
    drop(places.place(probes, 0)?);
    Ok(places.bytes()? == Bytes::AsInFile)
}
