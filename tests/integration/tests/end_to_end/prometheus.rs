//! A real Prometheus scrapes what the service shows.

use deferd_fixtures::missing;
use deferd_integration::config::Watch;
use deferd_integration::deferd::Service;
use deferd_integration::programs::Leaky;
use deferd_integration::prometheus::{Prometheus, SCRAPE_INTERVAL, Series};
use deferd_integration::wait;

#[test]
fn two_processes_of_one_service_are_two_series_and_the_one_that_ends_goes_stale() {
    let start = || Leaky::start_as(50, &[("OTEL_SERVICE_NAME", "shop")]);
    let (stays, ends) = (start(), start());
    let watch = Watch::pids(&[stays.pid(), ends.pid()]);
    let Some(prometheus) = Prometheus::start(watch.ports.exporter) else { return };
    let service = Service::start(&watch.yaml(), watch.ports);
    let line = stays.counters().line;
    let query = || prometheus.query(&format!("go_defer_pending{{job=\"shop\",code_line_number=\"{line}\"}}"));

    let (both, _) = wait::until("two series of the service", || Some(query()).filter(|series| series.len() == 2));
    assert_eq!(prometheus.target_health(), ("up".into(), String::new()));
    check_labels(&both);
    let grew = |series: &Series| {
        let now = query().into_iter().find(|other| other.labels == series.labels);
        now.is_some_and(|now| now.value > series.value)
    };
    wait::until("both grow", || both.iter().all(grew).then_some(()));

    ends.kill();
    let (left, took) =
        wait::until("the series of the ended process is stale", || Some(query()).filter(|series| series.len() == 1));
    let left = left.first().unwrap();
    assert!(both.iter().any(|series| series.labels == left.labels), "the other stays as it was: {left:?}");
    // A look to notice, a scrape to tell, and time for both on a busy machine; Prometheus itself would wait five minutes.
    assert!(took < SCRAPE_INTERVAL * 10, "stale after {took:?}");
    wait::until("the other still grows", || grew(left).then_some(()));
    assert_eq!(left.label("instance"), instance_of(&service, stays.pid()));
    assert_eq!(service.stop().code, Some(0));
    missing::report(&format!("prometheus: stale {took:?} after the process ended (scraped every {SCRAPE_INTERVAL:?})"));
}

fn check_labels(both: &[Series]) {
    let [one, other] = both else { panic!("not two: {both:?}") };
    assert_ne!(one.label("instance"), other.label("instance"));
    for series in both {
        assert_eq!(series.label("code_function_name"), "main.(*shipper).ship");
        assert!(series.label("code_file_path").ends_with("main.go"), "{series:?}");
        assert_eq!(series.label("go_defer_callee"), "os.(*File).Close");
        assert_eq!(series.label("go_defer_kind"), "heap");
        assert_eq!(series.label("instance").len(), "123e4567-e89b-12d3-a456-426614174000".len());
        assert_eq!(series.label("exported_instance"), "", "honor_labels keeps the target's own");
    }
}

/// The instance of a process, out of the resource that the exporter shows beside the series.
fn instance_of(service: &Service, pid: u32) -> String {
    let scrape = service.scrape();
    let info = scrape.all("target_info", &[("process_pid", &pid.to_string())]);
    let [info] = info.as_slice() else { panic!("target_info of {pid}: {info:?}") };
    info.label("instance").to_owned()
}
