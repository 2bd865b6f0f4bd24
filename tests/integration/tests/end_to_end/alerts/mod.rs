//! Alerts from end to end: a Go program leaks, a real Alertmanager is told, and tells a webhook.

use std::time::{Duration, Instant};

use deferd_integration::alerting::{Alerting, Rule};
use deferd_integration::alertmanager::{Alert, Alertmanager};
use deferd_integration::deferd::Service;
use deferd_integration::leaks::Leak;
use deferd_integration::prometheus::{Prometheus, SCRAPE_INTERVAL};
use deferd_integration::wait;
use deferd_integration::webhook::Recorder;

mod backend;
mod life;
mod look_alikes;
mod outage;
mod reloads;
mod severity;

/// Between the end of a leak and the end of its alert.
const RESOLVED_WITHIN: Duration = Duration::from_secs(30);

/// From the alert in deferd to Alertmanager's answer, and for a busy machine.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// Alertmanager, and who it tells.
struct Stage {
    recorder: Recorder,
    alertmanager: Alertmanager,
    port: u16,
}

impl Stage {
    /// `None`, said loudly, without an Alertmanager.
    fn set() -> Option<Self> {
        // Built, if it has to be, before anybody is started who would miss it meanwhile.
        deferd_integration::deferd::binary();
        Alertmanager::is_here().then(|| {
            let recorder = Recorder::start();
            let (alertmanager, port) = Alertmanager::start_anywhere(&recorder);
            Self { recorder, alertmanager, port }
        })
    }

    /// Waits for the one alert that fires.
    fn one_alert(&self, within: Duration) -> (Alert, Duration) {
        wait::within(within, "one alert", || {
            let alerts = self.alertmanager.alerts();
            assert!(alerts.len() <= 1, "{alerts:?}");
            alerts.into_iter().next()
        })
    }

    /// Waits until none fires and people were told so often that one does, and so often that one no longer does.
    fn quiet(&self, told: (usize, usize)) -> Duration {
        let told_so = || self.alertmanager.alerts().is_empty() && self.recorder.counts() == told;
        let looks = || told_so().then_some(());
        wait::within(RESOLVED_WITHIN, &format!("no alert, told {told:?}"), looks).1
    }

    /// For some time the alert is the only one, stays what it is, and nobody is told anything new.
    fn steady(&self, alert: &Alert, time: Duration) {
        let (told, begin) = (self.recorder.counts(), Instant::now());
        wait::within(time * 2, "time passes", || {
            let alerts = self.alertmanager.alerts();
            let same = matches!(alerts.as_slice(), [one] if is_same(one, alert));
            assert!(same, "{alert:?} has become {alerts:?}");
            assert_eq!(self.recorder.counts(), told, "{:?}", self.recorder.told());
            wait::pause(Duration::from_millis(50));
            (begin.elapsed() >= time).then_some(())
        });
    }
}

/// Whether this is the same alert, and has been all the time.
fn is_same(one: &Alert, other: &Alert) -> bool {
    (&one.fingerprint, &one.labels, &one.starts_at) == (&other.fingerprint, &other.labels, &other.starts_at)
}

/// The alert names the statement at fault.
fn check_site(alert: &Alert, leak: &Leak) {
    let site = leak.site();
    assert_eq!(alert.label("site"), format!("{}:{}", site.file, site.line), "{alert:?}");
    assert_eq!(alert.label("function"), site.function, "{alert:?}");
    assert_eq!(alert.label("go_defer_kind"), leak.kind(), "{alert:?}");
}

/// Waits until more than so many calls are pending, by the program's own count.
fn leaked(leak: &Leak, above: u32) {
    wait::until("the leak has grown", || (leak.counters().pending > u64::from(above)).then_some(()));
}

/// What is pending at the leak's statement, as a label selector of Prometheus.
fn selector(leak: &Leak) -> String {
    let site = leak.site();
    format!("go_defer_pending{{code_function_name=\"{}\",code_line_number=\"{}\"}}", site.function, site.line)
}

/// The leak was one series all the time: every scrape between its first and its last brought a sample of it.
fn check_one_series(prometheus: &Prometheus, leak: &Leak, since: Instant) -> usize {
    let seconds = since.elapsed().as_secs() + 2;
    let found = prometheus.samples(&selector(leak), seconds);
    let [series] = found.as_slice() else { panic!("not one series: {found:?}") };
    let scrapes = prometheus.samples("up", seconds);
    let [scrapes] = scrapes.as_slice() else { panic!("not one job: {scrapes:?}") };
    let time = |sample: Option<&(f64, f64)>| sample.map(|(time, _)| *time).unwrap();
    let (first, last) = (time(series.values.first()), time(series.values.last()));
    let expected = scrapes.values.iter().filter(|(time, _)| (first..=last).contains(time)).count();
    assert!(scrapes.values.iter().all(|(_, up)| *up > 0.5), "a scrape failed: {scrapes:?}");
    assert_eq!(series.values.len(), expected, "a gap: {series:?} of {scrapes:?}");
    assert!(series.longest_gap() < 3.0 * SCRAPE_INTERVAL.as_secs_f64(), "{series:?}");
    expected
}

/// Starts the service.
fn serve(alerting: &Alerting) -> Service {
    Service::start(&alerting.yaml(), alerting.watch.ports)
}

/// Points that threshold has let through so far.
fn emitted(service: &Service) -> f64 {
    let labels = [("processor", "threshold"), ("otel_signal", "metrics")];
    service.own_metrics().value("otelcol_processor_outgoing_items", &labels).unwrap_or_default()
}

/// More than a hundred for two seconds.
fn rule() -> Rule {
    Rule { above: 100, held: "2s".into(), severity: "critical".into() }
}
