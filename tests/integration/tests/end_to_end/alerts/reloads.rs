//! Two hundred reloads under a leak whose alert fires.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use deferd_fixtures::missing;
use deferd_integration::alerting::{Alerting, Backend, Rule};
use deferd_integration::config::Watch;
use deferd_integration::deferd::Service;
use deferd_integration::leaks::Leak;
use deferd_integration::lookalikes::LookAlike;
use deferd_integration::otlp_sink::Sink;
use deferd_integration::prometheus::Prometheus;
use deferd_integration::wait;

use super::{RESOLVED_WITHIN, Stage, check_one_series, emitted, is_same, leaked, rule, serve};

const RELOADS: u32 = 200;

/// The highest limit that is set. The leak is past it before the first reload, so none of them may end the alert.
const HIGHEST: u32 = 300;

#[test]
fn two_hundred_reloads_in_random_order_leave_an_alert_that_fires_alone() {
    let Some(stage) = Stage::set() else { return };
    let seed = std::env::var("DEFERD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    missing::report(&format!("reloads: DEFERD_SEED={seed}"));
    let (leak, other) = (Leak::ready("files"), LookAlike::start("churn"));
    let folder = tempfile::tempdir().unwrap();
    let mut plan = Plan::new(seed, folder.path(), &leak, &other, stage.port);
    let sink = Sink::start();
    plan.alerting.otlp = Some(Backend::new(sink.port()));
    let Some(prometheus) = Prometheus::start(plan.alerting.watch.ports.exporter) else { return };
    let service = serve(&plan.alerting);
    leak.tell("start");
    leaked(&leak, HIGHEST);
    let (alert, _) = stage.one_alert(wait::PATIENCE);
    wait::until("it is told", || (stage.recorder.counts() == (1, 0)).then_some(()));
    wait::until("Prometheus has it", || (!prometheus.query(&super::selector(&leak)).is_empty()).then_some(()));

    let begin = Instant::now();
    for number in 1..=RELOADS {
        let what = plan.change();
        service.reload(&plan.alerting.yaml());
        applied(&service, number, what);
        let alerts = stage.alertmanager.alerts();
        assert!(matches!(alerts.as_slice(), [one] if is_same(one, &alert)), "reload {number}, {what}: {alerts:?}");
        assert_eq!(stage.recorder.counts(), (1, 0), "reload {number}, {what}: {:?}", stage.recorder.told());
    }
    let took = begin.elapsed();
    // Whatever a reload has set off shows within three refreshes.
    stage.steady(&alert, Duration::from_secs(4));
    let scrapes = check_one_series(&prometheus, &leak, begin);
    let points = all_arrived_once(&service, &sink);
    leak.tell("stop");
    wait::within(RESOLVED_WITHIN, "the end is told", || (stage.recorder.counts() == (1, 1)).then_some(()));
    assert_eq!(service.stop().code, Some(0));
    missing::report(&format!(
        "reloads: {RELOADS} in {took:?}, one alert, told once; {scrapes} scrapes, none failed or without it; \
         {points} points by OTLP over one connection, 0 lost, 0 duplicated"
    ));
}

/// Everything that threshold has let through has arrived at the backend, once, over one connection. Returns how many points that is.
fn all_arrived_once(service: &Service, sink: &Sink) -> usize {
    // Between two looks nothing is on its way.
    let (points, _) = wait::until("all points have arrived", || {
        let points = sink.look(|received| received.points);
        let same = f64::from(u32::try_from(points).unwrap()).to_bits() == emitted(service).to_bits();
        same.then_some(points)
    });
    let twice = sink.look(|received| {
        let repeated = |points: &[(u64, f64)]| points.len() - points.iter().map(|(time, _)| time).collect::<BTreeSet<_>>().len();
        received.series.values().map(|points| repeated(points)).sum::<usize>()
    });
    assert_eq!((twice, sink.connections()), (0, 1), "points that came twice, connections");
    points
}

/// Waits until so many reloads are in force.
fn applied(service: &Service, number: u32, what: &str) {
    let count = |result| {
        let labels = [("result", result), ("trigger", "sighup")];
        service.own_metrics().value("deferd_config_reloads", &labels).unwrap_or_default()
    };
    wait::until("the reload is applied", || {
        assert!(count("rejected") < 1.0, "{what}: {}", service.log());
        (count("applied") >= f64::from(number)).then_some(())
    });
}

/// The configuration, and what is changed about it.
struct Plan<'a> {
    random: fastrand::Rng,
    folder: &'a Path,
    rule: Rule,
    include: String,
    leak: u32,
    other: u32,
    alerting: Alerting,
}

impl<'a> Plan<'a> {
    fn new(seed: u64, folder: &'a Path, leak: &Leak, other: &LookAlike, alertmanager: u16) -> Self {
        let rule = rule();
        let alerting = Alerting::new(Watch::pids(&[leak.pid()]), alertmanager, &rule.alone());
        let random = fastrand::Rng::with_seed(seed);
        Self { random, folder, rule, include: String::new(), leak: leak.pid(), other: other.pid(), alerting }
    }

    /// One change by chance, and its name.
    fn change(&mut self) -> &'static str {
        let what = match self.random.u8(..6) {
            0 => {
                self.rule.above = self.random.u32(10..=HIGHEST);
                "limit"
            }
            1 => {
                self.rule.held = format!("{}s", self.random.u8(1..=3));
                "for"
            }
            2 => {
                let both = [format!("{{pid: {}}}", self.leak), format!("{{pid: {}}}", self.other)];
                let count = 3 - self.alerting.watch.include.len();
                self.alerting.watch.include = both.into_iter().take(count).collect();
                "targets"
            }
            3 => {
                self.alerting.with_nop = !self.alerting.with_nop;
                "exporters"
            }
            4 => {
                self.rule_file();
                "rule file"
            }
            _ => {
                self.alerting.watch.interval = format!("{}ms", self.random.u32(200..=400));
                "interval"
            }
        };
        self.alerting.threshold = format!("include: [{}], rules: [{}]", self.include, self.rule.yaml());
        what
    }

    /// Writes a file of rules that never fire, and includes it or no longer does.
    fn rule_file(&mut self) {
        let file = self.folder.join("rules.yaml");
        let rules = (0..self.random.u8(1..=5)).map(|number| {
            format!(
                "  - {{name: never_{number}, metric: go.goroutine.count, measure: value, above: {}, severity: medium}}\n",
                u32::MAX
            )
        });
        std::fs::write(&file, format!("rules:\n{}", rules.collect::<String>())).unwrap();
        self.include = if self.include.is_empty() { format!("'${{file:{}}}'", file.display()) } else { String::new() };
    }
}
