//! The end with the rights.

use std::fs::File;
use std::io::{self, IoSlice, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, sendmsg};

use super::wire::{self, Answer, MAX_STAT, REQUEST, Request, What};
use crate::target::{Opener as _, OwnRights};

/// Answers requests, one after another, until the other end is closed or says something that is no request.
pub fn serve(socket: BorrowedFd<'_>) -> io::Result<()> {
    loop {
        // One byte more, so that a longer packet is told apart.
        let mut bytes = [0; REQUEST + 1];
        let length = match recv(socket, &mut bytes, RecvFlags::empty()) {
            Ok((0, _)) | Err(rustix::io::Errno::CONNRESET) => return Ok(()),
            Ok((length, _)) => length,
            Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let Some(request) = bytes.get(..length).and_then(Request::decode) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a packet that is no request"));
        };
        answer(socket, &request)?;
    }
}

fn answer(socket: BorrowedFd<'_>, request: &Request) -> io::Result<()> {
    let (result, files) = match fulfil(request) {
        Ok((bytes, files)) => (Ok(bytes), files),
        // Only a failed system call has a number; anything else that fails is one of reading.
        Err(error) => (Err(error.raw_os_error().unwrap_or(EIO)), Vec::new()),
    };
    let packet = Answer { number: request.number, result }.encode();
    let descriptors: Vec<BorrowedFd<'_>> = files.iter().map(File::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    match sendmsg(socket, &[IoSlice::new(&packet)], &mut control, SendFlags::NOSIGNAL) {
        // Nobody waits for it any more; the next request will not come.
        Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => Ok(()),
        sent => Ok(sent.map(drop)?),
    }
}

/// `EIO` of errno(3).
const EIO: i32 = 5;

fn fulfil(request: &Request) -> io::Result<(Vec<u8>, Vec<File>)> {
    let pid = request.pid;
    match request.what {
        What::Link => Ok((wire::path_bytes(&OwnRights.link(pid)?), Vec::new())),
        What::FileTypes => Ok((wire::types_bytes(&OwnRights.file_types(pid, request.limit)?), Vec::new())),
        What::Open => {
            // Memory first: see `Held`.
            let memory = File::open(format!("/proc/{pid}/mem"))?;
            let opened = OwnRights.open(pid)?;
            let mut stat = String::new();
            File::open(format!("/proc/{pid}/stat"))?.take(MAX_STAT as u64).read_to_string(&mut stat)?;
            Ok((wire::opened_bytes(&opened.link, &stat), vec![memory, opened.executable]))
        }
    }
}
