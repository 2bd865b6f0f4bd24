//! `deferd demo`: a leaky Go service, built and started for the purpose, watched with the shipped configuration.
//!
//! What is shown is what a Prometheus would get: it is scraped from the `prometheus` exporter, and held to what the program
//! itself counts.

mod alarm;
mod fetch;
mod go;
mod leaky;
mod scrape;
mod truth;
mod watch;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use deferd_component::Registry;
use deferd_config::Source;

use super::arguments::DemoArguments;
use super::environment;
use crate::exit::Exit;
use crate::service::{self, Loaded, Log, Service, Signals};
use crate::terminal;
use go::Go;
use leaky::Leaky;

/// The configuration that is shown to work, as it is shipped.
const QUICKSTART: &str = include_str!("../../../config/examples/quickstart.yaml");

/// Builds, starts, watches, and cleans up in every case.
pub(crate) fn run(registry: &Registry, arguments: &DemoArguments) -> Exit {
    match demonstrate(registry, arguments) {
        Ok(exit) => exit,
        Err(error) => {
            error.to_string().lines().for_each(terminal::complain);
            Exit::Failed
        }
    }
}

fn demonstrate(registry: &Registry, arguments: &DemoArguments) -> Result<Exit, Box<dyn std::error::Error>> {
    let go = Go::find(say)?;
    // Removed when this function returns.
    let folder = tempfile::Builder::new().prefix("deferd-demo-").tempdir()?;
    say(&format!("builds tests/go/leaky with {}", go.version));
    let program = leaky::build(&go, folder.path())?;
    let leaky = Leaky::start(&program, folder.path())?;
    let scrape = free_address()?;
    let values = values(leaky.pid(), scrape);
    say(&format!("started it as process {}; it defers the close of a file in an endless loop, 40 times a second", leaky.pid()));
    say(&format!("watches it with config/examples/quickstart.yaml and these values:\n\n{values}"));
    let sources = [("quickstart.yaml", QUICKSTART), ("demo", &values)];
    let sources: Vec<Source> = sources.map(|(name, text)| Source::Text { name: name.to_owned(), bytes: text.into() }).to_vec();

    let loaded = match Loaded::read(registry, &sources, &environment) {
        Ok(loaded) => loaded,
        Err(problems) => {
            problems.iter().for_each(terminal::complain);
            return Ok(Exit::Failed);
        }
    };
    let log = Log::start(&loaded.service.telemetry.logs);
    let runtime = service::runtime()?;
    let exit = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let service = Service::start(registry, sources, environment, loaded, log)?;
        say(&format!("Prometheus can scrape:   curl http://{scrape}/metrics"));
        for address in service.addresses() {
            say(&format!("deferd about itself:     curl http://{address}/metrics"));
        }
        say(&format!("one look at any time:    deferd snapshot {}\n", leaky.pid()));
        let watched = watch::watch(&leaky, scrape, arguments.duration, &mut signals).await;
        let drained = service::drain(service, &mut signals).await;
        Ok::<Exit, Box<dyn std::error::Error>>(if watched? { drained } else { Exit::Failed })
    });
    runtime.shutdown_background();
    exit
}

/// What differs from the shipped configuration: whom to watch, how often, and ports that are free.
fn values(pid: u32, scrape: SocketAddr) -> String {
    format!(
        "\
receivers:
  godefer:
    targets: {{ include: [{{ pid: {pid} }}] }}
    snapshot: {{ interval: 1s }}
    min_age: 0s
processors:
  threshold:
    rules:
      # As in the pack `default`, but for 10 s in place of a minute.
      - name: {rule}
        metric: go.defer.pending
        match: {{ go.defer.kind: heap|rangefunc }}
        measure: slope
        window: 20s
        above: 0.1
        clear: 0.05
        for: 10s
        severity: critical
        summary: \"{{{{ value }}}} more deferred calls per second at {{{{ site }}}}\"
exporters:
  prometheus: {{ endpoint: \"{scrape}\", send_timestamps: true }}
service:
  telemetry:
    logs: {{ level: warn }}
    metrics: {{ address: \"127.0.0.1:0\" }}
",
        rule = watch::RULE
    )
}

/// An address nobody listens on now. Somebody may take it before the exporter does; then starting says so.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn say(text: &str) {
    terminal::show(&format!("demo: {text}\n"));
}
