//! Starting and ending.

use std::net::TcpListener;

use rustix::process::Signal;

use crate::support::{ConfigFile, QUIET, Service, output};

#[test]
fn a_service_that_is_told_to_stop_drains_and_ends_with_0() {
    for (signal, name) in [(Signal::TERM, "terminated"), (Signal::INT, "interrupt")] {
        let mut service = Service::start(&ConfigFile::new(QUIET));
        service.metric("deferd_health{component=\"deferd\",reason=\"ok\"} 1");
        service.signal(signal);
        service.line(name);
        service.line("Shutdown complete.");
        assert_eq!(service.ended().code(), Some(0));
    }
}

#[test]
fn its_own_metrics_have_the_collectors_names() {
    let service = Service::start(&ConfigFile::new(QUIET));
    let text = service.scrape();
    let names = [
        "otelcol_process_uptime ",
        "otelcol_process_cpu_seconds ",
        "otelcol_process_memory_rss ",
        "otelcol_exporter_queue_capacity{",
        "target_info{service_instance_id=",
    ];
    for name in names {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing in {text}");
    }
}

#[test]
fn a_port_in_use_is_a_start_error_with_address_and_hint() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let hint = "(another process has it; `ss -ltnp` shows which, port 0 picks a free one)";

    let own = ConfigFile::new(&QUIET.replace("127.0.0.1:0", &address));
    let (code, _, stderr) = output(&["--config", own.path().to_str().unwrap()]);
    let error = stderr.lines().find(|line| line.starts_with("Error: ")).unwrap_or_default();
    assert_eq!(code, 1);
    assert!(error.starts_with(&format!("Error: service::telemetry::metrics: cannot listen on {address}")), "{stderr}");
    assert!(error.contains(hint), "{stderr}");

    let exporter = ConfigFile::new(
        &QUIET
            .replace("  debug:\n", &format!("  prometheus: {{ endpoint: \"{address}\" }}\n"))
            .replace("[debug]", "[prometheus]"),
    );
    let (code, _, stderr) = output(&["--config", exporter.path().to_str().unwrap()]);
    let error = stderr.lines().find(|line| line.starts_with("Error: ")).unwrap_or_default();
    assert_eq!(code, 1);
    assert!(
        error.starts_with(&format!("Error: failed to build pipelines: exporters::prometheus: cannot listen on {address}")),
        "{stderr}"
    );
    assert!(error.contains(hint), "{stderr}");
}

#[test]
fn an_exporter_cannot_take_the_address_of_the_services_own_metrics() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let both = QUIET.replace("127.0.0.1:0", &free).replace("  debug:\n", &format!("  prometheus: {{ endpoint: \"{free}\" }}\n"));
    let config = ConfigFile::new(&both.replace("[debug]", "[prometheus]"));
    let (code, _, stderr) = output(&["--config", config.path().to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("cannot listen on {free}: service::telemetry::metrics already does")), "{stderr}");
}
