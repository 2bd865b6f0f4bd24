//! Bodies that are refused, and every text they are refused with.

use super::*;

#[test]
fn unknown_key_has_its_place_the_known_ones_and_the_nearest() {
    let said = said("    limt: 5");
    assert_eq!(
        said,
        "c.yaml:3:5: processors::threshold/slow::limt: unknown key \"limt\"; allowed: action, cpu, endpoint, free, grpc, interval, labels, limit, \
         mode, name, optional, ports, ratio, rules, size, tags, token; did you mean \"limit\"?"
    );
}

#[test]
fn unknown_keys_at_every_depth_are_said_at_once_and_free_form_maps_are_left_alone() {
    let said = said(
        "    free: {anything: {goes: 1}}\n    labels: {any: key}\n    rules: [{metric: m, abov: 1}, {metric: n, form: 2s}]\n    grpc: {prot: \
         1}\n    action: {type: drop, reason: x, resaon: y}",
    );
    let lines: Vec<&str> = said.lines().filter_map(|line| line.split("; allowed").next()).collect();
    assert_eq!(
        lines,
        [
            "c.yaml:5:25: processors::threshold/slow::rules::0::abov: unknown key \"abov\"",
            "c.yaml:5:47: processors::threshold/slow::rules::1::form: unknown key \"form\"",
            "c.yaml:6:12: processors::threshold/slow::grpc::prot: unknown key \"prot\"",
            "c.yaml:7:37: processors::threshold/slow::action::resaon: unknown key \"resaon\"",
        ]
    );
}

#[test]
fn wrong_types_are_all_said_with_value_and_place() {
    assert_eq!(
        said(
            "    limit: many\n    ratio: [1]\n    name: 5\n    interval: 5\n    size: big\n    cpu: -1\n    endpoint: here\n    mode: fats\n    \
             tags: [a, 2]\n    rules:\n      - {metric: m, for: later}\n      - {metric: [], above: no}"
        ),
        "\
c.yaml:3:12: processors::threshold/slow::limit: expected a whole number from 0 to 4294967295, got string; value: \"many\"
c.yaml:4:12: processors::threshold/slow::ratio: expected a number, got list
c.yaml:5:11: processors::threshold/slow::name: expected a string, got integer; value: 5
c.yaml:6:15: processors::threshold/slow::interval: expected a duration such as 500ms, 1.5s or 1h30m, got integer; value: 5
c.yaml:7:11: processors::threshold/slow::size: expected a size such as 1048576, 512KiB, 64MiB or 2GB, got string; value: \"big\"
c.yaml:8:10: processors::threshold/slow::cpu: expected a percentage such as 5% or 0.5%, got integer; value: -1
c.yaml:9:15: processors::threshold/slow::endpoint: expected host:port, such as localhost:4317, 0.0.0.0:0 or [::]:4317, got string; value: \"here\"
c.yaml:10:11: processors::threshold/slow::mode: unknown value; value: \"fats\"; allowed: fast, slow; did you mean \"fast\"?
c.yaml:11:15: processors::threshold/slow::tags::1: expected a string, got integer; value: 2
c.yaml:13:26: processors::threshold/slow::rules::0::for: expected a duration such as 500ms, 1.5s or 1h30m, got string; value: \"later\"
c.yaml:14:18: processors::threshold/slow::rules::1::metric: expected a string, got list
c.yaml:14:29: processors::threshold/slow::rules::1::above: expected a number, got string; value: \"no\""
    );
}

#[test]
fn number_out_of_range_names_the_range() {
    assert_eq!(
        said("    grpc: {port: 65536}"),
        "c.yaml:3:18: processors::threshold/slow::grpc::port: expected a whole number from 0 to 65535, got integer; value: 65536"
    );
    assert_eq!(
        said("    limit: -1"),
        "c.yaml:3:12: processors::threshold/slow::limit: expected a whole number from 0 to 4294967295, got integer; value: -1"
    );
}

#[test]
fn wrong_items_of_a_list_keep_their_index() {
    assert_eq!(
        said("    tags: [1, a, 2, b, 3]").lines().filter_map(|line| line.split(": expected").next()).collect::<Vec<_>>(),
        [
            "c.yaml:3:12: processors::threshold/slow::tags::0",
            "c.yaml:3:18: processors::threshold/slow::tags::2",
            "c.yaml:3:24: processors::threshold/slow::tags::4"
        ]
    );
    assert_eq!(
        said("    rules: [{above: 1}, {metric: 5, for: x}, {metric: a, for: y}]\n    size: z")
            .lines()
            .filter_map(|line| line.split("slow::").nth(1)?.split(';').next())
            .collect::<Vec<_>>(),
        [
            "rules::0: missing key \"metric\"",
            "rules::1::metric: expected a string, got integer",
            "rules::1::for: expected a duration such as 500ms, 1.5s or 1h30m, got string",
            "rules::2::for: expected a duration such as 500ms, 1.5s or 1h30m, got string",
            "size: expected a size such as 1048576, 512KiB, 64MiB or 2GB, got string",
        ]
    );
}

