//! SIGHUP while the service runs and is scraped without pause.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deferd_fixtures::missing;
use deferd_integration::config::Watch;
use deferd_integration::deferd::{self, Service};
use deferd_integration::exposition::Exposition;
use deferd_integration::programs::Leaky;
use deferd_integration::{http, wait};

/// From SIGHUP to the configuration in force.
const APPLIED_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn a_new_interval_and_target_list_apply_within_a_second_without_a_gap_in_any_scrape() {
    let (kept, added) = (Leaky::start(500), Leaky::start(500));
    let line = kept.counters().line.to_string();
    // One look and then none for a minute: only a reload can change what is shown.
    let mut watch = Watch { interval: "60s".into(), ..Watch::pids(&[kept.pid()]) };
    let service = Service::start(&watch.yaml(), watch.ports);
    let (first, _) = wait::until("the first look", || shown(&service.scrape(), kept.pid(), &line));
    assert_eq!(shown(&service.scrape(), kept.pid(), &line), Some(first));

    let scrapes = hammered(
        watch.ports.exporter,
        |exposition| shown(exposition, kept.pid(), &line).is_some(),
        || {
            "200ms".clone_into(&mut watch.interval);
            let moved = applied(&service, &watch, || shown(&service.scrape(), kept.pid(), &line) > Some(first));
            watch.include.push(format!("{{pid: {}}}", added.pid()));
            let seen = applied(&service, &watch, || shown(&service.scrape(), added.pid(), &line).is_some());
            missing::report(&format!("reload: new interval in force after {moved:?}, new target shown after {seen:?}"));
            // The interval holds from then on: the value of a growing leak changes again and again.
            let mut last = 0.0;
            for _ in 0..3 {
                (last, _) =
                    wait::until("another look", || shown(&service.scrape(), kept.pid(), &line).filter(|value| *value > last));
            }
            watch.include.remove(1);
            applied(&service, &watch, || shown(&service.scrape(), added.pid(), &line).is_none());
        },
    );
    missing::report(&format!("reload: {scrapes} scrapes during three reloads, none refused, none without the series"));
    assert_eq!(service.own_metrics().value("deferd_config_reloads", &[("result", "applied"), ("trigger", "sighup")]), Some(3.0));
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn a_broken_file_changes_nothing_and_is_shown_until_it_is_mended() {
    let leaky = Leaky::start(500);
    let line = leaky.counters().line.to_string();
    let watch = Watch::pids(&[leaky.pid()]);
    let service = Service::start(&watch.yaml(), watch.ports);
    let (before, _) = wait::until("the first look", || shown(&service.scrape(), leaky.pid(), &line));

    let broken = watch.yaml().replace("interval: 200ms", "intervall: 200ms");
    service.reload(&broken);
    wait::until("the rejection is counted", || {
        (service.own_metrics().value("deferd_config_reloads", &[("result", "rejected"), ("trigger", "sighup")]) == Some(1.0))
            .then_some(())
    });
    let own = service.own_metrics();
    let degraded: Vec<_> = own.all("deferd_health", &[]).into_iter().filter(|sample| sample.value == 0.0).collect();
    assert!(degraded.iter().any(|sample| sample.has(&[("component", "deferd"), ("reason", "config_rejected")])), "{degraded:?}");

    // The log and `validate` say the same: file, line and key.
    let ended = deferd::run(["validate".as_ref(), "--config".as_ref(), service.file().as_os_str()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let row = 1 + broken.lines().position(|line| line.contains("intervall")).unwrap();
    for said in [service.log(), ended.stderr] {
        let place = format!("{}:{row}:", service.file().display());
        let line = said.lines().find(|line| line.contains(&place)).unwrap_or_else(|| panic!("{place} is not in {said}"));
        assert!(line.contains("receivers::godefer::snapshot::intervall"), "{line}");
        assert!(line.contains("did you mean \"interval\"?"), "{line}");
    }

    wait::until("the old configuration goes on", || {
        (shown(&service.scrape(), leaky.pid(), &line)? > before + 100.0).then_some(())
    });
    applied(&service, &watch, || {
        service.own_metrics().value("deferd_config_reloads", &[("result", "applied"), ("trigger", "sighup")]) >= Some(1.0)
    });
    let own = service.own_metrics();
    assert!(own.all("deferd_health", &[]).iter().all(|sample| sample.label("reason") == "ok"), "healthy again");
    assert_eq!(service.stop().code, Some(0));
}

/// Reloads, and waits until that shows; how long it took from SIGHUP.
fn applied(service: &Service, watch: &Watch, shows: impl Fn() -> bool) -> Duration {
    let begin = Instant::now();
    service.reload(&watch.yaml());
    wait::within(APPLIED_WITHIN, "the reload is applied", || shows().then_some(()));
    begin.elapsed()
}

/// Scrapes without pause, from before `act` until after it. Returns the number of scrapes.
fn hammered(port: u16, complete: impl Fn(&Exposition) -> bool + Sync, act: impl FnOnce()) -> usize {
    let over = AtomicBool::new(false);
    let scrape = || {
        let mut scrapes = 0;
        while !over.load(Ordering::Relaxed) {
            let answer = http::get(([127, 0, 0, 1], port).into(), "/metrics").expect("the port is never closed");
            assert_eq!(answer.status, 200);
            assert!(complete(&Exposition::parse(&answer.body)), "a gap in scrape {scrapes}: {}", answer.body);
            scrapes += 1;
        }
        scrapes
    };
    std::thread::scope(|scope| {
        let scraping = scope.spawn(scrape);
        // The thread must end even if what is done fails, or the failure would never be told.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
        over.store(true, Ordering::Relaxed);
        let scrapes = scraping.join().unwrap();
        done.unwrap();
        scrapes
    })
}

/// What is shown for the leak of a process.
fn shown(exposition: &Exposition, pid: u32, line: &str) -> Option<f64> {
    let info = exposition.all("target_info", &[("process_pid", &pid.to_string())]);
    let instance = info.first()?.label("instance").to_owned();
    exposition.value("go_defer_pending", &[("instance", &instance), ("code_line_number", line)])
}
