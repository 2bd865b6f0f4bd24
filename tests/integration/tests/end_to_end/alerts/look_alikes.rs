//! The default rules, held against fifteen programs at once for two minutes: ten that only look like a leak, and five that leak.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use deferd_fixtures::missing;
use deferd_integration::alerting::Alerting;
use deferd_integration::config::Watch;
use deferd_integration::leaks::{self, Leak};
use deferd_integration::lookalikes::{self, LookAlike};
use deferd_integration::wait;

use super::{Stage, check_site, serve};

const TIME: Duration = Duration::from_mins(2);

/// As it is shipped: the look at which a user sees something, every five seconds.
const INTERVAL: &str = "5s";

#[test]
fn the_default_rules_raise_five_alerts_over_five_leaks_and_none_over_ten_look_alikes() {
    if std::env::var_os("DEFERD_SLOW").is_none() && !missing::is_ci() {
        missing::skip("look-alikes for two minutes", "takes two minutes (set DEFERD_SLOW=1)");
        return;
    }
    let Some(stage) = Stage::set() else { return };
    let mut healthy: Vec<LookAlike> = lookalikes::SCENARIOS.into_iter().map(LookAlike::start).collect();
    let leaking: BTreeMap<String, Leak> =
        leaks::SCENARIOS.into_iter().map(|scenario| (leaks::service(scenario), Leak::ready(scenario))).collect();
    let pids: Vec<u32> = healthy.iter().map(LookAlike::pid).chain(leaking.values().map(Leak::pid)).collect();
    let watch = Watch { interval: INTERVAL.into(), ..Watch::pids(&pids) };
    let service = serve(&Alerting::new(watch, stage.port, "include: [default]"));
    for leak in leaking.values() {
        leak.tell("start");
    }

    let begin = Instant::now();
    let mut fired = BTreeMap::new();
    wait::within(TIME * 2, "two minutes pass", || {
        for alert in stage.alertmanager.alerts() {
            let service = alert.label("service").to_owned();
            assert!(leaking.contains_key(&service), "a false alarm after {:?}: {alert:?}", begin.elapsed());
            fired.entry((service, alert.fingerprint)).or_insert_with(|| begin.elapsed());
        }
        wait::pause(Duration::from_millis(200));
        (begin.elapsed() >= TIME).then_some(())
    });
    healthy.iter_mut().for_each(LookAlike::check);

    let alerts = stage.alertmanager.alerts();
    assert_eq!((alerts.len(), fired.len()), (leaking.len(), leaking.len()), "{fired:?}: {alerts:?}");
    assert_eq!(stage.recorder.counts(), (leaking.len(), 0), "{:?}", stage.recorder.told());
    for alert in &alerts {
        check_site(alert, &leaking[alert.label("service")]);
        assert_eq!(alert.label("severity"), "critical", "it goes on without end: {alert:?}");
    }
    for leak in leaking.values() {
        leak.tell("stop");
    }
    let resolved = stage.quiet((leaking.len(), leaking.len()));
    assert_eq!(service.stop().code, Some(0));
    missing::report(&format!("default rules: {fired:?}, no other alert in {TIME:?}; all resolved {resolved:?} after their end"));
}
