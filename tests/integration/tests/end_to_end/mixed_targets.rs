//! The service with targets that cannot be watched beside one that can: the others are told once, and nothing disturbs the good one.

use std::fs;
use std::path::{Path, PathBuf};

use deferd_fixtures::{Mode, binary, newest};
use deferd_integration::config::Watch;
use deferd_integration::deferd::Service;
use deferd_integration::exposition::Exposition;
use deferd_integration::programs::{Healthy, Leaky, as_nobody, open_folder, start, write_program};
use deferd_integration::prometheus::Prometheus;
use deferd_integration::{deferd, wait};

/// A copy of the leaky program that claims to be built by another minor release of Go.
pub(crate) fn patched(folder: &Path, minor: u32) -> PathBuf {
    let toolchain = newest();
    let version = toolchain.version;
    let (real, claimed) = (format!("go1.{}.", version.minor), format!("go1.{minor}."));
    let mut image = fs::read(binary("leaky", toolchain, Mode::Plain)).unwrap();
    let places: Vec<usize> =
        image.windows(real.len()).enumerate().filter(|(_, bytes)| *bytes == real.as_bytes()).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the version is written somewhere");
    for at in places {
        image[at..at + claimed.len()].copy_from_slice(claimed.as_bytes());
    }
    write_program(folder, &format!("go1.{minor}"), &image)
}

#[test]
fn bad_targets_are_told_once_and_the_good_one_is_watched_all_along() {
    let folder = tempfile::tempdir().unwrap();
    let good = Leaky::start(100);
    let old = Leaky::start_file(&patched(folder.path(), 20), 10, &[]);
    let new = Leaky::start_file(&patched(folder.path(), 28), 10, &[]);
    let sleep = start(Path::new("/bin/sleep"), &["600"]);
    let gone = Leaky::start(10);
    let gone_pid = gone.pid();
    gone.kill();
    let prometheus = Prometheus::start(9);
    let mut pids = vec![good.pid(), old.pid(), new.pid(), sleep.pid(), gone_pid];
    pids.extend(prometheus.as_ref().map(Prometheus::pid));
    let watch = Watch::pids(&pids);
    let service = Service::start(&watch.yaml(), watch.ports);
    let line = good.counters().line.to_string();
    let growing = || service.scrape().value("go_defer_pending", &[("code_line_number", &line)]);

    let (before, _) = wait::until("the good one is shown", growing);
    let mut refused = vec![(old.pid(), "go1.20"), (new.pid(), "go1.28")];
    refused.extend(prometheus.as_ref().map(|prometheus| (prometheus.pid(), "go1.19")));
    wait::until("each refusal is told", || {
        let log = service.log();
        refused.iter().all(|(pid, version)| told(&log, *pid, version) >= 1).then_some(())
    });
    let own = service.own_metrics();
    let unsupported = own.value("deferd_health", &[("component", "receivers::godefer"), ("reason", "unsupported")]);
    assert_eq!(unsupported, Some(0.0), "{:?}", own.all("deferd_health", &[]));
    // Twenty looks later nothing has been told again, and the good one goes on.
    wait::until("twenty looks", || (growing()? > before + 400.0).then_some(()));
    for (pid, version) in &refused {
        assert!(told(&service.log(), *pid, version) <= 2, "told once, and once more as health: {}", service.log());
    }
    assert_eq!(instances(&service.scrape()), 1);
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn a_process_that_runs_another_program_ends_its_series_and_becomes_another_instance() {
    let good = Leaky::start(100);
    let mut healthy = Healthy::start();
    let pid = healthy.pid().to_string();
    let watch = Watch::pids(&[good.pid(), healthy.pid()]);
    let service = Service::start(&watch.yaml(), watch.ports);
    let instance = || {
        let scrape = service.scrape();
        let info = scrape.all("target_info", &[("process_pid", &pid)]).first().map(|info| info.label("instance").to_owned())?;
        // Whose waiters hold one deferred call each.
        (!scrape.all("go_defer_pending", &[("instance", &info)]).is_empty()).then_some(info)
    };
    let (first, _) = wait::until("the first program is shown", instance);

    // To a Go program: the same pid is another instance, and nothing of the first is left.
    healthy.exec(&binary("leaky", newest(), Mode::Plain), &["-exit-with-stdin", "-rate", "100"]);
    let (second, _) = wait::until("the second program is shown", || instance().filter(|second| *second != first));
    let scrape = service.scrape();
    assert!(scrape.all("go_defer_pending", &[("instance", &first)]).is_empty(), "{first}");
    for sample in scrape.all("go_defer_pending", &[("instance", &second)]) {
        assert!(!sample.label("code_function_name").starts_with("main.(*load)"), "of the first program: {sample:?}");
    }
    drop(healthy);
    wait::until("only the good one is left", || (instances(&service.scrape()) == 1).then_some(()));
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn a_process_that_becomes_no_go_program_ends_its_series() {
    let mut healthy = Healthy::start();
    let watch = Watch::pids(&[healthy.pid()]);
    let service = Service::start(&watch.yaml(), watch.ports);
    wait::until("it is shown", || (instances(&service.scrape()) == 1).then_some(()));
    healthy.exec(Path::new("/bin/sleep"), &["600"]);
    wait::until("nothing is shown", || (instances(&service.scrape()) == 0).then_some(()));
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn without_rights_a_users_own_process_is_watched_and_the_missing_right_for_another_is_shown() {
    let folder = open_folder();
    let leaky = binary("leaky", newest(), Mode::Plain);
    let (Some(deferd), Some(program)) = (as_nobody(folder.path(), deferd::binary()), as_nobody(folder.path(), &leaky)) else {
        return;
    };
    let (roots, own) = (Leaky::start(100), Leaky::start_by(program, 100));
    let watch = Watch::pids(&[roots.pid(), own.pid()]);
    let service = Service::start_by(deferd, &watch.yaml(), watch.ports);
    wait::until("the own process is shown", || (instances(&service.scrape()) == 1).then_some(()));
    let health = [("component", "receivers::godefer"), ("reason", "no_permission")];
    wait::until("the missing right is shown", || service.own_metrics().value("deferd_health", &health));
    let log = service.log();
    let line = log.lines().find(|line| line.contains("CAP_SYS_PTRACE")).unwrap_or_else(|| panic!("not told: {log}"));
    assert!(line.contains(&format!("process {}", roots.pid())) && line.contains("setcap cap_sys_ptrace+ep"), "{line}");
    assert_eq!(service.stop().code, Some(0));
}

/// How many lines tell of a process and a version.
fn told(log: &str, pid: u32, version: &str) -> usize {
    log.lines().filter(|line| line.contains(&format!("process {pid}:")) && line.contains(version)).count()
}

/// How many processes are shown.
fn instances(exposition: &Exposition) -> usize {
    let instances: std::collections::BTreeSet<&str> =
        exposition.all("go_defer_pending", &[]).iter().map(|sample| sample.label("instance")).collect();
    instances.len()
}
