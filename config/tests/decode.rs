//! What a component's author and user see: decoding a component's body and every text it can be refused with.

use std::collections::BTreeMap;

use deferd_config::{
    ByteSize, Document, Duration, Endpoint, Examined, Issues, Kind, Percent, Secret, Source,
    Validate,
};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    limit: u32,
    ratio: f64,
    name: String,
    interval: Duration,
    size: ByteSize,
    cpu: Percent,
    endpoint: Endpoint,
    token: Secret,
    mode: Mode,
    action: Action,
    rules: Vec<Rule>,
    tags: Vec<String>,
    labels: BTreeMap<String, String>,
    free: BTreeMap<String, serde_json::Value>,
    optional: Option<Duration>,
    #[schemars(extend("x-null-is-empty" = true))]
    grpc: Option<Grpc>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Grpc {
    port: u16,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Fast,
    /// With a doc comment, the schema is another one.
    Slow,
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    Keep,
    Drop { reason: String },
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rule {
    metric: String,
    #[serde(default)]
    above: Option<f64>,
    #[serde(default, rename = "for")]
    for_: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 7,
            ratio: 0.5,
            name: "n".to_owned(),
            interval: Duration::from_secs(5),
            size: ByteSize::mib(64),
            cpu: Percent::new(5),
            endpoint: Endpoint::localhost(4317),
            token: Secret::default(),
            mode: Mode::Fast,
            action: Action::Keep,
            rules: Vec::new(),
            tags: vec!["default".to_owned()],
            labels: BTreeMap::new(),
            free: BTreeMap::new(),
            optional: Some(Duration::from_secs(1)),
            grpc: None,
        }
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Issues) {
        if self.cpu.get() > 100.0 {
            problems.push(
                "cpu",
                format!("{} is more than there is", self.cpu),
                "0% to 100%",
            );
        }
        problems.each("rules", &self.rules);
    }
}

impl Validate for Rule {
    fn validate(&self, problems: &mut Issues) {
        if self.above.is_none() {
            problems.push("above", "a rule needs a limit", "");
        }
    }
}

fn env(name: &str) -> Option<String> {
    let found = match name {
        "OCTAL" => "0123",
        "TRUE" => "true",
        "TOKEN" => "hunter2",
        "EMPTY" => "",
        "LIST" => "[a, b]",
        _ => return None,
    };
    Some(found.to_owned())
}

fn examined(body: &str) -> Examined {
    let text = format!(
        "processors:\n  threshold/slow:\n{body}\nreceivers: {{otlp: }}\nexporters: {{debug: }}\n\
         service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
    );
    Document::examine(
        &[Source::Text {
            name: "c.yaml".to_owned(),
            bytes: text.into_bytes(),
        }],
        &env,
    )
}

