//! Breakpoints in this test's own process.

use std::path::Path;
use std::time::{Duration, Instant};

use deferd_bpf::{Event, LoadError, Place, Probes, Role, Settings};

/// Loads, or says loudly why not; CI allows no gap.
pub(crate) fn probes() -> Option<Probes> {
    match Probes::load() {
        Ok(probes) => Some(probes),
        Err(error @ (LoadError::Denied { .. } | LoadError::NoMultiLinks(_) | LoadError::NoKernelTypes(_)))
            if std::env::var("CI").as_deref() != Ok("true") =>
        {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Begins with a call in every build, which the kernel emulates.
#[inline(never)]
fn probed(number: u64) -> u64 {
    std::hint::black_box(beneath(std::hint::black_box(number)).wrapping_add(1))
}

#[inline(never)]
fn beneath(number: u64) -> u64 {
    std::hint::black_box(number)
}

/// Where in this executable the code at an address is.
pub(crate) fn file_offset(address: u64) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
    let line = maps.lines().find(|line| {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        (number(from)..number(to)).contains(&address)
    });
    let line = line.unwrap();
    let start = number(line.split_once('-').unwrap().0);
    address - start + number(line.split_whitespace().nth(2).unwrap())
}

#[test]
fn a_breakpoint_in_this_process_is_told_and_gone_with_its_link() {
    let Some(mut probes) = probes() else { return };
    let address = u64::try_from((probed as fn(u64) -> u64 as *const ()).addr()).unwrap();
    let pid = std::process::id();
    probes.set_target(0, &Settings { pid, ..Settings::default() }).unwrap();
    let place = Place { role: Role::SelfTest, file_offset: file_offset(address) };
    let link = probes.place(0, pid, Path::new("/proc/self/exe"), &[place]).unwrap();
    assert_eq!(probed(1), 2, "the process goes on as before");
    let deadline = Instant::now() + Duration::from_secs(5);
    let event = loop {
        match probes.events().next_event() {
            Some(event) => break event,
            None if Instant::now() < deadline => std::thread::yield_now(),
            None => panic!("the breakpoint was not told"),
        }
    };
    assert!(matches!(event, Event::SelfTest { slot: 0, level: 0.., .. }), "{event:?}");
    drop(link);
    assert_eq!(probed(1), 2);
    assert!(probes.events().next_event().is_none(), "nothing is told once the link is gone");
}

#[test]
fn hits_are_counted_exactly_and_the_limit_is_told_once() {
    let Some(mut probes) = probes() else { return };
    let address = u64::try_from((probed as fn(u64) -> u64 as *const ()).addr()).unwrap();
    let pid = std::process::id();
    // Nothing is looked into: this is no Go program.
    let settings = Settings { pid, sample_mask: u32::MAX, return_limit: 500, ..Settings::default() };
    probes.set_target(3, &settings).unwrap();
    let place = Place { role: Role::Return, file_offset: file_offset(address) };
    let link = probes.place(3, pid, Path::new("/proc/self/exe"), &[place]).unwrap();
    for number in 0..100_000 {
        assert_eq!(probed(number), number + 1);
    }
    drop(link);
    assert_eq!(probes.usage(3).unwrap().returns, 100_000);
    let over = std::iter::from_fn(|| probes.events().next_event()).collect::<Vec<_>>();
    assert!(!over.is_empty() && over.iter().all(|event| *event == Event::Over { slot: 3, is_panic: false }), "{over:?}");
    probes.clear(3).unwrap();
    assert_eq!(probes.usage(3).unwrap().returns, 0);
}

#[test]
fn breakpoints_are_for_one_process_only() {
    let Some(mut probes) = probes() else { return };
    let address = u64::try_from((probed as fn(u64) -> u64 as *const ()).addr()).unwrap();
    // Of the same file, in another process.
    let mut child = std::process::Command::new("/bin/sleep").arg("60").spawn().unwrap();
    probes.set_target(5, &Settings { pid: child.id(), sample_mask: u32::MAX, ..Settings::default() }).unwrap();
    let place = Place { role: Role::Return, file_offset: file_offset(address) };
    let link = probes.place(5, child.id(), Path::new("/proc/self/exe"), &[place]).unwrap();
    assert_eq!(probed(1), 2);
    drop(link);
    assert_eq!(probes.usage(5).unwrap().returns, 0);
    child.kill().unwrap();
    child.wait().unwrap();
}
