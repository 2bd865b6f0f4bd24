//! The service gives its rights up; a helper keeps the two that looking takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use deferd_fixtures::{Mode, binary, newest};
use deferd_integration::config::Watch;
use deferd_integration::deferd::{self, Service};
use deferd_integration::programs::{Leaky, as_nobody, open_folder, write_program};
use deferd_integration::wait;
use rustix::process::Signal;

/// `CAP_DAC_READ_SEARCH` and `CAP_SYS_PTRACE` of `<linux/capability.h>`.
const TWO: u64 = 1 << 2 | 1 << 19;

/// A leaky process of user 65534. `None`, said loudly, where users cannot be changed.
fn target(folder: &Path) -> Option<Leaky> {
    let mut program = as_nobody(folder, &binary("leaky", newest(), Mode::Plain))?;
    // Its environment belongs to its user alone.
    program.env("OTEL_SERVICE_NAME", "shop");
    Some(Leaky::start_by(program, 100))
}

/// A set of capabilities of a process, or of a thread of one.
fn set(path: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{path}/status")).ok()?;
    let set = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")))?;
    Some(u64::from_str_radix(set.trim(), 16).unwrap())
}

/// The helper of a service.
fn helper(service: &Service) -> u32 {
    wait::until("the service has a helper", || service.child("deferd-helper")).0
}

fn sees_the_leak(service: &Service) {
    let pending = || service.scrape().value("go_defer_pending", &[("job", "shop"), ("code_line_number", "33")]);
    let (before, _) = wait::until("the leak is shown under the service's name", pending);
    wait::until("it is seen to grow", || pending().filter(|pending| *pending > before));
    let regular = [("process_unix_file_descriptor_type", "regular")];
    wait::until("its files are shown by type", || {
        service.scrape().value("process_unix_file_descriptor_count_by_type", &regular).filter(|count| *count > 0.0)
    });
    let health =
        |reason| service.own_metrics().value("deferd_health", &[("component", "receivers::godefer"), ("reason", reason)]);
    // Whether there are probes is another question, and takes other rights.
    let degraded = ["no_permission", "system", "look_failed", "self_check"].map(health);
    assert_eq!(degraded, [None; 4]);
}

/// No thread of it has a right, and none can be had again.
fn has_no_rights(service: &Service, bounding: Option<u64>) {
    let threads = fs::read_dir(format!("/proc/{}/task", service.pid())).unwrap().flatten();
    let threads: Vec<String> =
        threads.map(|thread| format!("{}/task/{}", service.pid(), thread.file_name().to_string_lossy())).collect();
    assert!(threads.len() > 1, "{threads:?}");
    for thread in &threads {
        for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(set(thread, name), Some(0), "{thread} {name}");
        }
        assert_eq!(set(thread, "NoNewPrivs"), Some(1));
        assert!(bounding.is_none() || set(thread, "CapBnd") == bounding, "{thread}");
    }
    let helper = helper(service).to_string();
    let of_helper = ["CapPrm", "CapEff", "CapAmb", "NoNewPrivs"].map(|name| set(&helper, name));
    assert_eq!(of_helper, [Some(TWO), Some(TWO), Some(0), Some(1)]);
}

#[test]
fn user_0_looks_at_other_users_processes_without_any_right_and_the_helper_ends_with_it() {
    let folder = open_folder();
    let Some(target) = target(folder.path()) else { return };
    let watch = Watch::pids(&[target.pid()]);
    let service = Service::start(&watch.yaml(), watch.ports);
    has_no_rights(&service, Some(0));
    sees_the_leak(&service);
    let helper = helper(&service);
    target.kill();
    wait::until("its series have ended", || service.scrape().all("go_defer_pending", &[]).is_empty().then_some(()));
    assert_eq!(service.stop().code, Some(0));
    assert!(!Path::new(&format!("/proc/{helper}")).exists(), "the helper was left behind");
}

#[test]
fn a_unit_with_two_ambient_capabilities_looks_without_any_right() {
    let folder = open_folder();
    let Some(target) = target(folder.path()) else { return };
    let file = write_program(folder.path(), "deferd", &fs::read(deferd::binary()).unwrap());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=10001", "--regid=10001", "--clear-groups", "--no-new-privs"]);
    for sets in ["--inh-caps", "--ambient-caps", "--bounding-set"] {
        command.arg(format!("{sets}=-all,+sys_ptrace,+dac_read_search"));
    }
    command.arg(file);
    let watch = Watch::pids(&[target.pid()]);
    let service = Service::start_by(command, &watch.yaml(), watch.ports);
    // Without CAP_SETPCAP the bounding set stays; no program can be given anything from it any more.
    has_no_rights(&service, None);
    sees_the_leak(&service);
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn a_helper_does_not_outlive_a_service_that_is_killed() {
    let folder = open_folder();
    let Some(target) = target(folder.path()) else { return };
    let watch = Watch::pids(&[target.pid()]);
    let service = Service::start(&watch.yaml(), watch.ports);
    let helper = format!("/proc/{}", helper(&service));
    drop(service);
    // Nobody may collect it where there is no init; it does nothing any more in any case.
    let ended = || fs::read_to_string(format!("{helper}/status")).map_or(true, |status| status.contains("State:\tZ"));
    wait::until("the helper has ended", || ended().then_some(()));
}

#[test]
fn a_service_whose_helper_is_killed_goes_on_looking_and_says_what_it_cannot_do() {
    let folder = open_folder();
    let Some(first) = target(folder.path()) else { return };
    let mut watch = Watch::pids(&[first.pid()]);
    watch.include.push("{command_line: rate 77}".into());
    let service = Service::start(&watch.yaml(), watch.ports);
    sees_the_leak(&service);
    let pid = i32::try_from(helper(&service)).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    let second = Leaky::start_by(as_nobody(open_folder().path(), &binary("leaky", newest(), Mode::Plain)).unwrap(), 77);
    wait::until("what it cannot do is said", || {
        service.log().contains(&format!("process {}", second.pid())).then_some(())?;
        service.log().contains("the process that keeps the rights is gone").then_some(())
    });
    let pending = || service.scrape().value("go_defer_pending", &[("job", "shop"), ("code_line_number", "33")]);
    let (before, _) = wait::until("the first is still shown", pending);
    wait::until("it is still looked at", || pending().filter(|pending| *pending > before));
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn rights_are_kept_where_that_is_asked_for() {
    let folder = open_folder();
    let Some(target) = target(folder.path()) else { return };
    let watch = Watch::pids(&[target.pid()]);
    let mut command = Command::new(deferd::binary());
    command.arg("--keep-capabilities");
    let service = Service::start_by(command, &watch.yaml(), watch.ports);
    assert_ne!(set(&service.pid().to_string(), "CapEff"), Some(0));
    sees_the_leak(&service);
    assert_eq!(service.stop().code, Some(0));
}
