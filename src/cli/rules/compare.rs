//! What was expected against what came out.

use std::collections::BTreeSet;

use super::replay::{Alert, Replay};
use super::suite::{Expected, Test};

/// Every difference, in words.
pub(super) fn differences(test: &Test, replay: &Replay) -> Vec<String> {
    let mut wrong = Vec::new();
    for moment in &test.expect {
        if moment.at.get() > replay.length {
            wrong.push(format!("at {}: the recording ends after {:.1} s", moment.at, replay.length.as_secs_f64()));
            continue;
        }
        wrong.extend(mismatch(&format!("at {}", moment.at), &moment.alerts, replay.firing_at(moment.at.get())));
    }
    if let Some(fired) = &test.fired {
        wrong.extend(mismatch("at any time", fired, replay.fired()));
    }
    if let Some(expected) = test.marked_log_records.as_ref().filter(|expected| **expected != replay.marked) {
        wrong.push(format!("log records marked: expected {expected:?}, got {:?}", replay.marked));
    }
    if !wrong.is_empty() {
        wrong.extend(replay.changes.iter().map(|change| {
            let verb = if change.firing { "fires" } else { "ends" };
            format!("{:>7.1} s  {} {verb}", change.at.as_secs_f64(), shown(&change.alert))
        }));
    }
    wrong
}

/// Each alert has to be expected, and each expected alert has to be there.
fn mismatch(when: &str, expected: &[Expected], got: BTreeSet<&Alert>) -> Vec<String> {
    let mut left: Vec<&Alert> = got.into_iter().collect();
    let mut wrong = Vec::new();
    for one in expected {
        match left.iter().position(|alert| fits(one, alert)) {
            Some(index) => drop(left.remove(index)),
            None => wrong.push(format!("{when}: {} does not fire", described(one))),
        }
    }
    wrong.extend(left.into_iter().map(|alert| format!("{when}: {} fires and is not expected", shown(alert))));
    wrong
}

fn fits(expected: &Expected, alert: &Alert) -> bool {
    expected.name == alert.name
        && expected.severity.is_none_or(|severity| severity.as_str() == alert.severity)
        && expected.labels.iter().all(|(key, value)| alert.labels.get(key) == Some(value))
}

fn described(expected: &Expected) -> String {
    let severity = expected.severity.map_or("", |severity| severity.as_str());
    joined(&expected.name, severity, expected.labels.iter())
}

fn shown(alert: &Alert) -> String {
    joined(&alert.name, &alert.severity, alert.labels.iter().filter(|(key, _)| !key.starts_with("resource.")))
}

fn joined<'a>(name: &str, severity: &str, labels: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let labels: Vec<String> = labels.map(|(key, value)| format!("{key}={value:?}")).collect();
    format!("{name} ({}) {{{}}}", if severity.is_empty() { "any severity" } else { severity }, labels.join(", "))
}
