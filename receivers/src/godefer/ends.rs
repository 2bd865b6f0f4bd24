//! Noticing the end of a watched process at once, so that none of its files is held open any longer.
//!
//! One epoll over all pidfds: its own descriptor becomes readable when any process has ended, so that a single registration with
//! the runtime waits for all of them.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::epoll;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The processes whose ends are awaited. Without a descriptor to do so (there is a limit) ends are noticed at the next look.
#[derive(Debug, Default)]
pub(super) struct Ends(Option<Arc<OwnedFd>>);

impl Ends {
    /// Gets the descriptor, if there is none yet.
    pub(super) fn open(&mut self) {
        if self.0.is_none() {
            self.0 = epoll::create(epoll::CreateFlags::CLOEXEC).ok().map(Arc::new);
        }
    }

    /// Awaits the end of another process, until its pidfd is closed.
    pub(super) fn add(&self, pidfd: BorrowedFd<'_>) {
        if let Some(epoll) = &self.0 {
            // Who has ended is asked of each; a failure means that it is noticed later.
            let _ = epoll::add(epoll, pidfd, epoll::EventData::new_u64(0), epoll::EventFlags::IN);
        }
    }

    /// Waits for ends. Needs a Tokio runtime.
    #[expect(
        deprecated,
        reason = "its successor is unsafe for types that exchange their descriptor meanwhile, which this one cannot"
    )]
    pub(super) fn waiter(&self) -> Waiter {
        Waiter(self.0.as_ref().and_then(|epoll| AsyncFd::with_interest(Arc::clone(epoll), Interest::READABLE).ok()))
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
