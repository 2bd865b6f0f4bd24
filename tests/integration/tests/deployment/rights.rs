//! The right to read another user's process, as systemd and Kubernetes give it: the same sets of capabilities, made by `setpriv`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::config::Watch;
use deferd_integration::deferd::{self, Service};
use deferd_integration::process::{self, Ended, is_installed};
use deferd_integration::programs::{Leaky, as_nobody, executable, open_folder, write_program};
use deferd_integration::wait;

/// The user of the image and, here, of the unit.
const USER: [&str; 3] = ["--reuid=10001", "--regid=10001", "--clear-groups"];

/// What a container has that drops every capability and adds one, and what it has without that one.
const ONE: &str = "--bounding-set=-all,+sys_ptrace";
const NONE: &str = "--bounding-set=-all";

/// What it has that adds the right to read every file.
const TWO: &str = "--bounding-set=-all,+sys_ptrace,+dac_read_search";

/// A process of user 65534, and deferd without and with the right in its file.
struct World {
    target: Leaky,
    deferd: PathBuf,
    marked: PathBuf,
    _folder: tempfile::TempDir,
}

impl World {
    /// `None`, said loudly, where users cannot be changed or rights given.
    fn new() -> Option<Self> {
        let folder = open_folder();
        let program = as_nobody(folder.path(), &binary("leaky", newest(), Mode::Plain))?;
        let image = fs::read(deferd::binary()).unwrap();
        let (deferd, marked) = (write_program(folder.path(), "deferd", &image), write_program(folder.path(), "marked", &image));
        if !is_installed("setcap") {
            missing::skip("rights in files", "setcap is not installed (apt-get install libcap2-bin)");
            return None;
        }
        let mut setcap = Command::new("setcap");
        let given = process::run({
            setcap.arg("cap_sys_ptrace+ep").arg(&marked);
            setcap
        });
        assert_eq!(given.code, Some(0), "{}", given.stderr);
        // With a name in its environment, which belongs to its user alone, too.
        let mut program = program;
        program.env("OTEL_SERVICE_NAME", "shop");
        Some(Self { target: Leaky::start_by(program, 100), deferd, marked, _folder: folder })
    }

    /// `deferd snapshot` of the target by `file`, started with these rights by a runtime whose last step has those.
    fn snapshot(&self, rights: &[&str], last_step: &[&str], file: &Path) -> Ended {
        let mut command = Command::new("setpriv");
        // The first setpriv keeps what it may; its exec of the second leaves what exec leaves.
        command.args(rights).arg("setpriv").args(last_step).arg(file).args(["snapshot", &self.target.pid().to_string()]);
        process::run(command)
    }

    fn sees(&self, rights: &[&str], last_step: &[&str], file: &Path) {
        let ended = self.snapshot(rights, last_step, file);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("main.go:33"), "{}", ended.stdout);
    }
}

/// What a unit with `User=`, `AmbientCapabilities=` and `CapabilityBoundingSet=` has.
fn as_systemd_does(file: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(USER).args(["--inh-caps=-all,+sys_ptrace", "--ambient-caps=-all,+sys_ptrace", ONE, "--no-new-privs"]).arg(file);
    command
}

#[test]
fn the_unit_s_right_is_enough_for_the_service_to_watch_and_name_another_user_s_process() {
    let Some(world) = World::new() else { return };
    let watch = Watch::pids(&[world.target.pid()]);
    let service = Service::start_by(as_systemd_does(&world.deferd), &watch.yaml(), watch.ports);
    let pending = || service.scrape().value("go_defer_pending", &[("job", "shop"), ("code_line_number", "33")]);
    wait::until("the leak is shown under the service's name", || pending().filter(|pending| *pending > 0.0));
    let health =
        |reason| service.own_metrics().value("deferd_health", &[("component", "receivers::godefer"), ("reason", reason)]);
    wait::until("what probes would tell is missed", || health("no_probes"));
    assert_eq!(health("no_permission"), None, "looking takes this right alone");
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn user_0_with_one_capability_needs_nothing_in_the_file() {
    let Some(world) = World::new() else { return };
    world.sees(&[ONE], &["--no-new-privs"], &world.deferd);
}

#[test]
fn another_user_of_a_container_needs_the_right_in_the_file_and_may_gain_privileges() {
    let Some(world) = World::new() else { return };
    let user = [USER.as_slice(), &[ONE]].concat();
    world.sees(&user, &[], &world.marked);
    for (last_step, file) in [(&[][..], &world.deferd), (&["--no-new-privs"], &world.marked)] {
        let ended = world.snapshot(&user, last_step, file);
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(ended.stderr.contains("CAP_SYS_PTRACE"), "{}", ended.stderr);
    }
}

#[test]
fn a_file_with_the_right_does_not_start_where_the_container_lacks_it() {
    let Some(world) = World::new() else { return };
    let user = [USER.as_slice(), &[NONE]].concat();
    let ended = world.snapshot(&user, &[], &world.marked);
    assert!(ended.code != Some(0) && ended.stderr.contains("Operation not permitted"), "{ended:?}");
}

#[test]
fn a_program_that_its_user_alone_may_read_takes_a_second_right_which_is_the_one_that_is_named() {
    let Some(world) = World::new() else { return };
    let program = executable(world.target.pid()).unwrap();
    chown(&program, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    let ended = world.snapshot(&[ONE], &["--no-new-privs"], &world.deferd);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("needs CAP_DAC_READ_SEARCH beside CAP_SYS_PTRACE"), "{}", ended.stderr);
    world.sees(&[TWO], &["--no-new-privs"], &world.deferd);
}
