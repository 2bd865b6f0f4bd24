//! What is said about a configuration in which something is wrong.

use super::*;

fn problems(body: &str) -> Vec<String> {
    let refused = document(Kind::Processor, &id(), body).decode::<Config>(Kind::Processor, &id()).unwrap_err();
    refused.iter().map(|problem| problem.to_string().split_once("processors::threshold").unwrap().1.to_owned()).collect()
}

#[test]
fn every_mistake_is_told_at_its_place() {
    let rule = |rest: &str| format!("{{rules: [{{name: A, metric: m, severity: high, {rest}}}]}}");
    let told = |rest: &str| problems(&rule(rest)).join("\n");
    assert_eq!(told("above: 1, below: 2"), "::rules::0: a rule needs a limit: `above` or `below`, and not both");
    assert_eq!(told("for: 1s"), "::rules::0: a rule needs a limit: `above` or `below`, and not both");
    assert_eq!(told("above: 1, clear: 2"), "::rules::0::clear: 2 is on the wrong side of the limit 1; allowed: at most 1");
    assert_eq!(
        told("above: 1, summary: \"{{ valu }}\"").split("; allowed").next(),
        Some("::rules::0::summary: template: there is no \"valu\"")
    );
    assert!(
        told("above: 1, summary: \"{{ value\"").starts_with("::rules::0::summary: template: syntax error"),
        "{}",
        told("above: 1, summary: \"{{ value\"")
    );
    assert!(
        told("above: 1, match: {a: \"(\"}").starts_with("::rules::0::match::a: \"(\": unclosed group"),
        "{}",
        told("above: 1, match: {a: \"(\"}")
    );
    assert!(told("above: 1, measure: valu").contains("did you mean \"value\"?"));
    assert!(told("abov: 1").contains("did you mean \"above\"?"));
    assert!(told("above: 1, escalate: [{limit: 0, severity: high}]").contains("0 is not beyond 1"));
    assert!(told("above: 1, escalate: [{limit: 0, severity: high}]").contains("high is not worse than high"));
}

#[test]
fn packs_and_names_are_checked() {
    let told = problems("{include: [defualt]}").join("\n");
    assert!(
        told.starts_with("::include::0: there is no rule pack \"defualt\"; allowed: default, classic, or \"${file:PATH}\""),
        "{told}"
    );
    let told = problems("{disable: [Nothing]}").join("\n");
    assert!(told.starts_with("::disable::0: no included rule has the name \"Nothing\"; allowed: DeferPendingGrows"), "{told}");
    let rule = "{name: A, metric: m, above: 1, severity: high}";
    let told = problems(&format!("{{rules: [{rule}, {rule}]}}")).join("\n");
    assert!(told.starts_with("::rules::1::name: another rule has the name \"A\""), "{told}");
    let told = problems("{log_rules: [{name: B, severity: high}]}").join("\n");
    assert!(told.contains("it would mark every record"), "{told}");
}

#[test]
fn a_mistake_inside_an_included_file_keeps_its_place() {
    let told = problems("{include: [{rules: [{name: A, metric: 7, above: x, severity: high}]}]}").join("\n");
    assert!(told.contains("::include::0::rules::0::metric: expected a string, got integer"), "{told}");
    assert!(told.contains("::include::0::rules::0::above"), "{told}");
}
