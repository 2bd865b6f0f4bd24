//! SIGHUP: a good configuration is applied, a broken one changes nothing, and the ports stay open.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{ConfigFile, QUIET, Service};

/// The promise.
const APPLIED_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn a_changed_configuration_is_applied_within_a_second_and_says_what_it_did() {
    let config = ConfigFile::new(QUIET);
    let mut service = Service::start(&config);
    config.write(&QUIET.replace("interval: 5s", "interval: 1s"));
    let asked = Instant::now();
    service.signal(Signal::HUP);
    service.line("Configuration applied");
    assert!(asked.elapsed() < APPLIED_WITHIN, "took {:?}", asked.elapsed());
    service.line("changed: receivers::godefer");
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"sighup\"} 1");
}

#[test]
fn a_broken_configuration_changes_nothing_until_it_is_mended() {
    let config = ConfigFile::new(QUIET);
    let mut service = Service::start(&config);
    config.write(&QUIET.replace("interval: 5s", "intervl: 5s"));
    service.signal(Signal::HUP);
    let problem = service.line("unknown key");
    assert!(problem.contains("config.yaml:4:17: receivers::godefer::snapshot::intervl"), "{problem}");
    service.line("Configuration rejected: the one before stays in place");
    service.metric("deferd_health{component=\"deferd\",reason=\"config_rejected\"} 0");
    service.metric("deferd_config_last_reload_successful 0");
    service.metric("deferd_config_reloads{result=\"rejected\",trigger=\"sighup\"} 1");
    config.write(QUIET);
    service.signal(Signal::HUP);
    service.line("Configuration applied");
    service.metric("deferd_health{component=\"deferd\",reason=\"ok\"} 1");
    service.metric("deferd_config_last_reload_successful 1");
    service.signal(Signal::TERM);
    assert_eq!(service.ended().code(), Some(0));
}

#[test]
fn signals_in_quick_succession_end_in_the_last_configuration() {
    let config = ConfigFile::new(QUIET);
    let mut service = Service::start(&config);
    for interval in 1..=20 {
        config.write(&QUIET.replace("interval: 5s", &format!("interval: {interval}s")));
        service.signal(Signal::HUP);
        // Every scrape in between is answered: the port never closes.
        service.scrape();
    }
    config.write(&QUIET.replace("debug:\n", "debug:\n  debug/last:\n").replace("[debug]", "[debug/last]"));
    service.signal(Signal::HUP);
    service.line("added: exporters::debug/last for metrics");
    let applied = service.scrape();
    let count = applied
        .lines()
        .find_map(|line| line.strip_prefix("deferd_config_reloads{result=\"applied\",trigger=\"sighup\"} "))
        .unwrap();
    assert!((1..=21).contains(&count.parse::<u32>().unwrap()), "{count}");
}

#[test]
fn the_log_changes_its_form_and_the_endpoint_its_place() {
    let config = ConfigFile::new(QUIET);
    let mut service = Service::start(&config);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let other = QUIET.replace("127.0.0.1:0", &free.to_string()).replace("telemetry: {", "telemetry: { logs: { encoding: json },");
    config.write(&other);
    service.signal(Signal::HUP);
    let line = service.line("Configuration applied");
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&object["level"], &object["msg"]), (&"info".into(), &"Configuration applied".into()));
    service.metrics = free;
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"sighup\"} 1");
}
