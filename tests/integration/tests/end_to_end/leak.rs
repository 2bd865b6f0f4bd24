//! The leak of the quick start, held against the program's own count.

use std::time::{Duration, Instant};

use deferd_fixtures::{missing, workspace};
use deferd_integration::config::{Ports, Watch};
use deferd_integration::deferd::{self, Service};
use deferd_integration::programs::{Counters, Leaky};
use deferd_integration::wait;

/// Snapshots bracketed by the program's own count.
const LOOKS: usize = 20;

#[test]
fn every_snapshot_of_a_growing_leak_lies_between_the_programs_own_counts() {
    let leaky = Leaky::start(1000);
    for _ in 0..LOOKS {
        let before = leaky.counters();
        let seen = deferd::snapshot(leaky.pid()).unwrap().pending_at(&before.site);
        let after = leaky.counters();
        assert!((before.pending..=after.pending_at_most).contains(&seen), "{before:?} then {seen} then {after:?}");
    }
    let paused = leaky.tell("pause");
    assert_eq!(paused.pending, paused.pending_at_most);
    let snapshot = deferd::snapshot(leaky.pid()).unwrap();
    assert_eq!(snapshot.pending_at(&paused.site), paused.pending, "equal while paused");
    let site = snapshot.sites.iter().find(|site| site.place() == paused.site).unwrap();
    assert_eq!(
        (site.function.as_str(), site.callee.as_str(), site.kind.as_str()),
        ("main.(*shipper).ship", "os.(*File).Close", "heap")
    );
    assert_eq!((site.goroutines, site.max_chain), (1, paused.pending));
    leaky.tell("stop");
    assert_eq!(deferd::snapshot(leaky.pid()).unwrap().pending_at(&paused.site), 0, "all ran");
}

#[test]
fn the_service_shows_the_leak_as_it_grows_holds_still_and_is_gone() {
    let leaky = Leaky::start(200);
    let watch = Watch::pids(&[leaky.pid()]);
    let service = Service::start(&watch.yaml(), watch.ports);
    let line = leaky.counters().line.to_string();
    let shown = || pending(&service, &line);

    // A value at least as large as the count before can only be of a snapshot taken after it.
    let mut slowest = Duration::ZERO;
    for _ in 0..5 {
        let before = leaky.counters();
        let (value, took) = wait::until("a snapshot newer than the count", || shown().filter(|value| *value >= count(&before)));
        let after = leaky.counters();
        assert!(value <= exact(after.pending_at_most), "{before:?} then {value} then {after:?}");
        slowest = slowest.max(took);
    }
    let growth = growth(&service, &line);

    let paused = leaky.tell("pause");
    let ((), to_equal) = wait::until("the paused count, exactly", || (shown() == Some(count(&paused))).then_some(()));
    let still = Instant::now();
    // Two more looks at a program that stands still say the same.
    wait::until("two intervals", || {
        assert_eq!(shown(), Some(count(&paused)));
        (still.elapsed() > Duration::from_millis(400)).then_some(())
    });
    leaky.tell("stop");
    wait::until("nothing pending", || (shown() == Some(0.0)).then_some(()));
    assert_eq!(service.stop().code, Some(0));
    missing::report(&format!(
        "leak: 200/s leaked, {growth:.0}/s reported; fresh within {slowest:?}, equal {to_equal:?} after a pause (interval 200 ms)"
    ));
}

/// The reported growth, once the history holds nothing but the leak at its full rate.
fn growth(service: &Service, line: &str) -> f64 {
    let within = 160.0..240.0;
    let name = growth_metric(service);
    let (growth, _) = wait::until("growth near 200 a second", || {
        service.scrape().value(&name, &site(line)).filter(|growth| within.contains(growth))
    });
    growth
}

/// The unit of a rate becomes part of the name by the OpenTelemetry rules.
fn growth_metric(service: &Service) -> String {
    let (name, _) = wait::until("the metric of growth", || {
        let exposition = service.scrape();
        exposition.names().into_iter().find(|name| name.starts_with("go_defer_pending_growth")).map(str::to_owned)
    });
    assert_eq!(name, "go_defer_pending_growth_per_second");
    name
}

fn site(line: &str) -> [(&'static str, &str); 3] {
    [("code_line_number", line), ("go_defer_callee", "os.(*File).Close"), ("go_defer_kind", "heap")]
}

fn pending(service: &Service, line: &str) -> Option<f64> {
    service.scrape().value("go_defer_pending", &site(line))
}

fn count(counters: &Counters) -> f64 {
    exact(counters.pending)
}

fn exact(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

#[test]
fn the_shipped_quick_start_finds_the_leak_of_a_process_that_nobody_named() {
    let leaky = Leaky::start_as(50, &[("OTEL_SERVICE_NAME", "quickstart-test")]);
    let ports = Ports::free();
    let shipped = std::fs::read_to_string(workspace().join("config/examples/quickstart.yaml")).unwrap();
    let text = shipped.replace("localhost:9464", &format!("127.0.0.1:{}", ports.exporter)).replace(
        "\nservice:\n",
        &format!("\nservice:\n  telemetry: {{metrics: {{address: \"127.0.0.1:{}\"}}}}\n", ports.own_metrics),
    );
    let service = Service::start(&text, ports);
    let line = leaky.counters().line.to_string();
    let labels = [("job", "quickstart-test"), ("code_line_number", line.as_str())];
    let (_, took) = wait::until("the leak is shown", || service.scrape().value("go_defer_pending", &labels));
    wait::until("it grows", || service.scrape().value("go_defer_pending_growth_per_second", &labels).filter(|rate| *rate > 1.0));
    assert_eq!(service.stop().code, Some(0));
    missing::report(&format!("quick start: the leak is shown {took:?} after the start"));
}