fn decoded(body: &str) -> Result<Config, String> {
    let Examined {
        document, problems, ..
    } = examined(body);
    assert!(problems.is_empty(), "{problems:?}");
    let found = document.decode::<Config>(Kind::Processor, &"threshold/slow".parse().unwrap());
    found.map_err(|problems| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn config(body: &str) -> Config {
    decoded(body).unwrap_or_else(|said| panic!("{said}"))
}

fn said(body: &str) -> String {
    decoded(body).expect_err(body)
}

#[test]
fn null_or_empty_body_is_all_defaults() {
    assert_eq!(config(""), Config::default());
    assert_eq!(config("    {}"), Config::default());
    assert_eq!(
        config("    limit: 9"),
        Config {
            limit: 9,
            ..Config::default()
        }
    );
}

#[test]
fn null_leaves_the_default_and_an_empty_list_does_not() {
    assert_eq!(
        config("    limit:\n    tags:\n    optional: null\n    labels: ~"),
        Config::default()
    );
    assert_eq!(config("    tags: []").tags, Vec::<String>::new());
}

#[test]
fn null_turns_a_section_on_that_says_so() {
    assert_eq!(config("    grpc:").grpc, Some(Grpc::default()));
}

#[test]
fn unknown_key_has_its_place_the_known_ones_and_the_nearest() {
    let said = said("    limt: 5");
    assert_eq!(
        said,
        "c.yaml:3:5: processors::threshold/slow::limt: unknown key \"limt\"; allowed: action, cpu, endpoint, free, grpc, interval, labels, limit, \
         mode, name, optional, ratio, rules, size, tags, token; did you mean \"limit\"?"
    );
}

#[test]
fn unknown_keys_at_every_depth_are_said_at_once_and_free_form_maps_are_left_alone() {
    let said = said(
        "    free: {anything: {goes: 1}}\n    labels: {any: key}\n    rules: [{metric: m, abov: 1}, {metric: n, form: 2s}]\n    grpc: {prot: \
         1}\n    action: {type: drop, reason: x, resaon: y}",
    );
    let lines: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split("; allowed").next())
        .collect();
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
        said("    tags: [1, a, 2, b, 3]")
            .lines()
            .filter_map(|line| line.split(": expected").next())
            .collect::<Vec<_>>(),
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
    assert_eq!(
        said("    rules: [{above: 1}]"),
        "c.yaml:3:13: processors::threshold/slow::rules::0: missing key \"metric\""
    );
}

#[test]
fn body_of_a_wrong_type_is_said() {
    assert_eq!(
        said("    text"),
        "c.yaml:3:5: processors::threshold/slow: expected a map, got string; value: \"text\""
    );
    assert_eq!(
        said("    [1]"),
        "c.yaml:3:5: processors::threshold/slow: expected a map, got list"
    );
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
fn list_from_the_environment_must_hold_the_right_types() {
    assert_eq!(
        said("    rules: ${LIST}").lines().next().unwrap(),
        "c.yaml:3:12: processors::threshold/slow::rules::0: expected a map, got string; value: ${LIST}"
    );
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
    assert_eq!(
        config.action,
        Action::Drop {
            reason: "full".to_owned()
        }
    );
}

#[test]
fn problem_in_one_component_does_not_hide_another() {
    let Examined {
        document, problems, ..
    } = examined("    limit: x\n  threshold/other:\n    limt: 1");
    assert!(problems.is_empty());
    for (id, line) in [("threshold/slow", 3), ("threshold/other", 5)] {
        let problems = document
            .decode::<Config>(Kind::Processor, &id.parse().unwrap())
            .unwrap_err();
        assert_eq!(problems[0].origin.as_ref().unwrap().line, line);
    }
    assert!(
        document
            .decode::<Config>(Kind::Receiver, &"otlp".parse().unwrap())
            .is_ok()
    );
}

#[test]
fn value_that_could_not_be_expanded_is_reported_once() {
    let Examined {
        document, problems, ..
    } = examined("    limit: ${file:x}");
    assert_eq!(problems.len(), 1, "{problems:?}");
    let again = document
        .decode::<Config>(Kind::Processor, &"threshold/slow".parse().unwrap())
        .unwrap_err();
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn raw_bodies_are_equal_when_they_decode_the_same() {
    let raw = |body: &str| {
        let document = examined(body).document;
        document
            .raw(Kind::Processor, &"threshold/slow".parse().unwrap())
            .unwrap()
            .clone()
    };
    assert_eq!(
        raw("    limit: 1\n    name: x"),
        raw("    # moved\n    name: x\n    limit: 0x1")
    );
    assert_ne!(raw("    limit: 1"), raw("    limit: 2"));
    assert_ne!(raw("    name: ${OCTAL}"), raw("    name: 83"));
}

#[test]
fn unknown_component_type_has_place_and_nearest_name() {
    let document = examined("").document;
    let problem = document.unknown_type(
        Kind::Processor,
        &"threshold/slow".parse().unwrap(),
        &["treshold", "batch"],
    );
    assert_eq!(
        problem.to_string(),
        "c.yaml:2:3: processors::threshold/slow: 'processors' unknown type: \"threshold\" for id: \"threshold/slow\" (valid values: [batch \
         treshold]); did you mean \"treshold\"?"
    );
}

#[test]
fn component_that_is_not_configured_is_said() {
    let problems = examined("")
        .document
        .decode::<Config>(Kind::Processor, &"x".parse().unwrap())
        .unwrap_err();
    assert_eq!(problems[0].to_string(), "processors::x: is not configured");
}

#[test]
fn set_flag_wins_and_is_named_in_problems() {
    let set = Source::from_set_flag("processors.threshold/slow.limit=many").unwrap();
    let file = "processors: {threshold/slow: {limit: 1}}\nreceivers: {otlp: }\nexporters: {debug: }\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}\n";
    let (document, _) = Document::load(
        &[
            Source::Text {
                name: "c.yaml".to_owned(),
                bytes: file.into(),
            },
            set,
        ],
        &env,
    )
    .unwrap();
    let problems = document
        .decode::<Config>(Kind::Processor, &"threshold/slow".parse().unwrap())
        .unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "--set processors.threshold/slow.limit: processors::threshold/slow::limit: expected a whole number from 0 to 4294967295, got string; \
         value: \"many\""
    );
}
