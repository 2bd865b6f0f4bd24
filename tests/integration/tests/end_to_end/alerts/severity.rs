//! What a reload of the rules does to an alert that fires.

use deferd_integration::alerting::{Alerting, Rule};
use deferd_integration::config::Watch;
use deferd_integration::leaks::Leak;
use deferd_integration::wait;
use deferd_integration::webhook::Told;

use super::{RESOLVED_WITHIN, Stage, leaked, rule, serve};

#[test]
fn another_severity_ends_the_old_alert_and_raises_the_new_one_and_no_rule_ends_it() {
    let Some(stage) = Stage::set() else { return };
    let leak = Leak::ready("consumer");
    leak.tell("start");
    let rule = rule();
    let mut alerting = Alerting::new(Watch::pids(&[leak.pid()]), stage.port, &rule.alone());
    let service = serve(&alerting);
    leaked(&leak, rule.above);
    let (critical, _) = stage.one_alert(wait::PATIENCE);
    assert_eq!(critical.label("severity"), "critical");

    alerting.threshold = Rule { severity: "high".into(), ..rule }.alone();
    service.reload(&alerting.yaml());
    let (high, took) = wait::within(RESOLVED_WITHIN, "the one alert is the new one", || {
        let alerts = stage.alertmanager.alerts();
        // The old one and the new one may both be there, or neither, for a moment.
        assert!(alerts.len() <= 2, "{alerts:?}");
        let [one] = alerts.as_slice() else { return None };
        (one.label("severity") == "high").then(|| one.clone())
    });
    assert_ne!(high.fingerprint, critical.fingerprint);
    wait::until("both are told", || (stage.recorder.counts() == (2, 1)).then_some(()));
    let resolved: Vec<Told> = stage.recorder.told().into_iter().filter(|told| told.status == "resolved").collect();
    assert!(resolved.iter().all(|told| told.fingerprint == critical.fingerprint), "{resolved:?}");

    alerting.threshold = "include: []".into();
    service.reload(&alerting.yaml());
    let ended = stage.quiet((2, 2));
    assert_eq!(service.stop().code, Some(0));
    deferd_fixtures::missing::report(&format!("alert: new severity {took:?} and no alert {ended:?} after the reload"));
}
