//! The agent's end.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, recv, sendmsg, shutdown};

use super::wire::{ANSWER, Answer, MAX_DESCRIPTORS, MAX_PLACES, Order, Request, What};

/// Asks the keeper.
///
/// One that ends, says something that is no answer, or takes too long is given up for good: the socket is closed, upon which the
/// keeper, if there still is one, removes everything.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    /// Of the keeper.
    pid: Option<u32>,
    state: Mutex<State>,
    /// An answer came, or none will.
    news: Condvar,
    patience: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the request before.
    asked: u64,
    /// Requests that are not answered, and answers that were not yet taken.
    open: BTreeMap<u64, Open>,
    /// Whether somebody polls. Nobody else receives then, so that an answer cannot be taken from under a poll.
    is_polled: bool,
    is_lost: bool,
}

#[derive(Debug, Clone, Copy)]
enum Open {
    /// Somebody will ask for the answer.
    Waited,
    /// Nobody will.
    Unwaited,
    Answered(Result<(), i32>),
}

/// Breakpoints on their way out.
#[derive(Debug)]
pub struct Removal {
    /// Whom to ask, and about which request. `None` if they are gone.
    asked: Option<(Arc<Client>, u64)>,
}

impl Removal {
    pub(crate) fn done() -> Self {
        Self { asked: None }
    }

    /// Whether the kernel has said that they are gone, or nobody is left to say so. Does not wait.
    pub fn is_done(&self) -> bool {
        self.asked.as_ref().is_none_or(|(client, number)| client.is_answered(*number))
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        if let Some((client, number)) = self.asked.take() {
            client.disregard(number);
        }
    }
}

impl Client {
    /// How long an answer is waited for. Placing and removing take up to 60 ms; on a machine that is busy with other things much longer.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// The keeper is at the other end of `socket`; an answer may take so long.
    pub fn new(socket: OwnedFd, patience: Duration) -> Self {
        Self { socket, pid: None, state: Mutex::default(), news: Condvar::new(), patience }
    }

    /// The same, of a keeper that is this process.
    pub(crate) fn of(pid: u32, socket: OwnedFd) -> Self {
        Self { pid: Some(pid), ..Self::new(socket, Self::PATIENCE) }
    }

    /// The keeper's process id, if it is known.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Whether the keeper is gone, or was given up.
    pub fn is_lost(&self) -> bool {
        let mut state = self.lock();
        self.receive(&mut state);
        state.is_lost
    }

    /// To be polled for its other end being closed, and for nothing else.
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Hands the programs over, in the order of [`Order::program`].
    pub(crate) fn programs(&self, programs: &[BorrowedFd<'_>]) -> io::Result<()> {
        let number = self.ask(What::Programs, programs)?;
        self.wait(number)
    }

    /// Places, and says what the link is called.
    pub(crate) fn place(&self, executable: BorrowedFd<'_>, order: Order) -> io::Result<u64> {
        if order.places.is_empty() || order.places.len() > MAX_PLACES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let number = self.ask(What::Place(order), &[executable])?;
        self.wait(number).map(|()| number)
    }

    /// Orders the removal of a link, without waiting for it.
    pub(crate) fn begin_removal(self: &Arc<Self>, link: u64) -> Removal {
        let asked = self.ask(What::Remove { link }, &[]);
        // With the keeper the link is gone too.
        Removal { asked: asked.ok().map(|number| (Arc::clone(self), number)) }
    }

    /// Removes a link.
    pub(crate) fn remove(&self, link: u64) {
        let asked = self.ask(What::Remove { link }, &[]);
        // There is nothing that could be done about it; that the keeper is lost is noticed by who asks.
        let _ = asked.and_then(|number| self.wait(number));
    }

    fn ask(&self, what: What, descriptors: &[BorrowedFd<'_>]) -> io::Result<u64> {
        let mut state = self.lock();
        // So that answers nobody waits for do not fill the way back.
        self.receive(&mut state);
        if state.is_lost {
            return Err(gone());
        }
        state.asked += 1;
        let request = Request { number: state.asked, what };
        match self.send(&request.encode(), descriptors) {
            Ok(()) => {
                state.open.insert(request.number, Open::Waited);
                Ok(request.number)
            }
            Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN | Errno::AGAIN) => Err(self.lose(&mut state)),
            Err(errno) => Err(errno.into()),
        }
    }

    /// `AGAIN` if there is no room for it in time.
    fn send(&self, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        let descriptors = descriptors.get(..MAX_DESCRIPTORS).unwrap_or(descriptors);
        let deadline = Instant::now() + self.patience;
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !descriptors.is_empty() {
                control.push(SendAncillaryMessage::ScmRights(descriptors));
            }
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            match sendmsg(&self.socket, &[IoSlice::new(packet)], &mut control, flags) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if Instant::now() < deadline => self.poll(PollFlags::OUT, deadline),
                Err(errno) => return Err(errno),
            }
        }
    }

    /// The answer to a request.
    fn wait(&self, number: u64) -> io::Result<()> {
        let deadline = Instant::now() + self.patience;
        let mut state = self.lock();
        loop {
            self.receive(&mut state);
            if let Some(Open::Answered(result)) = state.open.get(&number).copied() {
                state.open.remove(&number);
                return result.map_err(io::Error::from_raw_os_error);
            }
            if state.is_lost {
                return Err(gone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.lose(&mut state));
            }
            if state.is_polled {
                state = self.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            state.is_polled = true;
            drop(state);
            self.poll(PollFlags::IN, deadline);
            state = self.lock();
            state.is_polled = false;
            self.receive(&mut state);
            // Somebody else has to poll now, whatever came.
            self.news.notify_all();
        }
    }

    /// Whether there is an answer, or will never be one.
    fn is_answered(&self, number: u64) -> bool {
        let mut state = self.lock();
        self.receive(&mut state);
        state.is_lost || matches!(state.open.get(&number), Some(Open::Answered(_)))
    }

    fn disregard(&self, number: u64) {
        let mut state = self.lock();
        match state.open.get_mut(&number) {
            Some(open @ Open::Waited) => *open = Open::Unwaited,
            _ => drop(state.open.remove(&number)),
        }
    }

    /// Takes all answers that are there.
    fn receive(&self, state: &mut State) {
        while !state.is_lost && !state.is_polled {
            let mut bytes = [0; ANSWER + 1];
            let received = match recv(&self.socket, &mut bytes, RecvFlags::DONTWAIT | RecvFlags::TRUNC) {
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => continue,
                received => received.ok(),
            };
            let answer = received.and_then(|(_, length)| bytes.get(..length)).and_then(Answer::decode);
            match answer.and_then(|answer| Some((answer, *state.open.get(&answer.number)?))) {
                Some((answer, Open::Waited)) => {
                    state.open.insert(answer.number, Open::Answered(answer.result));
                }
                Some((answer, Open::Unwaited)) => drop(state.open.remove(&answer.number)),
                // The end, or no answer to anything that was asked.
                Some((_, Open::Answered(_))) | None => drop(self.lose(state)),
            }
        }
    }

    fn lose(&self, state: &mut State) -> io::Error {
        state.is_lost = true;
        state.open.clear();
        // It may be closed already.
        let _ = shutdown(&self.socket, Shutdown::Both);
        self.news.notify_all();
        gone()
    }

    /// Whatever comes of it is looked at afterwards.
    fn poll(&self, what: PollFlags, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let time = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
        let _ = poll(&mut [PollFd::new(&self.socket, what)], Some(&time));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the process that holds the breakpoints is gone or does not answer: restart deferd")
}
