//! The end that holds the breakpoints.

use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendFlags, recvmsg, send};

use super::wire::{Answer, MAX_REQUEST, Order, Request, What};
use crate::MAX_SLOTS;
use crate::sys::link_uprobe_multi;

/// Threads that remove, so that no removal waits for another. Each waits for some ten milliseconds for the kernel.
const REMOVERS: usize = 8;
/// More of them for all that is left when the agent is gone, and its threads with it: they all wait for the same.
const MORE_AT_THE_END: usize = 48;
/// Most links at a time: those for panics, returns and files of each target, and those that are on their way out.
const MAX_LINKS: usize = MAX_SLOTS as usize * 4;

/// Places with a program, in an executable.
pub(super) type Placing<'a> = &'a dyn Fn(BorrowedFd<'_>, BorrowedFd<'_>, &Order) -> io::Result<OwnedFd>;

/// A link to be removed, and the request that wants to know.
type Leaving = (OwnedFd, Option<u64>);

/// Places and removes what is asked for, until the other end is closed or says something that is no request. Then it removes all
/// that is left, and returns when that is done.
pub fn serve(socket: BorrowedFd<'_>) -> io::Result<()> {
    serve_with(socket, &place)
}

/// The same with another way to place.
pub(super) fn serve_with(socket: BorrowedFd<'_>, placing: Placing<'_>) -> io::Result<()> {
    let (leave, leaving) = sync_channel(MAX_LINKS);
    let leaving = Mutex::new(leaving);
    std::thread::scope(|scope| {
        // Taken in, so that it is dropped however this ends: then the removers end too.
        let leave = leave;
        let remover = || Builder::new().name("deferd-removal".to_owned()).spawn_scoped(scope, || remove(socket, &leaving));
        for _ in 0..REMOVERS {
            remover()?;
        }
        let mut keeper = Keeper { socket, placing, programs: Vec::new(), links: BTreeMap::new(), leave };
        let outcome = keeper.obey();
        for _ in 0..keeper.links.len().min(MORE_AT_THE_END) {
            // Those that are there do it too, and take longer.
            let _ = remover();
        }
        for link in std::mem::take(&mut keeper.links).into_values() {
            keeper.let_go(link, None);
        }
        outcome
    })
}

/// What the kernel does for us.
fn place(program: BorrowedFd<'_>, executable: BorrowedFd<'_>, order: &Order) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", executable.as_raw_fd());
    let (offsets, cookies): (Vec<u64>, Vec<u64>) = order.places.iter().copied().unzip();
    link_uprobe_multi(program, Path::new(&path), &offsets, &cookies, order.pid)
}

/// The life of a thread that removes.
fn remove(socket: BorrowedFd<'_>, leaving: &Mutex<Receiver<Leaving>>) {
    loop {
        let next = leaving.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((link, number)) = next else { return };
        drop(link);
        if let Some(number) = number {
            // What cannot be told is missed by who waits for it, and nobody does when the other end is closed.
            let _ = answer(socket, Answer { number, result: Ok(()) });
        }
    }
}

struct Keeper<'a> {
    socket: BorrowedFd<'a>,
    placing: Placing<'a>,
    programs: Vec<OwnedFd>,
    links: BTreeMap<u64, OwnedFd>,
    leave: SyncSender<Leaving>,
}

impl Keeper<'_> {
    fn obey(&mut self) -> io::Result<()> {
        while let Some((request, descriptors)) = receive(self.socket)? {
            let number = request.number;
            let result = match request.what {
                What::Programs if self.programs.is_empty() && !descriptors.is_empty() => {
                    self.programs = descriptors;
                    Ok(())
                }
                What::Place(order) => match descriptors.as_slice() {
                    [executable] => self.place(number, executable, &order),
                    _ => return Err(no_request()),
                },
                What::Remove { link } if descriptors.is_empty() => match self.links.remove(&link) {
                    Some(link) => {
                        self.let_go(link, Some(number));
                        continue;
                    }
                    None => Err(libc::ENOENT),
                },
                _ => return Err(no_request()),
            };
            answer(self.socket, Answer { number, result })?;
        }
        Ok(())
    }

    fn place(&mut self, number: u64, executable: &OwnedFd, order: &Order) -> Result<(), i32> {
        if self.links.len() >= MAX_LINKS {
            return Err(libc::ENOSPC);
        }
        let program = usize::try_from(order.program).ok().and_then(|at| self.programs.get(at)).ok_or(libc::EINVAL)?;
        let link = (self.placing)(program.as_fd(), executable.as_fd(), order);
        // Only a failed system call has a number; what else can be wrong is the request.
        let link = link.map_err(|error| error.raw_os_error().unwrap_or(libc::EINVAL))?;
        // Numbers do not come twice; a link whose number did would be removed here.
        self.links.insert(number, link);
        Ok(())
    }

    /// Has a link removed, and answered for.
    fn let_go(&self, link: OwnedFd, number: Option<u64>) {
        // The removers end after the channel. If they were gone, the link would come back and be dropped here.
        drop(self.leave.send((link, number)));
    }
}

/// The next request and its descriptors; `None` when the other end is closed.
fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<(Request, Vec<OwnedFd>)>> {
    // One byte more, so that a longer packet is told apart.
    let mut bytes = [0; MAX_REQUEST + 1];
    // As many as `MAX_DESCRIPTORS`.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(got) => break got,
            Err(Errno::INTR) => {}
            Err(Errno::CONNRESET) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if got.bytes == 0 && descriptors.is_empty() {
        return Ok(None);
    }
    if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(no_request());
    }
    let request = bytes.get(..got.bytes).and_then(Request::decode).ok_or_else(no_request)?;
    Ok(Some((request, descriptors)))
}

fn answer(socket: BorrowedFd<'_>, answer: Answer) -> io::Result<()> {
    match send(socket, &answer.encode(), SendFlags::NOSIGNAL) {
        // Nobody waits for it any more; the next request will not come.
        Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
        sent => Ok(sent.map(drop)?),
    }
}

fn no_request() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a packet that is no request")
}
