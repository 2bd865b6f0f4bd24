use std::cell::RefCell;
use std::io::{ErrorKind, PipeReader, Read as _, pipe};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::serve::serve_with;
use super::wire::{Answer, MAX_REQUEST, Request, What};
use super::*;

/// A keeper whose links are the ends of pipes, and what the other ends are for: they say when a link is gone. Process 13 does not exist.
fn with_keeper(test: impl FnOnce(&Arc<Client>) + Send) -> (io::Result<()>, Vec<PipeReader>) {
    let (ours, theirs) = sockets().unwrap();
    let others = RefCell::new(Vec::new());
    let placing = |_: BorrowedFd<'_>, _: BorrowedFd<'_>, order: &Order| {
        if order.pid == 13 {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        let (reader, writer) = pipe()?;
        others.borrow_mut().push(reader);
        Ok(OwnedFd::from(writer))
    };
    let served = std::thread::scope(|scope| {
        scope.spawn(move || {
            let client = Arc::new(Client::new(ours, Client::PATIENCE));
            client.programs(&[io::stdin().as_fd(), io::stdin().as_fd()]).unwrap();
            test(&client);
        });
        let served = serve_with(theirs.as_fd(), &placing);
        drop(theirs);
        served
    });
    (served, others.into_inner())
}

fn order(pid: u32) -> Order {
    Order { program: 1, pid, places: vec![(0x1000, 7), (0x2000, 8)] }
}

/// Every link is gone: all others that have the end of the pipe have closed it.
fn all_gone(links: Vec<PipeReader>) -> bool {
    links.into_iter().all(|mut link| link.read(&mut [0]).unwrap() == 0)
}

#[test]
fn all_that_stands_is_removed_when_the_agent_is_gone() {
    let (served, links) = with_keeper(|client| {
        for pid in 20..60 {
            client.place(io::stdin().as_fd(), order(pid)).unwrap();
        }
    });
    served.unwrap();
    assert_eq!(links.len(), 40);
    assert!(all_gone(links));
}

#[test]
fn a_removal_is_answered_and_what_the_kernel_refuses_is_told_as_it_is() {
    let (served, links) = with_keeper(|client| {
        let link = client.place(io::stdin().as_fd(), order(20)).unwrap();
        assert_eq!(client.place(io::stdin().as_fd(), order(13)).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        let unknown = Order { program: 2, ..order(20) };
        assert_eq!(client.place(io::stdin().as_fd(), unknown).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        client.remove(link);
        // A second time there is nothing to remove, and it goes on.
        client.remove(link);
        let removal = client.begin_removal(client.place(io::stdin().as_fd(), order(21)).unwrap());
        let begin = Instant::now();
        while !removal.is_done() {
            assert!(begin.elapsed() < Duration::from_secs(30));
            std::thread::yield_now();
        }
        drop(client.begin_removal(client.place(io::stdin().as_fd(), order(22)).unwrap()));
        assert!(!client.is_lost());
    });
    served.unwrap();
    assert!(links.len() == 3 && all_gone(links));
}

#[test]
fn many_threads_ask_at_once_and_each_has_its_own_answer() {
    let (served, links) = with_keeper(|client| {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || {
                    for _ in 0..50 {
                        let refused = client.place(io::stdin().as_fd(), order(13)).unwrap_err();
                        assert_eq!(refused.raw_os_error(), Some(libc::ESRCH));
                        client.remove(client.place(io::stdin().as_fd(), order(20 + thread)).unwrap());
                    }
                });
            }
        });
    });
    served.unwrap();
    assert!(links.len() == 400 && all_gone(links));
}

#[test]
fn a_packet_that_is_no_request_removes_all_and_ends_the_keeper() {
    let head = |what: u8, count: u8| [&[1, 0, 0, 0, 0, 0, 0, 0, what, 0, 0, 0][..], &[0; 16], &[count, 0, 0, 0]].concat();
    let packets = [
        vec![7],
        head(3, 0),
        // No place, a place too few, one too many, and no descriptor.
        head(1, 0),
        head(1, 1),
        [head(1, 1), vec![0; 32]].concat(),
        [head(1, 1), vec![0; 16]].concat(),
        // Programs that do not come, or come twice.
        head(0, 0),
        vec![0; MAX_REQUEST + 1],
        vec![0xff; MAX_REQUEST],
    ];
    for packet in packets {
        let (served, links) = with_keeper(|client| {
            client.place(io::stdin().as_fd(), order(20)).unwrap();
            send(client.socket(), &packet, SendFlags::empty()).unwrap();
            // It stays open: nothing but the packet ends the keeper.
            recv(client.socket(), &mut [0; 1], RecvFlags::PEEK).unwrap();
        });
        assert_eq!(served.unwrap_err().kind(), ErrorKind::InvalidData, "{packet:?}");
        assert!(links.len() == 1 && all_gone(links), "{packet:?}");
    }
}

