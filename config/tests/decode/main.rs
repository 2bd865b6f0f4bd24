//! What a component's author and user see: decoding a component's body and every text it can be refused with.

#![cfg(test)]

mod accepted;
mod refused;

use std::collections::BTreeMap;

use deferd_config::{ByteSize, Document, Duration, Endpoint, Examined, Issues, Kind, Percent, Secret, Source, Validate};
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
    ports: BTreeMap<String, Grpc>,
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
            ports: BTreeMap::new(),
            optional: Some(Duration::from_secs(1)),
            grpc: None,
        }
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Issues) {
        if self.cpu.get() > 100.0 {
            problems.push("cpu", format!("{} is more than there is", self.cpu), "0% to 100%");
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
    Document::examine(&[Source::Text { name: "c.yaml".to_owned(), bytes: text.into_bytes() }], &env)
}

fn decoded(body: &str) -> Result<Config, String> {
    let Examined { document, problems, .. } = examined(body);
    assert!(problems.is_empty(), "{problems:?}");
    let found = document.decode::<Config>(Kind::Processor, &"threshold/slow".parse().unwrap());
    found.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn config(body: &str) -> Config {
    decoded(body).unwrap_or_else(|said| panic!("{said}"))
}

fn said(body: &str) -> String {
    decoded(body).expect_err(body)
}
