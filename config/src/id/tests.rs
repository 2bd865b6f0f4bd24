use super::*;

fn error(text: &str) -> String {
    text.parse::<ComponentId>().unwrap_err().to_string()
}

#[test]
fn id_is_type_and_optional_name_both_trimmed() {
    let id: ComponentId = " otlp / a/b ".parse().unwrap();
    assert_eq!((id.type_(), id.name(), id.to_string().as_str()), ("otlp", "a/b", "otlp/a/b"));
    assert_eq!("debug".parse::<ComponentId>().unwrap().to_string(), "debug");
}

#[test]
fn bad_ids_are_refused_in_the_collectors_words() {
    assert_eq!(error(" "), "id must not be empty");
    assert_eq!(error("/x"), r#"in "/x" id: the part before / should not be empty"#);
    assert_eq!(error("x/ "), r#"in "x/ " id: the part after / should not be empty"#);
    assert_eq!(error("a-b"), r#"in "a-b" id: invalid character(s) in type "a-b""#);
    assert_eq!(error("1a"), r#"in "1a" id: invalid character(s) in type "1a""#);
    assert_eq!(error("a/b c"), r#"in "b c" id: invalid character(s) in name "b c""#);
    assert_eq!(error("a/$b"), r#"in "$b" id: invalid character(s) in name "$b""#);
}

#[test]
fn type_ends_at_63_characters_and_name_at_1024() {
    assert!("a".repeat(63).parse::<ComponentId>().is_ok());
    assert!("a".repeat(64).parse::<ComponentId>().is_err());
    assert!(format!("a/{}", "b".repeat(1024)).parse::<ComponentId>().is_ok());
    assert_eq!(error(&format!("a/{}", "b".repeat(1025))), "name is longer than 1024 characters (1025 characters)");
}

#[test]
fn pipeline_id_begins_with_a_signal() {
    let id: PipelineId = "logs/in2".parse().unwrap();
    assert_eq!((id.signal(), id.name(), id.to_string().as_str()), (Signal::Logs, "in2", "logs/in2"));
    assert_eq!("spans".parse::<PipelineId>().unwrap_err().to_string(), r#"unknown pipeline signal: "spans""#);
}

#[test]
fn ids_travel_as_text() {
    let id: ComponentId = serde_json::from_str(r#""otlp/x""#).unwrap();
    assert_eq!(serde_json::to_string(&id).unwrap(), r#""otlp/x""#);
    assert!(serde_json::from_str::<Signal>(r#""trace""#).is_err());
}
