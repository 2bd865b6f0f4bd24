//! Files that are watched: a change is read, a broken one is told once, and what is being written is left alone.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::process::Signal;

use crate::support::{ConfigFile, QUIET, Service};

fn watched() -> String {
    QUIET.replace("service:\n", "service:\n  reload: { watch_files: true, interval: 100ms }\n")
}

#[test]
fn a_changed_file_is_applied_and_a_broken_one_is_told_once() {
    let config = ConfigFile::new(&watched());
    let mut service = Service::start(&config);
    config.write(&watched().replace("interval: 5s", "interval: 1s"));
    service.line("Configuration applied");
    service.line("changed: receivers::godefer");
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"file\"} 1");

    config.write(&watched().replace("interval: 5s", "intervl: 5s"));
    let problem = service.line("unknown key");
    assert!(problem.contains("config.yaml:4:17: receivers::godefer::snapshot::intervl"), "{problem}");
    service.line("Configuration rejected: the one before stays in place");
    config.write(&watched().replace("interval: 5s", "interval: 2s"));
    service.line("Configuration applied");
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"file\"} 2");
    service.metric("deferd_config_reloads{result=\"rejected\",trigger=\"file\"} 1");
    service.signal(Signal::TERM);
    assert_eq!(service.whole_log().matches("unknown key").count(), 1);
}

#[test]
fn a_config_map_that_is_swapped_is_read_again_and_so_is_what_it_refers_to() {
    let config = ConfigFile::new("");
    let version = |name: &str, interval: &str| {
        let folder = config.beside(name);
        fs::create_dir(&folder).unwrap();
        let part = config.beside("..data/part.yaml");
        let text = watched().replace("{ interval: 5s }", &format!("\"${{file:{}}}\"", part.display()));
        fs::write(folder.join("config.yaml"), text).unwrap();
        fs::write(folder.join("part.yaml"), format!("interval: {interval}\n")).unwrap();
        // As the kubelet does: another link is renamed over the one in use.
        symlink(name, config.beside("..next")).unwrap();
        fs::rename(config.beside("..next"), config.beside("..data")).unwrap();
    };
    version("..one", "5s");
    fs::remove_file(config.path()).unwrap();
    symlink("..data/config.yaml", config.path()).unwrap();
    let mut service = Service::start(&config);
    version("..two", "3s");
    service.line("changed: receivers::godefer");
    fs::write(config.beside("..two/part.yaml"), "interval: 3s\nintervl: 4s\n").unwrap();
    let problem = service.line("unknown key");
    assert!(problem.contains("..data/part.yaml:2:1: receivers::godefer::snapshot::intervl: unknown key"), "{problem}");
    fs::write(config.beside("..two/part.yaml"), "interval: 4s\n").unwrap();
    service.line("Configuration applied");
}

#[test]
fn a_file_that_is_gone_and_comes_back_is_told_and_read() {
    let config = ConfigFile::new(&watched());
    let mut service = Service::start(&config);
    fs::remove_file(config.path()).unwrap();
    service.line("unable to read the file");
    service.line("Configuration rejected");
    config.write(&watched());
    service.line("Configuration applied");
    service.line("kept: 2 instances");
}

#[test]
fn watching_begins_and_ends_with_the_configuration() {
    let config = ConfigFile::new(QUIET);
    let mut service = Service::start(&config);
    config.write(&watched());
    service.signal(Signal::HUP);
    service.line("changed: service::reload");
    config.write(QUIET);
    service.line("changed: service::reload");
    config.write(&QUIET.replace("interval: 5s", "interval: 1s"));
    service.signal(Signal::HUP);
    service.line("changed: receivers::godefer");
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"sighup\"} 2");
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"file\"} 1");
}