#[test]
fn missing_key_is_said_where_it_is_missing() {
    assert_eq!(said("    rules: [{above: 1}]"), "c.yaml:3:13: processors::threshold/slow::rules::0: missing key \"metric\"");
}

#[test]
fn body_of_a_wrong_type_is_said() {
    assert_eq!(said("    text"), "c.yaml:3:5: processors::threshold/slow: expected a map, got string; value: \"text\"");
    assert_eq!(said("    [1]"), "c.yaml:3:5: processors::threshold/slow: expected a map, got list");
}

#[test]
fn validation_finds_everything_when_types_are_right() {
    assert_eq!(
        said("    cpu: 101%\n    rules: [{metric: a, above: 1}, {metric: b}]\n    limt: 1")
            .lines()
            .filter_map(|line| line.split("; allowed: a").next())
            .collect::<Vec<_>>(),
        [
            "c.yaml:3:10: processors::threshold/slow::cpu: 101% is more than there is; allowed: 0% to 100%",
            "c.yaml:4:36: processors::threshold/slow::rules::1::above: a rule needs a limit",
            "c.yaml:5:5: processors::threshold/slow::limt: unknown key \"limt\"",
        ]
    );
}

#[test]
fn secret_is_never_quoted() {
    for body in [
        "    token: [hunter2]",
        "    token: {a: hunter2}",
        "    tokn: hunter2",
        "    limit: ${TOKEN}",
        "    mode: ${TOKEN}",
        "    endpoint: x ${TOKEN}",
    ] {
        let said = said(body);
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert_eq!(
        said("    limit: ${env:TOKEN}"),
        "c.yaml:3:12: processors::threshold/slow::limit: expected a whole number from 0 to 4294967295, got string; value: ${env:TOKEN}"
    );
    assert_eq!(
        said("    token: 5"),
        "c.yaml:3:12: processors::threshold/slow::token: expected a string, got integer; value: [REDACTED]"
    );
}

#[test]
fn list_from_the_environment_must_hold_the_right_types() {
    assert_eq!(
        said("    rules: ${LIST}").lines().next().unwrap(),
        "c.yaml:3:12: processors::threshold/slow::rules::0: expected a map, got string; value: ${LIST}"
    );
}

#[test]
fn problem_in_one_component_does_not_hide_another() {
    let Examined { document, problems, .. } = examined("    limit: x\n  threshold/other:\n    limt: 1");
    assert!(problems.is_empty());
    for (id, line) in [("threshold/slow", 3), ("threshold/other", 5)] {
        let problems = document.decode::<Config>(Kind::Processor, &id.parse().unwrap()).unwrap_err();
        assert_eq!(problems[0].origin.as_ref().unwrap().line, line);
    }
    assert!(document.decode::<Config>(Kind::Receiver, &"otlp".parse().unwrap()).is_ok());
}

#[test]
fn value_that_could_not_be_expanded_is_reported_once() {
    let Examined { document, problems, .. } = examined("    limit: ${file:x}");
    assert_eq!(problems.len(), 1, "{problems:?}");
    let again = document.decode::<Config>(Kind::Processor, &"threshold/slow".parse().unwrap()).unwrap_err();
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn unknown_component_type_has_place_and_nearest_name() {
    let document = examined("").document;
    let problem = document.unknown_type(Kind::Processor, &"threshold/slow".parse().unwrap(), &["treshold", "batch"]);
    assert_eq!(
        problem.to_string(),
        "c.yaml:2:3: processors::threshold/slow: 'processors' unknown type: \"threshold\" for id: \"threshold/slow\" (valid values: [batch \
         treshold]); did you mean \"treshold\"?"
    );
}

#[test]
fn component_that_is_not_configured_is_said() {
    let problems = examined("").document.decode::<Config>(Kind::Processor, &"x".parse().unwrap()).unwrap_err();
    assert_eq!(problems[0].to_string(), "processors::x: is not configured");
}

#[test]
fn set_flag_wins_and_is_named_in_problems() {
    let set = Source::from_set_flag("processors.threshold/slow.limit=many").unwrap();
    let file = "processors: {threshold/slow: {limit: 1}}\nreceivers: {otlp: }\nexporters: {debug: }\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}\n";
    let (document, _) = Document::load(&[Source::Text { name: "c.yaml".to_owned(), bytes: file.into() }, set], &env).unwrap();
    let problems = document.decode::<Config>(Kind::Processor, &"threshold/slow".parse().unwrap()).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "--set processors.threshold/slow.limit: processors::threshold/slow::limit: expected a whole number from 0 to 4294967295, got string; \
         value: \"many\""
    );
}

#[test]
fn logging_exporter_is_answered_with_its_successor() {
    let document = examined("").document;
    let problem = document.unknown_type(Kind::Exporter, &"logging".parse().unwrap(), &["debug"]);
    assert_eq!(
        problem.to_string(),
        "exporters::logging: the logging exporter has been deprecated, use the debug exporter instead"
    );
}
