//! The end without rights.

use std::fs::File;
use std::io::{self, ErrorKind, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendFlags, recvmsg, send};

use super::wire::{self, Answer, MAX_ANSWER, Request, What};
use crate::target::{FileTypes, Held, Opened, Opener, OwnRights};

/// Asks the helper.
#[derive(Debug)]
pub struct Client {
    line: Mutex<Line>,
    patience: Duration,
}

#[derive(Debug)]
struct Line {
    socket: OwnedFd,
    /// The number of the request before.
    asked: u64,
    /// The number of the last answer. While it is not that of `asked`, the helper is still at it.
    answered: u64,
}

impl Client {
    /// How long an answer is waited for: opening takes microseconds, unless a file server does not answer.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// The helper is at the other end of `socket`; an answer may take so long.
    pub fn new(socket: OwnedFd, patience: Duration) -> Self {
        Self { line: Mutex::new(Line { socket, asked: 0, answered: 0 }), patience }
    }

    fn ask(&self, what: What, pid: u32, limit: u64) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        // A late answer is to nobody's question any more. Nothing new is asked before it is there, so that the line never fills.
        while line.answered < line.asked {
            line.next(Duration::ZERO)?;
        }
        line.asked += 1;
        let request = Request { number: line.asked, what, pid, limit };
        send(&line.socket, &request.encode(), SendFlags::NOSIGNAL).map_err(|errno| lost(&errno.into()))?;
        let (answer, descriptors) = line.next(self.patience)?;
        match answer.result {
            _ if answer.number != request.number => Err(garbled()),
            Ok(bytes) if descriptors.len() == what.descriptors() => Ok((bytes, descriptors)),
            Ok(_) => Err(garbled()),
            Err(errno) => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

impl Line {
    /// The next answer.
    fn next(&mut self, patience: Duration) -> io::Result<(Answer, Vec<OwnedFd>)> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let time = Timespec::try_from(left).map_err(|_| garbled())?;
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&time)) {
                Ok(0) => return Err(io::Error::new(ErrorKind::TimedOut, "the process that keeps the rights does not answer")),
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        let (answer, descriptors) = self.receive()?;
        self.answered = answer.number;
        Ok((answer, descriptors))
    }

    fn receive(&self) -> io::Result<(Answer, Vec<OwnedFd>)> {
        let mut bytes = [0; MAX_ANSWER];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let got = recvmsg(&self.socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)
            .map_err(|errno| lost(&errno.into()))?;
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        if got.bytes == 0 {
            return Err(lost(&ErrorKind::UnexpectedEof.into()));
        }
        if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
            return Err(garbled());
        }
        let answer = bytes.get(..got.bytes).and_then(Answer::decode).ok_or_else(garbled)?;
        Ok((answer, descriptors))
    }
}

impl Opener for Client {
    fn link(&self, pid: u32) -> io::Result<PathBuf> {
        match OwnRights.link(pid) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.ask(What::Link, pid, 0).map(|(bytes, _)| wire::path(&bytes))
            }
            own => own,
        }
    }

    fn open(&self, pid: u32) -> io::Result<Opened> {
        let (bytes, descriptors) = self.ask(What::Open, pid, 0)?;
        let (link, stat) = wire::opened(&bytes).ok_or_else(garbled)?;
        let mut files = descriptors.into_iter().map(File::from);
        let (Some(memory), Some(executable)) = (files.next(), files.next()) else { return Err(garbled()) };
        Ok(Opened { executable, link, held: Some(Held { memory, stat }) })
    }

    fn file_types(&self, pid: u32, limit: u64) -> io::Result<FileTypes> {
        let (bytes, _) = self.ask(What::FileTypes, pid, limit)?;
        wire::types(&bytes).ok_or_else(garbled)
    }
}

fn garbled() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the process that keeps the rights gave an answer that is none")
}

fn lost(error: &io::Error) -> io::Error {
    io::Error::other(format!("the process that keeps the rights is gone ({error}): restart deferd"))
}