#[test]
fn requests_and_answers_survive_the_wire_and_nothing_shorter_or_longer_does() {
    let most = vec![(u64::MAX, 1); MAX_PLACES];
    let all = [
        What::Programs,
        What::Place(order(20)),
        What::Place(Order { program: u32::MAX, pid: u32::MAX, places: most }),
        What::Remove { link: u64::MAX },
    ];
    for what in all {
        let request = Request { number: 1 << 40, what };
        let bytes = request.encode();
        assert_eq!(Request::decode(&bytes), Some(request));
        assert!((0..bytes.len()).all(|length| Request::decode(&bytes[..length]).is_none()));
        assert_eq!(Request::decode(&[&bytes[..], &[0; 16]].concat()), None);
    }
    for result in [Ok(()), Err(13), Err(-1)] {
        let answer = Answer { number: u64::MAX, result };
        let bytes = answer.encode();
        assert_eq!(Answer::decode(&bytes), Some(answer));
        assert!((0..bytes.len()).all(|length| Answer::decode(&bytes[..length]).is_none()));
        assert_eq!(Answer::decode(&[&bytes[..], &[0]].concat()), None);
    }
}

#[test]
fn a_keeper_that_does_not_answer_is_waited_for_once_and_told_to_remove_all() {
    let (ours, theirs) = sockets().unwrap();
    let client = Arc::new(Client::new(ours, Duration::from_millis(20)));
    let begin = Instant::now();
    for _ in 0..100 {
        let error = client.place(io::stdin().as_fd(), order(20)).unwrap_err();
        assert!(error.kind() == ErrorKind::BrokenPipe && error.to_string().contains("restart deferd"), "{error}");
    }
    client.remove(1);
    assert!(client.begin_removal(1).is_done() && client.is_lost());
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    let mut bytes = [0; MAX_REQUEST];
    let (length, _) = recv(&theirs, &mut bytes, RecvFlags::empty()).unwrap();
    assert_eq!(Request::decode(&bytes[..length]), Some(Request { number: 1, what: What::Place(order(20)) }));
    // The other end is closed for it, though the client lives.
    serve(theirs.as_fd()).unwrap();
}

#[test]
fn a_keeper_that_takes_no_request_is_waited_for_once() {
    let (ours, _theirs) = sockets().unwrap();
    let client = Arc::new(Client::new(ours, Duration::from_millis(20)));
    let begin = Instant::now();
    while !client.is_lost() {
        drop(client.begin_removal(1));
        assert!(begin.elapsed() < Duration::from_secs(30), "there is always room");
    }
}

#[test]
fn a_keeper_that_has_ended_is_noticed_also_by_whoever_waits_for_it() {
    let (ours, theirs) = sockets().unwrap();
    let client = Arc::new(Client::new(ours, Client::PATIENCE));
    let removal = client.begin_removal(1);
    assert!(!client.is_lost() && !removal.is_done());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| client.place(io::stdin().as_fd(), order(20)));
        let mut bytes = [0; MAX_REQUEST];
        // The removal and the order, so that somebody waits.
        for _ in 0..2 {
            recv(&theirs, &mut bytes, RecvFlags::empty()).unwrap();
        }
        drop(theirs);
        assert_eq!(waits.join().unwrap().unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
    assert!(client.is_lost() && removal.is_done());
}

#[test]
fn an_answer_that_is_none_is_the_end() {
    let of = |number| Answer { number, result: Ok(()) }.encode();
    for (bytes, what) in [(vec![0; 11], "short"), (vec![0; 13], "long"), (of(9), "to nothing"), (of(0), "to nothing")] {
        let (ours, theirs) = sockets().unwrap();
        send(&theirs, &bytes, SendFlags::empty()).unwrap();
        let client = Arc::new(Client::new(ours, Client::PATIENCE));
        assert_eq!(client.place(io::stdin().as_fd(), order(20)).unwrap_err().kind(), ErrorKind::BrokenPipe, "{what}");
        assert!(client.is_lost());
    }
}
