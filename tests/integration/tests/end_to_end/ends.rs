//! What has ended is let go of, at once and wholly.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::config::Watch;
use deferd_integration::deferd::{self, Service};
use deferd_integration::process;
use deferd_integration::programs::{Leaky, write_program};
use deferd_integration::wait;

/// A file system of its own, unmounted when dropped.
struct Mount(tempfile::TempDir);

impl Mount {
    /// `None`, said loudly, where nothing may be mounted.
    fn new() -> Option<Self> {
        let mount = Self(tempfile::tempdir().unwrap());
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "deferd-test"]).arg(mount.path());
        let ended = rustix::process::geteuid().is_root().then(|| process::run(command));
        if ended.is_none_or(|ended| ended.code != Some(0)) {
            missing::skip("unmounting the file system of a process that has ended", "needs root and the right to mount");
            return None;
        }
        Some(mount)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Whether it could be unmounted now.
    fn unmount(&self) -> bool {
        let mut command = Command::new("umount");
        command.arg(self.path());
        process::run(command).code == Some(0)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Refused where it was unmounted already.
        self.unmount();
    }
}

fn shop(folder: &Path) -> std::path::PathBuf {
    write_program(folder, "shop", &fs::read(binary("leaky", newest(), Mode::Plain)).unwrap())
}

#[test]
fn the_file_system_of_a_process_can_be_unmounted_two_seconds_after_its_end_whatever_the_interval() {
    let Some(mount) = Mount::new() else { return };
    let leaky = Leaky::start_file(&shop(mount.path()), 10, &[]);
    let watch = Watch { interval: "1h".into(), ..Watch::pids(&[leaky.pid()]) };
    // No discovery either that would notice the end.
    let text = watch.yaml().replace("discovery_interval: 200ms", "discovery_interval: 1h");
    let service = Service::start(&text, watch.ports);
    let pending = || service.scrape().value("go_defer_pending", &[("code_line_number", "33")]);
    wait::until("it is watched", pending);
    assert!(!mount.unmount(), "it is in use");
    let end = Instant::now();
    leaky.kill();
    wait::within(Duration::from_secs(2), "it is unmounted", || mount.unmount().then_some(()));
    missing::report(&format!("unmounted {:?} after the end of a watched process", end.elapsed()));
    wait::until("its series have ended", || pending().is_none().then_some(()));
    assert_eq!(service.stop().code, Some(0));
}

/// What a process costs the machine.
#[derive(Debug)]
struct Footprint {
    resident_kib: u64,
    descriptors: usize,
}

impl Footprint {
    fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident_kib = resident.trim().trim_end_matches(" kB").parse().unwrap();
        Self { resident_kib, descriptors: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() }
    }
}

#[test]
fn memory_descriptors_and_series_return_to_where_they_were_after_many_short_lived_processes() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    let good = Leaky::start(100);
    let mut watch = Watch::pids(&[good.pid()]);
    watch.include.push("{executable: shop}".into());
    // One heap: with one per thread, what was freed by one is not seen by the next, which looks like growth.
    let mut deferd = Command::new(deferd::binary());
    deferd.env("MALLOC_ARENA_MAX", "1");
    let service = Service::start_by(deferd, &watch.yaml(), watch.ports);
    let instances = || {
        let exposition = service.scrape();
        let instances: std::collections::BTreeSet<String> =
            exposition.all("go_defer_pending", &[]).iter().map(|sample| sample.label("instance").to_owned()).collect();
        instances.len()
    };
    let watched = || service.own_metrics().value("deferd_godefer_watched_processes", &[]);
    // Each is gone a moment after it was seen. The first rounds bring deferd to its working size.
    let round = |count: u32| {
        for _ in 0..count {
            let four: Vec<Leaky> = (0..4).map(|_| Leaky::start_file(&shop, 50, &[])).collect();
            wait::until("they are watched", || watched().filter(|watched| *watched >= 3.0));
            drop(four);
        }
        wait::until("they are let go of", || (watched() == Some(1.0) && instances() == 1).then_some(()));
        Footprint::of(service.pid())
    };
    let before = round(10);
    let (begin, rounds) = (Instant::now(), 30);
    let after = round(rounds);
    let rate = f64::from(rounds * 4) * 60.0 / begin.elapsed().as_secs_f64();
    missing::report(&format!("{rate:.0} short-lived processes a minute: {before:?}, then {after:?}"));
    // Far less than 120 executables take.
    assert!(after.resident_kib <= before.resident_kib + 4096, "{before:?} {after:?}");
    // Connections of the scrapes come and go; the thread that probes lets go of a process when it comes round.
    let few = || (Footprint::of(service.pid()).descriptors <= before.descriptors + 4).then_some(());
    wait::until("descriptors return to where they were", few);
    let ends = service.log().lines().filter(|line| line.contains("no longer watching")).count();
    assert!(ends >= 3 * 40, "{ends}");
    assert_eq!(service.stop().code, Some(0));
}
