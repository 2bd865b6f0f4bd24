//! Text nobody meant as a configuration: every mutation of a valid document ends, soon, in a document or in problems.

#![cfg(test)]

use std::collections::BTreeMap;
use std::time::{Duration as StdDuration, Instant};

use deferd_config::{ByteSize, Document, Duration, Endpoint, Issues, Kind, Secret, Source, Validate};
use schemars::JsonSchema;
use serde::Deserialize;

const VALID: &str = r#"# A document with one of everything.
receivers:
  otlp: &otlp
    endpoint: 0.0.0.0:4317
    size: 64MiB
    labels: {a: "b\n", 'c': d, e: |
      text
      }
  otlp/2:
    <<: *otlp
    token: ${env:TOKEN}
    "interval": ${env:EVERY:-1.5s}
processors: {threshold/slow: {rules: [{metric: m, above: 0x1f}, {metric: "$${x} ${NAME}", above: -1.5e3}]}}
exporters:
  debug::size: 0123
  other: ${env:TREE}
extensions:
service:
  extensions: []
  telemetry:
    logs: {level: info, encoding: json}
    metrics: {level: detailed, readers: [{pull: {exporter: {prometheus: {host: localhost, port: 0}}}}]}
  pipelines:
    metrics/a:
      receivers: [otlp, otlp/2]
      processors:
      - threshold/slow
      exporters: [debug, "other"]
    logs: {receivers: [otlp], exporters: [debug]}
"#;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    endpoint: Endpoint,
    size: ByteSize,
    interval: Duration,
    token: Secret,
    labels: BTreeMap<String, String>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rule {
    metric: String,
    above: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::localhost(1),
            size: ByteSize::new(1),
            interval: Duration::from_secs(1),
            token: Secret::default(),
            labels: BTreeMap::new(),
            rules: Vec::new(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Issues) {
        problems.each("rules", &self.rules);
    }
}

impl Validate for Rule {
    fn validate(&self, problems: &mut Issues) {
        if self.metric.is_empty() || self.above.is_nan() {
            problems.push("", "a rule needs a metric and a limit", "");
        }
    }
}

fn env(name: &str) -> Option<String> {
    let found = match name {
        "TOKEN" => "hunter2-from-the-environment",
        "NAME" => "${TREE}",
        "TREE" => "{size: 1, labels: {x: '${TOKEN}'}}",
        _ => return None,
    };
    Some(found.to_owned())
}

/// Reads a text as far as it goes and returns everything that was said.
fn said(text: &[u8]) -> Vec<String> {
    let source = Source::Text { name: "c.yaml".to_owned(), bytes: text.to_vec() };
    let examined = Document::examine(&[source], &env);
    let mut said: Vec<String> = examined.problems.iter().map(ToString::to_string).collect();
    for kind in Kind::ALL {
        for id in examined.document.ids(kind) {
            if let Err(problems) = examined.document.decode::<Config>(kind, &id) {
                said.extend(problems.iter().map(ToString::to_string));
            }
        }
    }
    said
}

/// Bytes that mean something to YAML or to expansion: hit more often than chance would.
const MEANING: &[u8] = b"{}[]:,&*!|>'\"%@`#-?<$~ \n\t\0\xff";

fn mutated(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = VALID.as_bytes().to_vec();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(0..bytes.len().max(1)).min(bytes.len());
        let byte = if random.bool() { MEANING[random.usize(0..MEANING.len())] } else { random.u8(..) };
        match random.usize(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
            1 if at < bytes.len() => bytes[at] = byte,
            2 => bytes.insert(at, byte),
            3 => {
                let end = (at + random.usize(0..8)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + random.usize(0..40)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = random.usize(0..=bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => {
                if random.usize(0..8) == 0 {
                    bytes.truncate(at);
                }
            }
        }
    }
    bytes
}

#[test]
fn the_document_that_is_mutated_is_valid() {
    assert_eq!(said(VALID.as_bytes()), Vec::<String>::new());
}

#[test]
fn ten_thousand_mutations_end_in_a_document_or_in_problems() {
    let mut random = fastrand::Rng::with_seed(0x0dea_d0c5);
    let (mut refused, mut slowest) = (0, StdDuration::ZERO);
    for number in 0..10_000 {
        let text = mutated(&mut random);
        let start = Instant::now();
        let said = said(&text);
        slowest = slowest.max(start.elapsed());
        refused += usize::from(!said.is_empty());
        for line in &said {
            assert!(!line.contains('\n') && line.len() < 2000, "mutation {number}: {line}");
            assert!(!line.contains("hunter2"), "mutation {number}: {line}");
        }
    }
    println!("10000 mutations, {refused} refused, slowest {slowest:?}");
    assert!(refused > 5_000, "only {refused} of 10000 mutations were refused: they no longer hit anything");
    assert!(slowest < StdDuration::from_secs(5), "{slowest:?}");
}

#[test]
fn big_texts_of_few_kinds_of_bytes_end_soon() {
    let size = (4 << 20) - 64;
    let repeated = |unit: &str| unit.repeat(size / unit.len());
    let texts = [
        ("brackets", repeated("[")),
        ("braces", repeated("{a: ")),
        ("dashes", repeated("- ")),
        ("question marks", repeated("? ")),
        ("items", repeated("- a\n")),
        ("quotes", repeated("\"")),
        ("open quote", format!("a: \"{}", repeated("x "))),
        ("anchors", repeated("&a ")),
        ("tags", repeated("!")),
        ("comment", format!("#{}", repeated("x"))),
        ("references", format!("a: '{}'", repeated("${x}").get(..size - 10).unwrap())),
        ("dollars", format!("a: '{}'", repeated("$").get(..size - 10).unwrap())),
        ("half references", format!("a: '{}'", repeated("${").get(..size - 10).unwrap())),
        ("one key", format!("{}: 1", "k".repeat(1000))),
        ("many keys", (0..150_000).map(|i| i.to_string() + ": 1\n").collect()),
        ("colons", format!("{}: 1", "a::".repeat(300))),
        ("blank", repeated(" ")),
        ("lines", repeated("\n")),
    ];
    for (name, text) in texts {
        let start = Instant::now();
        let said = said(text.as_bytes());
        println!("{name}: {:?}, {} problems", start.elapsed(), said.len());
        assert!(!said.is_empty(), "{name}");
        assert!(start.elapsed() < StdDuration::from_secs(30), "{name}: {:?}", start.elapsed());
    }
}
