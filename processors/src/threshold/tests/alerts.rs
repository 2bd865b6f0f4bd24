//! What fires, and when it ends.

use super::*;

const VALUE: &str = "{include: [], rules: [{name: TooMany, metric: go.defer.pending, above: 10, clear: 5, for: 10s, severity: high, \
    summary: \"{{ service }} {{ site }} {{ value }} > {{ threshold }}\", remediation: look}]}";

#[test]
fn a_limit_passed_for_long_enough_fires_and_the_clear_level_resolves() {
    let bench = Bench::new(VALUE);
    let firing = [said("TooMany", "high", true, "33")];
    assert_eq!(bench.send(0, "go.defer.pending", &[(33, Some(11.0)), (40, Some(3.0))]), []);
    assert_eq!(bench.send(5, "go.defer.pending", &[(33, Some(12.0)), (40, Some(3.0))]), []);
    assert_eq!(bench.send(10, "go.defer.pending", &[(33, Some(13.0)), (40, Some(3.0))]), firing);
    assert_eq!(bench.send(15, "go.defer.pending", &[(33, Some(7.0))]), firing, "above the clear level it goes on");
    assert_eq!(bench.send(20, "go.defer.pending", &[(33, Some(5.0))]), [said("TooMany", "high", false, "33")]);
    assert_eq!(bench.send(25, "go.defer.pending", &[(33, Some(5.0))]), [], "resolved is said once");
}

#[test]
fn the_exemplar_tells_value_threshold_beginning_and_texts() {
    let bench = Bench::new(VALUE);
    for second in [0, 5] {
        bench.send(second, "go.defer.pending", &[(33, Some(11.0))]);
    }
    let mut out = Out::new();
    bench.threshold.process(request("shop", 10, "go.defer.pending", &[(33, Some(13.0))]), &mut out).unwrap();
    let emitted = out.take_emitted();
    let mut told = Vec::new();
    each_alert(&emitted[0].batch, |point| {
        let exemplar = point.exemplars().next().unwrap();
        let set = exemplar.filtered_attributes();
        told.push(format!("value {}", exemplar.value.unwrap().as_f64()));
        told.extend(set.iter().map(|(key, value)| format!("{key} {}", value.to_text())));
        assert_eq!(point.attributes().count(), 5, "identity alone: name, severity and the labels of the series");
    });
    let expected = [
        "value 13".to_owned(),
        "alert.measure value".to_owned(),
        "alert.threshold 10".to_owned(),
        format!("alert.since {START}"),
        "alert.source  threshold".to_owned(),
        "alert.summary shop main.go:33 13 > 10".to_owned(),
        "alert.remediation look".to_owned(),
    ];
    assert_eq!(told, expected);
}

#[test]
fn growth_without_end_fires_the_default_pack_and_what_falls_back_does_not() {
    let bench = Bench::new("{}");
    let mut first = None;
    for look in 0..30_u64 {
        let sawtooth = f64::from(u32::try_from(look % 4).unwrap()) * 500.0;
        let leak = f64::from(u32::try_from(look).unwrap()) * 10.0;
        let said = bench.send(look * 5, "go.defer.pending", &[(33, Some(leak)), (40, Some(sawtooth))]);
        assert!(said.iter().all(|said| said.line == "33" && said.severity == "critical" && said.firing), "{said:?}");
        if first.is_none() && !said.is_empty() {
            first = Some(look * 5);
        }
    }
    assert_eq!(first, Some(80), "`for` is 75 s, and a slope needs a second look");
    let ends = (30..34_u64).find(|look| {
        let said = bench.send(look * 5, "go.defer.pending", &[(33, Some(0.0))]);
        said == [said_resolved()]
    });
    assert_eq!(ends, Some(31), "two looks after the function returned");
}

fn said_resolved() -> Said {
    said("DeferPendingGrows", "critical", false, "33")
}

#[test]
fn a_leak_that_pauses_is_resolved_within_thirty_seconds() {
    let bench = Bench::new("{}");
    for look in 0..20_u64 {
        bench.send(look * 5, "go.defer.pending", &[(33, Some(f64::from(u32::try_from(look).unwrap()) * 10.0))]);
    }
    let end = (20..35_u64).find(|look| bench.send(look * 5, "go.defer.pending", &[(33, Some(190.0))]) == [said_resolved()]);
    assert!(end.is_some_and(|look| (look - 19) * 5 <= 25), "{end:?}");
}

