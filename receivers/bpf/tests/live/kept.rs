//! Breakpoints in this test's own process, placed and removed by a keeper.

use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_bpf::keeper::{Client, serve, sockets};
use deferd_bpf::{Place, PlaceError, Role, Settings};

use super::own_process::{file_offset, probes};

/// The breakpoint instruction.
const INT3: u8 = 0xcc;

/// Its own, since other tests place theirs at the same time. Begins with a call in every build.
#[inline(never)]
fn probed(number: u64) -> u64 {
    std::hint::black_box(beneath(std::hint::black_box(number)).wrapping_add(2))
}

#[inline(never)]
fn beneath(number: u64) -> u64 {
    std::hint::black_box(number)
}

#[test]
fn what_a_keeper_places_is_hit_and_gone_when_it_says_so_and_when_its_agent_is_gone() {
    let Some(mut probes) = probes() else { return };
    let address = u64::try_from((probed as fn(u64) -> u64 as *const ()).addr()).unwrap();
    let byte = || read_byte(address);
    let original = byte();
    let pid = std::process::id();
    let place = Place { role: Role::Return, file_offset: file_offset(address) };
    probes.set_target(7, &Settings { pid, sample_mask: u32::MAX, return_limit: u64::MAX, ..Settings::default() }).unwrap();
    std::thread::scope(|scope| {
        let (ours, theirs) = sockets().unwrap();
        let served = scope.spawn(move || serve(theirs.as_fd()));
        probes.place_through(Arc::new(Client::new(ours, Client::PATIENCE))).unwrap();
        assert!(probes.have_a_keeper() && !probes.have_lost_their_keeper());

        let link = probes.place(7, pid, Path::new("/proc/self/exe"), &[place]).unwrap();
        assert_eq!((byte(), probed(1)), (INT3, 3));
        drop(link);
        assert_eq!((byte(), probes.usage(7).unwrap().returns), (original, 1));

        let removal = probes.place(7, pid, Path::new("/proc/self/exe"), &[place]).unwrap().remove();
        let begin = Instant::now();
        while !removal.is_done() {
            assert!(begin.elapsed() < Duration::from_secs(30));
            std::thread::yield_now();
        }
        assert_eq!(byte(), original);

        let nobody = probes.place(7, u32::MAX >> 1, Path::new("/proc/self/exe"), &[place]);
        assert!(matches!(nobody, Err(PlaceError::Gone { .. })), "{nobody:?}");

        // Nobody asks for its removal: as if the agent had been killed.
        std::mem::forget(probes.place(7, pid, Path::new("/proc/self/exe"), &[place]).unwrap());
        assert_eq!(byte(), INT3);
        rustix::net::shutdown(probes.keeper_fd().unwrap(), rustix::net::Shutdown::Both).unwrap();
        served.join().unwrap().unwrap();
        assert_eq!(byte(), original);
        assert!(probes.have_lost_their_keeper());
        let late = probes.place(7, pid, Path::new("/proc/self/exe"), &[place]);
        assert!(matches!(late, Err(PlaceError::KeeperLost(_))), "{late:?}");
        assert_eq!(byte(), original);
    });
}

fn read_byte(address: u64) -> u8 {
    use std::os::unix::fs::FileExt as _;
    let mut byte = [0];
    std::fs::File::open("/proc/self/mem").unwrap().read_exact_at(&mut byte, address).unwrap();
    byte[0]
}
