use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::wire::{Answer, Request, What};
use super::*;
use crate::memory::{Extent, HeldMemory, Memory as _};
use crate::target::Opener as _;

fn with_helper(test: impl FnOnce(&Client)) {
    let (ours, theirs) = sockets().unwrap();
    std::thread::scope(|scope| {
        let served = scope.spawn(move || serve(theirs.as_fd()));
        let client = Client::new(ours, Client::PATIENCE);
        test(&client);
        drop(client);
        // It ends with its other end.
        served.join().unwrap().unwrap();
    });
}

#[test]
fn what_is_handed_over_is_the_executable_and_the_memory_of_the_process() {
    with_helper(|client| {
        let pid = std::process::id();
        let opened = client.open(pid).unwrap();
        let held = opened.held.unwrap();
        assert_eq!(opened.link, std::env::current_exe().unwrap());
        assert_eq!(opened.executable.metadata().unwrap().len(), opened.link.metadata().unwrap().len());
        assert!(held.stat.starts_with(&format!("{pid} (")), "{}", held.stat);
        let secret = [1_u8, 2, 3, 4, 5];
        let mut copy = [0; 5];
        let extent = Extent { address: secret.as_ptr() as u64, length: secret.len() };
        HeldMemory::new(pid, held.memory).read(&[extent], &mut copy).unwrap();
        assert_eq!(copy, secret);
        assert!(client.file_types(pid, 1000).unwrap().total() > 3);
        let cut = client.file_types(pid, 2).unwrap();
        assert!(cut.cut && cut.total() == 2, "{cut:?}");
    });
}

#[test]
fn the_kernel_s_refusal_is_told_as_it_is() {
    with_helper(|client| {
        // No such process, and the one after it is answered all the same.
        assert_eq!(client.open(u32::MAX).unwrap_err().raw_os_error(), Some(2));
        assert!(client.open(std::process::id()).is_ok());
    });
}

#[test]
fn nothing_that_is_handed_over_stays_open() {
    with_helper(|client| {
        let mine = || {
            let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
            all.filter(|file| std::fs::read_link(file.path()).is_ok_and(|link| link.ends_with("stat"))).count()
        };
        let before = mine();
        for _ in 0..2000 {
            client.open(std::process::id()).unwrap();
        }
        assert!(mine() <= before + 2, "{before} {}", mine());
    });
}

#[test]
fn a_helper_that_does_not_answer_is_waited_for_once_and_its_late_answer_is_nobody_s() {
    let (ours, theirs) = sockets().unwrap();
    let client = Client::new(ours, Duration::from_millis(20));
    let begin = Instant::now();
    assert_eq!(client.open(1).unwrap_err().kind(), io::ErrorKind::TimedOut);
    for _ in 0..100 {
        assert_eq!(client.open(1).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    let mut bytes = [0; 64];
    let (length, _) = recv(&theirs, &mut bytes, RecvFlags::empty()).unwrap();
    let request = Request::decode(&bytes[..length]).unwrap();
    assert_eq!((request.number, request.what, request.pid), (1, What::Open, 1));
    send(&theirs, &Answer { number: 1, result: Err(13) }.encode(), SendFlags::empty()).unwrap();
    std::thread::scope(|scope| {
        let served = scope.spawn(move || serve(theirs.as_fd()));
        // Twenty milliseconds may be too little for the helper; then its answer is late again.
        let begin = Instant::now();
        while let Err(error) = client.open(std::process::id()) {
            assert!(error.kind() == io::ErrorKind::TimedOut && begin.elapsed() < Duration::from_secs(30), "{error}");
        }
        drop(client);
        served.join().unwrap().unwrap();
    });
}

#[test]
fn a_helper_that_has_ended_is_said_to_be_gone() {
    let (ours, theirs) = sockets().unwrap();
    drop(theirs);
    let error = Client::new(ours, Client::PATIENCE).open(1).unwrap_err();
    assert!(error.to_string().contains("restart deferd"), "{error}");
}

#[test]
fn a_packet_that_is_no_request_ends_the_helper() {
    for packet in [&[0; 23][..], &[0; 25], &[0xff; 24], &[7]] {
        let (ours, theirs) = sockets().unwrap();
        send(&ours, packet, SendFlags::empty()).unwrap();
        assert_eq!(serve(theirs.as_fd()).unwrap_err().kind(), io::ErrorKind::InvalidData, "{packet:?}");
    }
}

#[test]
fn an_answer_that_is_none_is_refused() {
    for (bytes, what) in [
        (&[][..], "empty"),
        (&[0; 11], "short"),
        (&[9; 12], "of another number"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "without descriptors"),
    ] {
        let (ours, theirs) = sockets().unwrap();
        if !bytes.is_empty() {
            send(&theirs, bytes, SendFlags::empty()).unwrap();
        }
        let client = Client::new(ours, Duration::from_millis(20));
        assert!(client.open(1).is_err(), "{what}");
    }
}