#[test]
fn an_ended_series_resolves_its_alert() {
    let bench = Bench::new("{include: [], rules: [{name: A, metric: m, above: 1, severity: critical}]}");
    assert_eq!(bench.send(0, "m", &[(1, Some(2.0))]), [said("A", "critical", true, "1")]);
    assert_eq!(bench.send(5, "m", &[(1, None)]), [said("A", "critical", false, "1")]);
    assert_eq!(bench.state.count_alerts(), 0);
}

#[test]
fn a_worse_level_resolves_the_milder_alert_and_fires_its_own() {
    let bench = Bench::new(
        "{include: [], rules: [{name: A, metric: m, above: 1, severity: medium, escalate: [{limit: 100, severity: critical}]}]}",
    );
    assert_eq!(bench.send(0, "m", &[(1, Some(2.0))]), [said("A", "medium", true, "1")]);
    let worse = [said("A", "medium", false, "1"), said("A", "critical", true, "1")];
    assert_eq!(bench.send(5, "m", &[(1, Some(200.0))]), worse);
    let better = [said("A", "critical", false, "1"), said("A", "medium", true, "1")];
    assert_eq!(bench.send(10, "m", &[(1, Some(50.0))]), better);
}

#[test]
fn series_are_added_up_where_the_rule_says_so() {
    let bench = Bench::new("{include: [], rules: [{name: Sum, metric: m, sum_by: [go.defer.kind], above: 10, severity: high}]}");
    assert_eq!(bench.send(0, "m", &[(1, Some(5.0)), (2, Some(5.0))]), []);
    assert_eq!(bench.send(5, "m", &[(1, Some(5.0)), (2, Some(6.0))]), [said("Sum", "high", true, "")]);
    assert_eq!(bench.send(10, "m", &[(1, None), (2, Some(6.0))]), [said("Sum", "high", false, "")]);
    bench.send(15, "m", &[(2, Some(60.0))]);
    assert_eq!(bench.send(20, "m", &[(2, None)]), [said("Sum", "high", false, "")], "when all have ended, so has the sum");
}

#[test]
fn only_matching_series_are_judged() {
    let rule = "metric: m, above: 1, severity: high";
    let body = format!(
        "{{include: [], rules: [{{name: A, match: {{code.line.number: 1|2}}, not_match: {{resource.service.name: test-.*}}, {rule}}}]}}"
    );
    let bench = Bench::new(&body);
    let all = [(1, Some(5.0)), (2, Some(5.0)), (12, Some(5.0))];
    assert_eq!(bench.send(0, "m", &all), [said("A", "high", true, "1"), said("A", "high", true, "2")]);
    assert_eq!(bench.pass(request("test-shop", 0, "m", &all)), []);
}

#[test]
fn below_is_a_limit_too() {
    let bench = Bench::new("{include: [], rules: [{name: A, metric: m, below: 10, clear: 20, severity: high}]}");
    assert_eq!(bench.send(0, "m", &[(1, Some(10.0))]), []);
    assert_eq!(bench.send(5, "m", &[(1, Some(9.0))]), [said("A", "high", true, "1")]);
    assert_eq!(bench.send(10, "m", &[(1, Some(19.0))]), [said("A", "high", true, "1")]);
    assert_eq!(bench.send(15, "m", &[(1, Some(20.0))]), [said("A", "high", false, "1")]);
}

#[test]
fn a_clock_that_jumps_neither_fires_early_nor_stops_the_watch() {
    let bench = Bench::new(VALUE);
    assert_eq!(bench.send(100, "go.defer.pending", &[(33, Some(11.0))]), []);
    assert_eq!(bench.send(102, "go.defer.pending", &[(33, Some(11.0))]), []);
    assert_eq!(bench.send(7200, "go.defer.pending", &[(33, Some(11.0))]), [], "an hour ahead counts as four seconds");
    let fired = (1..8).find(|look| !bench.send(2 * look, "go.defer.pending", &[(33, Some(11.0))]).is_empty());
    assert!(fired.is_some_and(|look| look <= 6), "set back to the past, it goes on: {fired:?}");
}

