//! Noticing the end of a watched process at once, so that none of its files is held open any longer.
//!
//! One epoll over all pidfds: its own descriptor becomes readable when any process has ended, so that a single registration with
//! the runtime waits for all of them.

use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{Timespec, epoll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The processes whose ends are awaited. Without a descriptor to do so (there is a limit) ends are noticed at the next look.
#[derive(Debug, Default)]
pub(super) struct Ends {
    epoll: Option<Arc<OwnedFd>>,
    /// Whether there are processes that it does not know of.
    is_incomplete: bool,
}

impl Ends {
    /// Gets the descriptor, if there is none yet.
    pub(super) fn open(&mut self) {
        if self.epoll.is_none() {
            self.epoll = epoll::create(epoll::CreateFlags::CLOEXEC).ok().map(Arc::new);
        }
    }

    /// Awaits the end of another process, until its pidfd is closed.
    pub(super) fn add(&mut self, pidfd: BorrowedFd<'_>) {
        let added =
            self.epoll.as_ref().map(|epoll| epoll::add(epoll, pidfd, epoll::EventData::new_u64(0), epoll::EventFlags::IN));
        // Its end is noticed when somebody comes by.
        self.is_incomplete |= !matches!(added, Some(Ok(())));
    }

    /// Whether a process that was added may have ended; `false` is certain, and costs one system call for all of them.
    pub(super) fn may_be_any(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut events = [const { MaybeUninit::uninit() }; 1];
        let asked = self.epoll.as_ref().map(|epoll| epoll::wait(epoll, &mut events, Some(&now)));
        self.is_incomplete || !matches!(asked, Some(Ok((ended, _))) if ended.is_empty())
    }

    /// Waits for ends. Needs a Tokio runtime.
    #[expect(
        deprecated,
        reason = "its successor is unsafe for types that exchange their descriptor meanwhile, which this one cannot"
    )]
    pub(super) fn waiter(&self) -> Waiter {
        Waiter(self.epoll.as_ref().and_then(|epoll| AsyncFd::with_interest(Arc::clone(epoll), Interest::READABLE).ok()))
    }
}

/// Waits for ends.
#[derive(Debug)]
pub(super) struct Waiter(Option<AsyncFd<Arc<OwnedFd>>>);

impl Waiter {
    /// Returns once a process has ended; perhaps also when none has.
    pub(super) async fn wait(&self) {
        match &self.0 {
            Some(epoll) => match epoll.readable().await {
                // An end from here on makes it readable again.
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;

    #[tokio::test]
    async fn each_end_is_noticed_though_others_go_on() {
        let mut ends = Ends::default();
        ends.open();
        let waiter = ends.waiter();
        let sleep = || Command::new("/bin/sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let mut children = [sleep(), sleep(), sleep()];
        let pidfds = children.each_ref().map(|child| {
            let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
            let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
            ends.add(std::os::fd::AsFd::as_fd(&pidfd));
            pidfd
        });
        let mut pidfds = Vec::from(pidfds);
        assert!(tokio::time::timeout(Duration::from_millis(20), waiter.wait()).await.is_err(), "nobody has ended");
        for child in &mut children {
            child.kill().unwrap();
            tokio::time::timeout(Duration::from_secs(30), waiter.wait()).await.unwrap();
            child.wait().unwrap();
            pidfds.remove(0);
        }
    }
}
