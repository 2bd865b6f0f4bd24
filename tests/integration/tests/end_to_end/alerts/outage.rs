//! Alertmanager is not there, comes, and comes back without its memory.

use std::time::Duration;

use deferd_fixtures::missing;
use deferd_integration::alerting::Alerting;
use deferd_integration::alertmanager::Alertmanager;
use deferd_integration::config::Watch;
use deferd_integration::leaks::Leak;
use deferd_integration::webhook::Recorder;
use deferd_integration::{port, wait};

use super::{ON_THE_WAY, Stage, check_site, leaked, rule, serve};

/// Between two repetitions of what fires.
const REFRESH: Duration = Duration::from_secs(2);

/// How long Alertmanager is not there while the alert fires.
const DOWN: Duration = Duration::from_secs(6);

#[test]
fn an_alert_arrives_when_alertmanager_comes_back_and_within_a_refresh_when_it_has_forgotten() {
    if !Alertmanager::is_here() {
        return;
    }
    let leak = Leak::ready("workers");
    let (recorder, port) = (Recorder::start(), port::free());
    let mut alerting = Alerting::new(Watch::pids(&[leak.pid()]), port, &rule().alone());
    alerting.refresh = "2s".into();
    let service = serve(&alerting);
    leak.tell("start");
    leaked(&leak, rule().above);
    wait::until("it fires, and nobody hears it", || {
        service.scrape().names().iter().any(|name| name.starts_with("deferd_alert_active")).then_some(())
    });
    wait::pause(DOWN);

    let mut stage = Stage { alertmanager: Alertmanager::start(port, &recorder), recorder, port };
    // A retry may be some seconds away; a refresh is not.
    let (first, arrived) = stage.one_alert(REFRESH + ON_THE_WAY);
    check_site(&first, &leak);
    wait::until("people are told", || (stage.recorder.counts() == (1, 0)).then_some(()));

    stage.alertmanager.kill();
    stage.alertmanager = Alertmanager::start(port, &stage.recorder);
    let (again, repeated) = stage.one_alert(REFRESH + ON_THE_WAY);
    assert_eq!((&again.fingerprint, &again.labels), (&first.fingerprint, &first.labels));
    assert_eq!(again.starts_at, first.starts_at, "it is known since when it fires");
    wait::until("people are told by the one that has forgotten", || (stage.recorder.counts() == (2, 0)).then_some(()));
    leak.tell("stop");
    stage.quiet((2, 1));
    assert_eq!(service.stop().code, Some(0));
    missing::report(&format!(
        "alert: arrives {arrived:?} after Alertmanager is up, {repeated:?} after it forgot (refresh {REFRESH:?})"
    ));
}
