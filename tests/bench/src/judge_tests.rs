use super::*;
use deferd_integration::rates::Counts;

const SECOND: u64 = 1_000_000_000;

/// Ten a second at each of two sites, 2 % of a CPU.
fn account() -> Account {
    let line = |second: u64| Counts {
        unix_nano: second * SECOND,
        registrations: second * 20,
        registrations_at_most: second * 20,
        returns: second,
        cpu_ns: second * SECOND / 50,
        allocations: 0,
    };
    Account::new((0..=20).map(line).collect())
}

fn said() -> Announcement {
    Announcement { address: None, function: "main.f".into(), file: "f.go".into(), sites: vec![7, 8], returns: true }
}

fn point(metric: &str, line: u32, second: u64, value: f64) -> Point {
    let attributes = [("code.function.name", "main.f".to_owned()), ("code.line.number", line.to_string())];
    Point {
        process: 0,
        metric: metric.to_owned(),
        attributes: attributes.map(|(key, value)| (key.to_owned(), value)).into(),
        start: 0,
        time: second * SECOND,
        value,
    }
}

fn judged(points: Vec<Point>) -> Verdict {
    judge(&said(), &account(), &Recording { points, events: Vec::new() }, 2 * SECOND, 12 * SECOND)
}

#[test]
fn nothing_reported_is_no_verdict_and_breaks_the_promise() {
    let verdict = judged(vec![point("go.defer.pending", 7, 5, 1.0)]);
    assert_eq!((verdict.counter, verdict.reports, verdict.within_budget()), (None, 0, false));
}

#[test]
fn counters_of_all_sites_are_compared_with_what_happened_between_their_points() {
    let other = Point { attributes: BTreeMap::from([("code.function.name".into(), "main.g".into())]), ..point("", 0, 5, 1e9) };
    let verdict = judged(vec![
        point(REGISTRATIONS, 7, 1, 0.0), // before it counts
        point(REGISTRATIONS, 7, 3, 30.0),
        point(REGISTRATIONS, 7, 8, 85.0),
        point(REGISTRATIONS, 8, 3, 30.0),
        point(REGISTRATIONS, 8, 8, 80.0),
        point(REGISTRATIONS, 9, 8, 1e9), // no site
        other,
    ]);
    assert_eq!(verdict.counter, Some((21.0, 20.0)));
    assert!((verdict.error().unwrap() - 5.0).abs() < 1e-9);
}

#[test]
fn a_counter_is_compared_from_where_a_rate_is_known_to_where_it_is() {
    let mut points = vec![point(REGISTRATIONS, 7, 3, 1.0)]; // behind
    points.extend((4..8).map(|second| point(REGISTRATIONS, 7, second, real(second) * 10.0)));
    points.push(point(REGISTRATIONS, 7, 9, 71.0)); // behind again
    points.extend((4..8).map(|second| point("go.defer.registrations.rate.upper", 7, second, 10.0)));
    assert_eq!(judged(points).counter, Some((10.0, 10.0)));
}

#[test]
fn a_counter_that_falls_is_told() {
    let verdict =
        judged(vec![point(REGISTRATIONS, 7, 3, 30.0), point(REGISTRATIONS, 7, 4, 29.0), point(REGISTRATIONS, 7, 5, 31.0)]);
    assert_eq!(verdict.fell, 1);
}

#[test]
fn an_interval_holds_the_truth_or_does_not() {
    let mut points = Vec::new();
    let bounds = [(9.0, Some(11.0)), (10.5, Some(12.0)), (8.0, Some(9.5)), (5.0, None), (11.0, None)];
    for (second, (lower, upper)) in (4..).zip(bounds) {
        points.push(point(RATE, 7, second, 10.0));
        points.push(point("go.defer.registrations.rate.lower", 7, second, lower));
        points.extend(upper.map(|upper| point("go.defer.registrations.rate.upper", 7, second, upper)));
    }
    // The first report has no report before it and so no interval; this one makes all five count.
    points.push(point(RATE, 7, 3, 10.0));
    points.push(point(RATE, 7, 9, 10.0));
    let verdict = judged(points);
    assert_eq!((verdict.reports, verdict.held), (3, 1));
    assert_eq!((verdict.at_least, verdict.at_least_held, verdict.unbounded), (2, 1, 1));
}

#[test]
fn a_report_that_says_when_it_began_needs_none_before_it() {
    let begun = Point { start: 4 * SECOND, ..point(RATE, 8, 5, 10.0) };
    let verdict = judged(vec![begun, point("go.defer.registrations.rate.lower", 8, 5, 9.0)]);
    assert_eq!((verdict.at_least, verdict.at_least_held), (1, 1));
}

#[test]
fn costs_of_all_probes_add_up_and_the_least_allowance_holds_for_an_idle_process() {
    let cost = |probe: &str, second, value| Point {
        attributes: BTreeMap::from([("deferd.probe".into(), probe.into())]),
        ..point(OVERHEAD, 0, second, value)
    };
    let cheap = judged(vec![cost("rates", 3, 0.0004), cost("panics", 3, 0.0002), cost("rates", 4, 0.0008)]);
    assert!((cheap.overhead.unwrap() - 0.0007).abs() < 1e-12);
    assert!((cheap.allowed - 0.001).abs() < 1e-12, "1 % of 2 % of a CPU is less");
    assert!(cheap.within_budget());
    assert!(!judged(vec![cost("rates", 3, 0.002)]).within_budget());
}
