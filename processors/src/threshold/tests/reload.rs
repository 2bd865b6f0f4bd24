//! Rules that change under a running alert.

use super::*;

fn rules(limit: i32, severity: &str) -> String {
    format!("{{include: [], rules: [{{name: A, metric: m, above: {limit}, severity: {severity}, for: 10s}}]}}")
}

fn firing(severity: &str) -> [Said; 1] {
    [said("A", severity, true, "1")]
}

fn fired() -> Bench {
    let bench = Bench::new(&rules(1, "high"));
    bench.send(0, "m", &[(1, Some(50.0))]);
    bench.send(5, "m", &[(1, Some(50.0))]);
    assert_eq!(bench.send(10, "m", &[(1, Some(50.0))]), firing("high"));
    bench
}

#[test]
fn another_threshold_that_is_passed_too_keeps_the_alert() {
    let mut bench = fired();
    for (second, limit) in [(15, 2), (20, 40), (25, 3)] {
        bench.reload(&rules(limit, "high"));
        assert_eq!(bench.send(second, "m", &[(1, Some(50.0))]), firing("high"), "{limit}");
        assert_eq!(bench.tick(), []);
    }
}

#[test]
fn a_changed_severity_resolves_the_old_alert_and_fires_the_new() {
    let mut bench = fired();
    bench.reload(&rules(1, "critical"));
    let changed = [said("A", "high", false, "1"), said("A", "critical", true, "1")];
    assert_eq!(bench.send(15, "m", &[(1, Some(50.0))]), changed);
}

#[test]
fn the_waiting_time_goes_on_over_a_reload() {
    let mut bench = Bench::new(&rules(1, "high"));
    bench.send(0, "m", &[(1, Some(50.0))]);
    bench.reload(&rules(2, "high"));
    bench.send(5, "m", &[(1, Some(50.0))]);
    bench.reload(&rules(3, "high"));
    assert_eq!(bench.send(10, "m", &[(1, Some(50.0))]), firing("high"));
}

#[test]
fn a_removed_rule_takes_its_alerts_back_at_the_next_tick() {
    let mut bench = fired();
    bench.reload("{include: []}");
    assert_eq!(bench.tick(), [said("A", "high", false, "1")]);
    assert_eq!(bench.state.count_alerts(), 0);
}

#[test]
fn a_rule_that_does_not_match_any_more_takes_its_alert_back() {
    let mut bench = fired();
    bench.reload("{include: [], rules: [{name: A, metric: m, match: {code.line.number: \"2\"}, above: 1, severity: high}]}");
    assert_eq!(bench.send(15, "m", &[(1, Some(50.0))]), [said("A", "high", false, "1")]);
}

#[test]
fn a_replaced_instance_lets_batches_pass_and_judges_nothing() {
    let mut bench = fired();
    let old = Factory::build(config(&rules(1, "medium")), Arc::clone(&bench.state), &bench.context).unwrap();
    bench.reload(&rules(1, "high"));
    assert_eq!(bench.send(15, "m", &[(1, Some(50.0))]), firing("high"));
    bench.threshold = old;
    assert_eq!(bench.send(16, "m", &[(1, Some(50.0))]), []);
}

#[test]
fn a_plan_that_fails_after_the_build_changes_nothing() {
    let bench = fired();
    drop(Factory::build(config("{include: []}"), Arc::clone(&bench.state), &bench.context).unwrap());
    assert_eq!(bench.send(15, "m", &[(1, Some(50.0))]), firing("high"));
}

#[test]
fn removing_the_processor_resolves_and_a_shutdown_does_not() {
    let bench = fired();
    let mut out = Out::new();
    Factory::drain(&bench.state, Farewell::Shutdown, &mut out);
    assert_eq!(out.emitted_items(), 0);
    Factory::drain(&bench.state, Farewell::Removed, &mut out);
    assert_eq!(out.emitted_items(), 1);
    Factory::drain(&bench.state, Farewell::Removed, &mut out);
    assert_eq!(out.emitted_items(), 1, "and says so once");
}

#[test]
fn a_rule_that_looks_at_another_metric_is_another_rule() {
    let mut bench = fired();
    bench.reload("{include: [], rules: [{name: A, metric: n, above: 1, severity: high}]}");
    assert_eq!(bench.tick(), [said("A", "high", false, "1")]);
}

#[test]
fn a_level_put_before_the_one_that_fires_changes_nothing() {
    let mut bench = fired();
    let rule = "name: A, metric: m, above: 0.5, severity: medium, for: 10s, escalate: [{limit: 1, severity: high}]";
    bench.reload(&format!("{{include: [], rules: [{{{rule}}}]}}"));
    assert_eq!(bench.send(15, "m", &[(1, Some(50.0))]), firing("high"));
}
