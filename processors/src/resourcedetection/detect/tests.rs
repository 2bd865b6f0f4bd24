use std::collections::BTreeMap;

use super::*;

/// A machine that consists of these files and variables.
#[derive(Debug, Default)]
pub(in super::super) struct Pretend {
    files: BTreeMap<&'static str, String>,
    variables: BTreeMap<&'static str, String>,
}

impl Pretend {
    pub(in super::super) fn file(mut self, path: &'static str, text: &str) -> Self {
        self.files.insert(path, text.to_owned());
        self
    }

    pub(in super::super) fn variable(mut self, name: &'static str, text: &str) -> Self {
        self.variables.insert(name, text.to_owned());
        self
    }
}

impl Surroundings for Pretend {
    fn file(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn executable(&self) -> Option<PathBuf> {
        Some("/usr/bin/deferd".into())
    }

    fn pid(&self) -> u32 {
        77
    }
}

fn texts(found: impl IntoIterator<Item = (impl Into<String>, Value)>) -> Vec<String> {
    let text = |value| match value {
        Value::Text(text) => text,
        Value::Number(number) => number.to_string(),
    };
    found.into_iter().map(|(key, value)| format!("{}={}", key.into(), text(value))).collect()
}

#[test]
fn variables_are_read_as_the_specification_says() {
    let around = Pretend::default()
        .variable("OTEL_SERVICE_NAME", "shop")
        .variable("OTEL_RESOURCE_ATTRIBUTES", " service.name=other , site=a%20b+c,empty=,eq=x=y,");
    let config = Config::default();
    assert_eq!(texts(run(&config, &around).unwrap()), ["service.name=shop", "site=a b c", "empty=", "eq=x=y"]);
    let old = Pretend::default().variable("OTEL_RESOURCE", "a=b");
    assert_eq!(texts(run(&config, &old).unwrap()), ["a=b"]);
    assert_eq!(run(&config, &Pretend::default()), Ok(vec![]));
}

#[test]
fn a_variable_that_is_no_list_is_refused_as_a_whole() {
    for text in ["a", "a=b,c", "=b", "a=%ff", "a=b,,c=d"] {
        let around = Pretend::default().variable("OTEL_RESOURCE_ATTRIBUTES", text);
        assert!(env::detect(&around).is_err(), "{text}");
    }
}

#[test]
fn host_and_operating_system_come_from_files() {
    let around = Pretend::default()
        .file("/proc/sys/kernel/hostname", "web-1\n")
        .file("/proc/sys/kernel/ostype", "Linux\n")
        .file("/proc/sys/kernel/osrelease", "6.6.0\n")
        .file("/etc/machine-id", "0123abcd\n")
        .file("/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 13\"\nNAME='Debian GNU/Linux'\nVERSION_ID=\"13\"\nID=debian\n");
    let found = texts(system::detect(&around));
    let arch = system::detect(&Pretend::default());
    assert!(found.contains(&"host.name=web-1".to_owned()), "{found:?}");
    assert!(found.contains(&"host.id=0123abcd".to_owned()), "{found:?}");
    assert!(found.contains(&"os.name=Debian GNU/Linux".to_owned()), "{found:?}");
    assert!(found.contains(&"os.version=13".to_owned()), "{found:?}");
    let description = format!("os.description=Debian GNU/Linux 13 (Linux web-1 6.6.0 {})", std::env::consts::ARCH);
    assert!(found.contains(&description), "{found:?}");
    // Without files there is still what the build knows.
    assert_eq!(arch.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["host.arch", "os.type"]);
}

#[test]
fn only_what_is_switched_on_is_reported_and_the_first_detector_wins() {
    let around = Pretend::default()
        .file("/proc/sys/kernel/hostname", "web-1")
        .file("/etc/machine-id", "0123")
        .variable("OTEL_RESOURCE_ATTRIBUTES", "host.name=mine");
    let mut config = Config { detectors: vec![Detector::System, Detector::Env], ..Config::default() };
    assert_eq!(texts(run(&config, &around).unwrap()), ["host.name=web-1", "os.type=linux"]);
    config.system.resource_attributes.host_id.enabled = Some(true);
    config.system.resource_attributes.os_type.enabled = Some(false);
    config.detectors.reverse();
    assert_eq!(texts(run(&config, &around).unwrap()), ["host.name=mine", "host.id=0123"]);
}

#[test]
fn the_process_is_described_by_pid_and_executable() {
    let config = Config { detectors: vec![Detector::Process], ..Config::default() };
    let expected = ["process.pid=77", "process.executable.name=deferd", "process.executable.path=/usr/bin/deferd"];
    assert_eq!(texts(run(&config, &Pretend::default()).unwrap()), expected);
}

#[test]
fn a_container_is_found_by_its_group_or_else_by_its_mounts() {
    let (id, other) = ("8f3a1c".repeat(10) + "abcd", "1".repeat(64));
    let found = |group: &str, mounts: &str| {
        let around = Pretend::default().file("/proc/self/cgroup", group).file("/proc/self/mountinfo", mounts);
        texts(container::detect(&around))
    };
    let expected = vec![format!("container.id={id}")];
    assert_eq!(found(&format!("0::/system.slice/docker-{id}.scope"), ""), expected);
    assert_eq!(found(&format!("1:cpu:/kubepods/pod1/{id}\n0::/\n"), ""), expected);
    assert_eq!(found(&format!("1:m:/x.slice:cri-containerd:{id}"), ""), expected);
    let docker = format!("1 2 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw - ext4 /dev/sda rw\n");
    assert_eq!(found("0::/\n", &docker), expected);
    let podman = format!("1 2 0:1 /containers/overlay-containers/{id}/userdata/hosts /etc/hosts rw - tmpfs t rw\n");
    assert_eq!(found("0::/\n", &podman), expected);
    let sandbox = format!("1 2 8:1 /var/lib/containerd/sandboxes/{other}/resolv.conf /etc/resolv.conf rw - ext4 a rw\n");
    assert_eq!(found("0::/\n", &sandbox), [""; 0]);
    assert_eq!(found("0::/user.slice", "garbage\n\n / / /containers/"), [""; 0]);
}
