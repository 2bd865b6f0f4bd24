//! Bodies that decode, and what they decode to.

use super::*;

#[test]
fn null_or_empty_body_is_all_defaults() {
    assert_eq!(config(""), Config::default());
    assert_eq!(config("    {}"), Config::default());
    assert_eq!(config("    limit: 9"), Config { limit: 9, ..Config::default() });
}

#[test]
fn null_leaves_the_default_and_an_empty_list_does_not() {
    assert_eq!(config("    limit:\n    tags:\n    optional: null\n    labels: ~"), Config::default());
    assert_eq!(config("    tags: []").tags, Vec::<String>::new());
}

#[test]
fn a_variable_that_holds_nothing_leaves_the_default_of_a_field_that_takes_certain_texts_only() {
    let unset = config("    interval: '${env:NONE:-}'\n    mode: '${NONE}'\n    size: ${EMPTY}\n    limit: '${NONE}'");
    assert_eq!(unset, Config::default());
    assert_eq!(config("    name: '${env:NONE:-}'").name, "");
}

#[test]
fn null_turns_a_section_on_that_says_so() {
    assert_eq!(config("    grpc:").grpc, Some(Grpc::default()));
}

#[test]
fn value_from_the_environment_takes_the_type_of_its_field() {
    let config = config(
        "    limit: ${env:OCTAL}\n    name: ${env:OCTAL}\n    labels: {a: '${TRUE}', b: '${EMPTY}'}\n    tags: ${LIST}\n    free: {x: '${OCTAL}'}\n    token: ${TOKEN}\n    optional: ${EMPTY}",
    );
    assert_eq!((config.limit, config.name.as_str()), (83, "0123"));
    assert_eq!(config.labels["a"], "true");
    assert_eq!(config.labels["b"], "");
    assert_eq!(config.free["x"], 83);
    assert_eq!(config.token.expose(), "hunter2");
    assert_eq!(config.optional, Some(Duration::from_secs(1)));
}

#[test]
fn text_with_commas_becomes_a_list() {
    assert_eq!(config("    tags: a,b").tags, ["a", "b"]);
    assert_eq!(config("    tags: ''").tags, Vec::<String>::new());
}

#[test]
fn tagged_and_plain_enums_are_read() {
    let config = config("    mode: slow\n    action: {type: drop, reason: full}");
    assert_eq!(config.mode, Mode::Slow);
    assert_eq!(config.action, Action::Drop { reason: "full".to_owned() });
}

#[test]
fn raw_bodies_are_equal_when_they_decode_the_same() {
    let raw = |body: &str| {
        let document = examined(body).document;
        document.raw(Kind::Processor, &"threshold/slow".parse().unwrap()).unwrap().clone()
    };
    assert_eq!(raw("    limit: 1\n    name: x"), raw("    # moved\n    name: x\n    limit: 0x1"));
    assert_ne!(raw("    limit: 1"), raw("    limit: 2"));
    assert_ne!(raw("    name: ${OCTAL}"), raw("    name: 83"));
}

#[test]
fn null_in_a_free_form_map_is_empty() {
    let config = config("    labels: {a: }\n    ports: {x: , y: {port: 1}}\n    free: {z: }");
    assert_eq!(config.labels["a"], "");
    assert_eq!(config.ports["x"], Grpc::default());
    assert_eq!(config.free["z"], serde_json::Value::Null);
}
