//! The life of an alert: once, for as long as the leak, and not longer.

use std::time::{Duration, Instant};

use deferd_fixtures::missing;
use deferd_integration::alerting::{Alerting, Rule};
use deferd_integration::config::Watch;
use deferd_integration::leaks::Leak;
use deferd_integration::prometheus::Prometheus;
use deferd_integration::wait;

use super::{ON_THE_WAY, Stage, check_one_series, check_site, leaked, rule, serve};

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long the condition has to hold.
const HELD: Duration = Duration::from_secs(3);

/// How long the leak goes on while its alert fires.
const GROWS: Duration = Duration::from_secs(10);

#[test]
fn a_leak_is_one_critical_alert_until_it_ends_and_again_until_its_process_is_killed() {
    let Some(stage) = Stage::set() else { return };
    let leak = Leak::ready("files");
    let watch = Watch { interval: "1s".into(), ..Watch::pids(&[leak.pid()]) };
    let Some(prometheus) = Prometheus::start(watch.ports.exporter) else { return };
    let rule = Rule { held: "3s".into(), ..rule() };
    let service = serve(&Alerting::new(watch, stage.port, &rule.alone()));
    wait::until("Prometheus scrapes", || (prometheus.target_health().0 == "up").then_some(()));

    let begin = Instant::now();
    let fired = fires(&stage, &leak, &rule, (1, 0));
    leak.tell("stop");
    let resolved = stage.quiet((1, 1));
    let scrapes = check_one_series(&prometheus, &leak, begin);

    fires(&stage, &leak, &rule, (2, 1));
    let pid = leak.pid();
    leak.kill();
    let gone = stage.quiet((2, 2));
    assert!(stage.recorder.told().iter().all(|told| told.labels.get("severity").is_some_and(|it| it == "critical")));
    assert_eq!(service.stop().code, Some(0));
    missing::report(&format!(
        "alert: fires {fired:?} after the condition holds (for {HELD:?}, interval {INTERVAL:?}), resolved {resolved:?} after the leak's \
         end and {gone:?} after process {pid} was killed; go_defer_pending in each of {scrapes} scrapes, one series"
    ));
}

/// Lets it leak until the alert fires, and then some time more. How long after the condition held it fired.
fn fires(stage: &Stage, leak: &Leak, rule: &Rule, told: (usize, usize)) -> Duration {
    leak.tell("start");
    leaked(leak, rule.above);
    let (alert, took) = stage.one_alert(HELD + 2 * INTERVAL + ON_THE_WAY);
    assert!(took + INTERVAL >= HELD, "after {took:?} it was too early");
    assert_eq!((alert.label("alertname"), alert.label("severity")), (Rule::NAME, "critical"), "{alert:?}");
    check_site(&alert, leak);
    let summary = alert.annotations.get("summary").map(String::as_str).unwrap_or_default();
    assert!(summary.contains("pending in main.files"), "{alert:?}");

    wait::until("it is told", || (stage.recorder.counts() == told).then_some(()));
    let before = leak.counters().pending;
    stage.steady(&alert, GROWS);
    assert!(leak.counters().pending > before, "it grew all along");
    took
}
