//! What protects the process.

use super::*;

#[test]
fn a_rule_that_fires_for_everything_is_bounded_and_says_so() {
    let bench = Bench::new("{include: [], max_alerts_per_rule: 3, rules: [{name: A, metric: m, above: 1, severity: high}]}");
    let points: Vec<(i64, Option<f64>)> = (0..1000).map(|line| (line, Some(5.0))).collect();
    assert_eq!(bench.send(0, "m", &points).len(), 3);
    assert_eq!(bench.send(5, "m", &points).len(), 3);
    assert_eq!((bench.state.count_alerts(), bench.state.count_series()), (3, 1000));
    let degraded = || bench.context.health.is_degraded("processors::threshold", "too_many_alerts");
    assert!(degraded());
    bench.tick();
    assert!(degraded(), "it lasts as long as alerts wait");
    let points: Vec<(i64, Option<f64>)> = (0..1000).map(|line| (line, (line > 0).then_some(5.0))).collect();
    let said = bench.send(10, "m", &points);
    assert_eq!((said.len(), said.iter().filter(|said| said.firing).count()), (4, 3), "one ends, another has room");
}

#[test]
fn series_past_the_limit_pass_through_and_are_counted() {
    let bench = Bench::new("{include: [], max_series: 10, rules: [{name: A, metric: m, above: 100, severity: high}]}");
    let points: Vec<(i64, Option<f64>)> = (0..25).map(|line| (line, Some(5.0))).collect();
    bench.send(0, "m", &points);
    assert_eq!(bench.state.count_series(), 10);
    let rejected = bench.context.telemetry.total("deferd_threshold_rejected_points", ("processor", "threshold"));
    assert_eq!(rejected, 15);
    assert!(bench.context.health.is_degraded("processors::threshold", "too_many_series"));
}

#[test]
fn a_stale_series_is_forgotten_and_its_alert_resolved() {
    let bench = Bench::new("{include: [], stale_after: 60s, rules: [{name: A, metric: m, above: 1, severity: high}]}");
    bench.send(0, "m", &[(1, Some(5.0))]);
    let mut out = Out::new();
    bench.threshold.tick(Instant::now() + Duration::from_secs(59), &mut out);
    assert_eq!(out.emitted_items(), 0);
    for _ in 0..sweep::EVERY {
        bench.threshold.tick(Instant::now() + Duration::from_secs(61), &mut out);
    }
    let said: Vec<Said> = out.take_emitted().iter().flat_map(|emitted| read(&emitted.batch)).collect();
    assert_eq!(said, [super::said("A", "high", false, "1")]);
    assert_eq!(bench.state.count_series(), 0);
}

#[test]
fn damaged_requests_are_refused_for_good_or_taken_without_panic() {
    let bench = Bench::new("{}");
    let whole = request("shop", 0, "go.defer.pending", &[(33, Some(1.0))]).payload();
    for length in 1..whole.len() {
        let torn = Batch::new(Signal::Metrics, whole.slice(..length), 1);
        if let Err(refused) = bench.threshold.process(torn, &mut Out::new()) {
            assert_eq!(refused.refusal.kind, RefusalKind::Invalid);
        }
        let mut flipped = whole.to_vec();
        flipped[length] ^= 0x55;
        let _ = bench.threshold.process(Batch::new(Signal::Metrics, flipped.into(), 1), &mut Out::new());
    }
}

#[test]
fn values_that_are_no_numbers_say_nothing() {
    let bench = Bench::new("{include: [], rules: [{name: A, metric: m, above: 1, severity: high}]}");
    bench.send(0, "m", &[(1, Some(5.0))]);
    assert_eq!(bench.send(5, "m", &[(1, Some(f64::NAN))]), []);
    assert_eq!(bench.send(10, "m", &[(1, Some(f64::INFINITY))]), []);
    assert_eq!(bench.send(15, "m", &[(1, Some(5.0))]), [said("A", "high", true, "1")], "it goes on");
}
