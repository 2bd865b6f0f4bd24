//! What is due when, with a time that the test makes.

use super::*;

const ONE: &str = "http://localhost:9093";

/// An exporter and its clock.
struct History {
    exporter: Alertmanager,
    begin: Instant,
}

impl History {
    fn new(body: &str) -> Self {
        Self::over(body, &Arc::default(), Instant::now())
    }

    fn over(body: &str, state: &Arc<State>, begin: Instant) -> Self {
        let exporter = build_over(body, Signal::Metrics, state);
        let addresses: Vec<String> = exporter.0.endpoints.iter().map(|endpoint| endpoint.address.clone()).collect();
        state.alerts.lock().set_endpoints(&addresses);
        Self { exporter, begin }
    }

    fn at(&self, seconds: u64) -> Moment {
        Moment { at: self.begin + Duration::from_secs(seconds), wall: START + seconds * SECOND }
    }

    fn take(&self, seconds: u64, points: &[Point<'_>]) {
        self.exporter.0.take(&[request(points)], self.at(seconds)).unwrap();
    }

    fn due(&self, endpoint: &str, seconds: u64) -> Vec<Post> {
        let mut alerts = self.exporter.0.state.alerts.lock();
        alerts.sweep(&self.exporter.0.timing, self.at(seconds));
        alerts.due(endpoint, &self.exporter.0.timing, self.at(seconds), 500)
    }

    /// What is due, which then arrives.
    fn posted(&self, seconds: u64) -> Vec<String> {
        let posts = self.due(ONE, seconds);
        self.exporter.0.state.alerts.lock().record(ONE, &posts, false, self.at(seconds));
        lines(&posts)
    }

    fn next(&self, endpoint: &str, seconds: u64) -> u64 {
        let alerts = self.exporter.0.state.alerts.lock();
        alerts.next(endpoint, &self.exporter.0.timing, self.at(seconds)).duration_since(self.begin).as_secs()
    }

    fn known(&self) -> usize {
        let (firing, resolved) = self.exporter.0.state.alerts.lock().counts();
        firing + resolved
    }
}

#[test]
fn a_new_alert_is_posted_at_once_and_then_with_every_refresh() {
    let history = History::new("{}");
    history.take(0, &[LEAK]);
    assert_eq!(history.posted(0), ["defer_leak high -30..90"]);
    for second in [10, 20, 29] {
        history.take(second, &[Point { value: 5e4, ..LEAK }]);
        assert_eq!(history.posted(second), [""; 0], "after {second} s");
    }
    assert_eq!(history.next(ONE, 29), 30);
    let posts = history.due(ONE, 30);
    assert_eq!(lines(&posts), ["defer_leak high -30..120"]);
    assert_eq!(posts[0].alert.annotations["value"], "50000", "a refresh tells the latest");
}

#[test]
fn an_alert_that_is_resolved_is_posted_with_its_end_for_three_refreshes_and_forgotten() {
    for ended in [Point { firing: false, ..LEAK }, Point { firing: false, since: 7, value: 0.0, ..LEAK }] {
        let history = History::new("{}");
        history.take(0, &[LEAK]);
        history.posted(0);
        history.take(12, &[ended]);
        assert_eq!(history.posted(12), ["defer_leak high -30..12"]);
        assert_eq!(history.posted(41), [""; 0]);
        for second in [42, 72] {
            let again = history.posted(second);
            assert_eq!(again, ["defer_leak high -30..12"], "the clock of an Alertmanager may be behind");
        }
        assert_eq!((history.posted(102), history.known()), (Vec::new(), 0));
        history.take(150, &[Point { since: START + 145 * SECOND, ..LEAK }]);
        assert_eq!(history.posted(150), ["defer_leak high 145..240"], "it can fire again");
    }
}

#[test]
fn the_end_of_an_alert_that_nobody_knows_is_ignored() {
    let history = History::new("{}");
    history.take(0, &[Point { firing: false, ..LEAK }]);
    assert_eq!((history.posted(0), history.known()), (Vec::new(), 0));
}

#[test]
fn a_series_that_ends_without_a_value_resolves_its_alert() {
    let history = History::new("{}");
    history.take(0, &[LEAK]);
    history.posted(0);
    let mut ended = MetricsBuilder::default();
    ended.resource(RESOURCE, |resource| {
        resource.scope("", "", |scope| {
            scope.gauge(contract::METRIC, "", "1", |out| {
                let attributes: &[(&str, Value<'_>)] = &[
                    ("go.defer.kind", "heap".into()),
                    ("go.defer.callee", "os.(*File).Close".into()),
                    ("code.line.number", 42.into()),
                    ("code.file.path", "main.go".into()),
                    ("code.function.name", "main.ship".into()),
                    (contract::SEVERITY, "high".into()),
                    (contract::NAME, "defer_leak".into()),
                ];
                out.add(&NumberPoint::no_recorded_value(attributes, START));
            });
        });
    });
    history.exporter.0.take(&[ended.finish()], history.at(5)).unwrap();
    assert_eq!(history.posted(5), ["defer_leak high -30..5"], "whatever the order of its attributes");
}

#[test]
fn a_change_of_severity_ends_the_old_alert_before_the_new_one_begins() {
    let history = History::new("{}");
    history.take(0, &[Point { severity: "medium", ..LEAK }]);
    history.posted(0);
    history.take(9, &[Point { severity: "medium", firing: false, ..LEAK }, Point { severity: "critical", ..LEAK }]);
    assert_eq!(history.posted(9), ["defer_leak medium -30..9", "defer_leak critical -30..99"]);
}

#[test]
fn a_severity_that_goes_up_and_down_again_keeps_the_order_of_events() {
    let history = History::new("{}");
    let (medium, critical) = (Point { severity: "medium", ..LEAK }, Point { severity: "critical", ..LEAK });
    let ends = |point| Point { firing: false, ..point };
    history.take(0, &[medium]);
    history.posted(0);
    history.take(3, &[ends(medium), critical]);
    history.take(6, &[ends(critical), Point { since: START + 6 * SECOND, ..medium }]);
    assert_eq!(history.posted(6), ["defer_leak critical -30..6", "defer_leak medium 6..96"]);
}

#[test]
fn an_alert_that_is_not_seen_any_more_is_resolved() {
    let history = History::new("{stale_after: 1m}");
    history.take(0, &[LEAK]);
    history.posted(0);
    history.take(20, &[LEAK]);
    history.posted(50);
    assert_eq!(history.next(ONE, 50), 80);
    assert_eq!(history.posted(79), [""; 0]);
    assert_eq!(history.posted(80), ["defer_leak high -30..80"]);
}

#[test]
fn each_alertmanager_hears_everything_in_its_own_time() {
    let history = History::new("{endpoints: [\"http://a:1\", \"http://b:2/\"]}");
    let (a, b) = ("http://a:1", "http://b:2");
    let tell = |endpoint: &str, second: u64| {
        let posts = history.due(endpoint, second);
        history.exporter.0.state.alerts.lock().record(endpoint, &posts, false, history.at(second));
        lines(&posts)
    };
    history.take(0, &[LEAK]);
    assert_eq!(tell(a, 0), ["defer_leak high -30..90"]);
    assert_eq!(history.next(a, 0), 30, "b is due, but a is not");
    assert_eq!(history.next(b, 0), 0);
    history.take(10, &[Point { firing: false, ..LEAK }]);
    assert_eq!(tell(a, 10), ["defer_leak high -30..10"]);
    assert_eq!(tell(a, 39), [""; 0]);
    assert_eq!(tell(b, 60), ["defer_leak high -30..10"], "b was down, and hears of the end all the same");
    assert_eq!(tell(b, 61), [""; 0]);
    history.posted(100);
    assert_eq!(history.known(), 0);
}

#[test]
fn an_end_that_nobody_takes_is_given_up_when_the_alert_has_ended_by_itself() {
    let history = History::new("{}");
    history.take(0, &[LEAK]);
    history.posted(0);
    history.take(10, &[Point { firing: false, ..LEAK }]);
    let sweep = |second| history.exporter.0.state.alerts.lock().sweep(&history.exporter.0.timing, history.at(second));
    assert_eq!((sweep(99), history.known()), (0, 1));
    assert_eq!((sweep(100), history.known()), (1, 0));
}

#[test]
fn a_lost_alertmanager_hears_again_of_all_that_fires() {
    let history = History::new("{}");
    history.take(0, &[LEAK, Point { line: 50, ..LEAK }]);
    assert_eq!(history.posted(0).len(), 2);
    history.exporter.0.state.alerts.lock().lost(ONE);
    assert_eq!(history.posted(3).len(), 2, "it may be empty now");
    assert_eq!(history.posted(4).len(), 0);
}

#[test]
fn labels_made_in_another_way_end_the_old_alert_and_begin_the_new() {
    let state = Arc::default();
    let before = History::over("{}", &state, Instant::now());
    before.take(0, &[LEAK]);
    before.posted(0);
    let after = History::over("{labels: {team: shop, callee: \"\"}}", &state, before.begin);
    assert_eq!(after.posted(5), [""; 0], "what has not changed is not posted");
    after.take(10, &[LEAK]);
    let posts = after.due(ONE, 10);
    assert_eq!(lines(&posts), ["defer_leak high -30..10", "defer_leak high -30..100"]);
    assert!(posts[0].alert.labels.contains_key("callee") && !posts[0].alert.labels.contains_key("team"));
    assert!(!posts[1].alert.labels.contains_key("callee") && posts[1].alert.labels["team"] == "shop");
}

#[test]
fn an_alert_that_several_series_show_ends_with_the_last_of_them() {
    let history = History::new("{labels: {site: \"\"}}");
    let other = Point { line: 50, ..LEAK };
    history.take(0, &[LEAK, other]);
    assert_eq!(history.posted(0), ["defer_leak high -30..90"]);
    history.take(1, &[Point { firing: false, ..LEAK }]);
    assert_eq!(history.posted(1), [""; 0]);
    history.take(2, &[Point { firing: false, ..other }]);
    assert_eq!(history.posted(2), ["defer_leak high -30..2"]);
}

#[test]
fn alerts_beyond_the_limit_are_dropped_and_counted() {
    let history = History::new("{max_alerts: 2}");
    let points: Vec<Point<'_>> = (1..=5).map(|line| Point { line, ..LEAK }).collect();
    history.take(0, &points);
    assert_eq!(history.posted(0).len(), 2);
    let dropped = history.exporter.0.telemetry().total("deferd_dropped_items", ("reason", "alert_limit"));
    assert_eq!(dropped, 3);
    let ends: Vec<Point<'_>> = points.iter().map(|point| Point { firing: false, ..*point }).collect();
    history.take(5, &ends);
    history.take(6, &points);
    assert_eq!(history.known(), 2, "the same two fire again: an end that was not posted yet is overtaken");
}

#[test]
fn a_refused_alert_is_left_alone_until_something_about_it_changes() {
    let history = History::new("{}");
    history.take(0, &[LEAK]);
    let posts = history.due(ONE, 0);
    history.exporter.0.state.alerts.lock().record(ONE, &posts, true, history.at(0));
    history.take(20, &[LEAK]);
    assert_eq!(history.posted(60), [""; 0]);
    history.take(61, &[Point { value: 5.0, ..LEAK }]);
    assert_eq!(history.posted(61), ["defer_leak high -30..151"]);
}

#[test]
fn clocks_that_jump_make_no_alert_end_before_it_begins() {
    let history = History::new("{}");
    history.take(0, &[Point { since: START + 3600 * SECOND, ..LEAK }]);
    assert_eq!(history.posted(0), ["defer_leak high 0..90"], "it cannot have begun after now");
    let back = Moment { wall: START - 1000 * SECOND, ..history.at(10) };
    history.exporter.0.take(&[request(&[Point { firing: false, ..LEAK }])], back).unwrap();
    assert_eq!(history.posted(10), ["defer_leak high 0..0"]);
}

#[test]
fn many_alerts_are_posted_in_batches_and_refreshed_together() {
    let history = History::new("{}");
    let points: Vec<Point<'_>> = (1..=1200).map(|line| Point { line, ..LEAK }).collect();
    history.take(0, &points[..600]);
    history.take(10, &points[600..]);
    assert_eq!(
        [history.posted(10).len(), history.posted(10).len(), history.posted(10).len(), history.posted(10).len()],
        [500, 500, 200, 0]
    );
    history.take(11, &[Point { line: 5000, ..LEAK }]);
    assert_eq!(history.posted(11).len(), 1);
    history.posted(40);
    history.posted(40);
    assert_eq!(history.posted(40).len(), 201, "one that is not due yet comes along");
}