#[test]
fn an_end_is_said_once_more_because_its_batch_may_be_refused() {
    let bench = Bench::new("{include: [], rules: [{name: A, metric: m, above: 1, severity: high}]}");
    bench.send(0, "m", &[(1, Some(2.0)), (2, Some(2.0))]);
    bench.send(5, "m", &[(1, None), (2, Some(0.0))]);
    bench.send(10, "m", &[(2, Some(2.0))]);
    assert_eq!(bench.tick(), [said("A", "high", false, "1")], "not where it fires again");
    assert_eq!(bench.tick(), []);
}

#[test]
fn a_gap_makes_no_slope() {
    let rule = "{name: A, metric: m, measure: slope, window: 60s, above: 2, severity: high}";
    let bench = Bench::new(&format!("{{include: [], rules: [{rule}]}}"));
    let value = |second: u64| Some(f64::from(u32::try_from(second).unwrap()));
    for second in [0, 5, 10, 610, 615, 620, 625] {
        assert_eq!(bench.send(second, "m", &[(1, value(second))]), [], "one per second all along, at {second} s");
    }
}

#[test]
fn an_alert_goes_on_while_its_resource_learns_more() {
    let bench = Bench::new("{include: [], rules: [{name: A, metric: m, above: 1, for: 10s, severity: high}]}");
    let send = |second: u64, more: &[(&str, deferd_pdata::build::Value<'_>)]| {
        let mut resource = EncodedAttributes::new(&[("service.name", "shop".into()), ("service.instance.id", "1".into())]);
        resource.extend(more);
        let mut request = MetricsBuilder::default();
        request.resource(&resource, |to| {
            to.scope("s", "", |scope| {
                scope.gauge("m", "", "", |points| points.add(&NumberPoint::new(&[], START + second * SECOND, 5)));
            });
        });
        bench.pass(Batch::new(Signal::Metrics, request.finish(), 1))
    };
    assert_eq!(send(0, &[]), []);
    assert_eq!(send(5, &[("os.type", "linux".into())]), []);
    assert_eq!(send(10, &[("os.type", "linux".into())]), [said("A", "high", true, "")]);
    assert_eq!(bench.state.count_series(), 1);
}

#[test]
fn a_burst_of_fifty_seconds_that_is_held_for_a_minute_is_no_leak() {
    for step in [1_u64, 5] {
        let bench = Bench::new("{}");
        for second in (0..625).step_by(usize::try_from(step).unwrap()) {
            let phase = second % 125;
            let held = if phase < 110 { phase.min(50) * 20 } else { 0 };
            let held = f64::from(u32::try_from(held).unwrap());
            assert_eq!(bench.send(second, "go.defer.pending", &[(33, Some(held))]), [], "at {second} s");
        }
    }
}

#[test]
fn a_leak_in_steps_of_thirty_seconds_is_found_as_a_slow_one() {
    let bench = Bench::new("{}");
    let found = (0..150_u64).find_map(|look| {
        let held = f64::from(u32::try_from(look * 5 / 30 * 100).unwrap());
        let said = bench.send(look * 5, "go.defer.pending", &[(33, Some(held))]);
        (!said.is_empty()).then_some((look * 5, said))
    });
    let (second, said) = found.unwrap();
    assert!((300..450).contains(&second), "{second}");
    assert_eq!(said, [super::said("DeferPendingGrowsSlowly", "high", true, "33")]);
}

#[test]
fn a_leak_is_one_alert_however_long_it_lasts() {
    let bench = Bench::new("{}");
    for look in 0..300_u64 {
        let held = f64::from(u32::try_from(look).unwrap()) * 10.0;
        let said = bench.send(look * 5, "go.defer.pending", &[(33, Some(held))]);
        assert!(said.iter().all(|said| said.name == "DeferPendingGrows"), "{said:?}");
    }
}

#[test]
fn a_site_that_comes_and_goes_is_damped_all_the_same() {
    let bench = Bench::new("{include: [], rules: [{name: A, metric: m, above: 1, severity: high}]}");
    let mut resolved = 0;
    for round in 0..20_u64 {
        bench.send(round * 30, "m", &[(1, Some(5.0))]);
        bench.send(round * 30 + 5, "m", &[(1, Some(5.0))]);
        let said = bench.send(round * 30 + 10, "m", &[(1, Some(0.0))]);
        resolved += said.iter().filter(|said| !said.firing).count();
        bench.send(round * 30 + 15, "m", &[(1, None)]);
    }
    assert_eq!(resolved, 1, "the second time it has to be clear for longer than it is");
}
