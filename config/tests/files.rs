//! `${file:PATH}`: configuration in several files, each problem at its own line of its own file.

#![cfg(test)]

use std::path::{Path, PathBuf};

use deferd_config::{ComponentId, Document, Duration, FileState, Issues, Kind, Node, Problem, Secret, Source, Validate};
use deferd_config::{decode_file, decode_text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Body {
    include: Vec<Include>,
    rules: Vec<Rule>,
    name: String,
    token: Secret,
    every: Duration,
    labels: std::collections::BTreeMap<String, String>,
}

/// Reads itself: a derived untagged enum would say of any mistake within that no variant matched, at the first line.
#[derive(Debug, PartialEq, JsonSchema)]
#[serde(untagged)]
enum Include {
    Named(String),
    Rules(RuleFile),
}

impl<'de> Deserialize<'de> for Include {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Include;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a pack or rules")
    }

    fn visit_str<E>(self, text: &str) -> Result<Include, E> {
        Ok(Include::Named(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Include, A::Error> {
        RuleFile::deserialize(MapAccessDeserializer::new(map)).map(Include::Rules)
    }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rules: Vec<Rule>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rule {
    metric: String,
    #[serde(default)]
    above: f64,
}

impl Validate for Body {
    fn validate(&self, problems: &mut Issues) {
        let included = self.include.iter().enumerate().filter_map(|(index, include)| match include {
            Include::Rules(file) => Some((format!("include::{index}::rules"), &file.rules)),
            Include::Named(_) => None,
        });
        for (key, rules) in included.chain([("rules".to_owned(), &self.rules)]) {
            for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.above < 0.0) {
                problems.push(&format!("{key}::{index}::above"), format!("{} is below 0", rule.above), "0 or more");
            }
        }
    }
}

/// A folder of files and a configuration that refers to them as `DIR/name`.
struct Case {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let case = Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        for (name, text) in files {
            case.write(name, text);
        }
        case
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text.replace("DIR", self.dir())).unwrap();
    }

    fn dir(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn examine(&self, body: &str) -> deferd_config::Examined {
        let text = format!(
            "receivers: {{r: }}\nexporters: {{e: }}\nservice: {{pipelines: {{logs: {{receivers: [r], processors: [p], exporters: [e]}}}}}}\nprocessors:\n  p:\n{body}"
        );
        let bytes = text.replace("DIR", self.dir()).into_bytes();
        let dir = self.dir().to_owned();
        let variable = |name: &str| match name {
            "HERE" => Some(dir.clone()),
            _ => self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        };
        Document::examine(&[Source::Text { name: "main.yaml".to_owned(), bytes }], &variable)
    }

    fn decoded(&self, body: &str) -> Result<Body, String> {
        let examined = self.examine(body);
        let mut problems = examined.problems;
        let decoded = examined.document.decode::<Body>(Kind::Processor, &id());
        if let Err(found) = &decoded {
            problems.extend(found.iter().cloned());
        }
        if problems.is_empty() { Ok(decoded.unwrap()) } else { Err(self.shown(&problems)) }
    }

    fn shown(&self, problems: &[Problem]) -> String {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").replace(self.dir(), "DIR")
    }

    fn refused(&self, body: &str) -> String {
        self.decoded(body).unwrap_err()
    }

    fn body(&self, body: &str) -> Node {
        self.examine(body).document.raw(Kind::Processor, &id()).unwrap().clone()
    }
}

fn id() -> ComponentId {
    "p".parse().unwrap()
}

fn rule(metric: &str, above: f64) -> Rule {
    Rule { metric: metric.to_owned(), above }
}

#[test]
fn file_stands_for_a_whole_body_a_list_a_map_or_a_value() {
    let case = Case::new(&[
        ("list.yaml", "- {metric: a, above: 1}\n- metric: b\n"),
        ("map.yaml", "# What is watched.\nrules:\n  - {metric: c}\n"),
        ("every", "1m30s\n"),
        ("body.yaml", "name: body\nevery: ${file:DIR/every}\n"),
    ]);
    let rules = case.decoded("    rules: ${file:DIR/list.yaml}\n    every: ${file:DIR/every}\n").unwrap();
    assert_eq!(rules.rules, [rule("a", 1.0), rule("b", 0.0)]);
    assert_eq!(rules.every, "1m30s".parse().unwrap());
    let rules = case.decoded("    include: [default, \"${file:DIR/map.yaml}\"]\n").unwrap();
    assert_eq!(rules.include, [Include::Named("default".into()), Include::Rules(RuleFile { rules: vec![rule("c", 0.0)] })]);
    let rules = case.decoded("    ${file:DIR/body.yaml}\n").unwrap();
    assert_eq!((rules.name.as_str(), rules.every), ("body", "1m30s".parse().unwrap()));
}

#[test]
fn text_is_taken_as_it_stands_without_the_last_line_break() {
    let case = Case::new(&[("token", "@p%: {w: \"0\n"), ("number", "0123\n"), ("two", "a\nb\r\n"), ("map", "note: this\n")]);
    let named = |name: &str| case.decoded(&format!("    name: ${{file:DIR/{name}}}\n")).unwrap().name;
    assert_eq!((named("number").as_str(), named("two").as_str(), named("map").as_str()), ("0123", "a\nb", "note: this"));
    let rules = case.decoded("    token: ${file:DIR/token}\n    name: x-${file:DIR/number}-y\n").unwrap();
    assert_eq!((rules.token.expose(), rules.name.as_str()), ("@p%: {w: \"0", "x-0123-y"));
}

#[test]
fn every_problem_stands_in_the_file_it_is_in() {
    let case = Case::new(&[(
        "rules.yaml",
        "rules:\n  - {metric: a, abve: 1}\n  - metric: [b]\n  - metric: c\n    above: ${env:$X}\n  - metric: d\n    above: much\n",
    )]);
    assert_eq!(
        case.refused("    rules: []\n    include:\n      - ${file:DIR/rules.yaml}\n"),
        "\
DIR/rules.yaml:5:12: processors::p::include::0::rules::2::above: the uri \"env:$X\" contains unsupported characters ('$')
DIR/rules.yaml:2:17: processors::p::include::0::rules::0::abve: unknown key \"abve\"; allowed: above, metric; did you mean \"above\"?
DIR/rules.yaml:3:13: processors::p::include::0::rules::1::metric: expected a string, got list
DIR/rules.yaml:7:12: processors::p::include::0::rules::3::above: expected a number, got string; value: \"much\""
    );
    assert_eq!(
        Case::new(&[("list.yaml", "- metric: a\n- {metric: b, above: -1}\n")]).refused("    rules: ${file:DIR/list.yaml}\n"),
        "DIR/list.yaml:2:22: processors::p::rules::1::above: -1 is below 0; allowed: 0 or more"
    );
}

#[test]
fn file_that_cannot_be_used_is_named_where_it_is_referred_to() {
    let case = Case::new(&[
        ("broken.yaml", "rules:\n  - {metric: a\n  - b\n"),
        ("twice.yaml", "rules: []\nrules: []\n"),
        ("list.yaml", "[a, b]\n"),
        ("bell", "a: \u{7}\n"),
    ]);
    std::fs::write(case.folder.path().join("latin1"), b"name: caf\xe9\n").unwrap();
    for (body, expected) in [
        ("    ${file:DIR/none.yaml}\n", "main.yaml:6:5: processors::p: unable to read the file file:DIR/none.yaml: No such file"),
        (
            "    rules: ${file:DIR}\n",
            "main.yaml:6:12: processors::p::rules: unable to read the file file:DIR: not a regular file",
        ),
        ("    rules: ${file:}\n", "main.yaml:6:12: processors::p::rules: unable to read the file file:: No such file"),
        (
            "    rules: ${file:/dev/zero}\n",
            "main.yaml:6:12: processors::p::rules: unable to read the file file:/dev/zero: not a regular",
        ),
        ("    ${file:DIR/broken.yaml}\n", "DIR/broken.yaml:4:1: processors::p: YAML syntax: "),
        (
            "    ${file:DIR/twice.yaml}\n",
            "DIR/twice.yaml:2:1: processors::p: mapping key \"rules\" already defined at line 1 column 1 (the file is named at main.yaml:6:5)",
        ),
        ("    ${file:DIR/bell}\n", "DIR/bell:1:4: processors::p: control characters are not allowed"),
        ("    ${file:DIR/latin1}\n", "DIR/latin1:1:10: processors::p: not UTF-8: invalid byte at offset 9"),
        (
            "    name: x-${file:DIR/list.yaml}\n",
            "main.yaml:6:11: processors::p::name: file DIR/list.yaml holds a list, which cannot stand within a text; allowed: ",
        ),
    ] {
        let told = case.refused(body);
        assert!(told.starts_with(expected) && told.lines().count() == 1, "{body}: {told}");
    }
}

#[test]
fn files_that_lead_back_to_themselves_end() {
    let chain: Vec<(String, String)> = (0..40).map(|n| (format!("c{n}"), format!("${{file:DIR/c{}}}\n", n + 1))).collect();
    let mut files: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.extend([
        ("a", "rules: ${file:DIR/b}\n"),
        ("b", "- ${file:DIR/a}\n"),
        ("self", "x${file:DIR/self}x"),
        ("text", "${file:DIR/text}"),
    ]);
    let case = Case::new(&files);
    let told = case.refused("    ${file:DIR/a}\n");
    assert!(
        told.starts_with("DIR/b:1:3: processors::p::rules::0: file DIR/a contains itself: DIR/a -> DIR/b -> DIR/a"),
        "{told}"
    );
    assert!(case.refused("    name: ${file:DIR/self}\n").contains("too many recursive expansions"));
    assert!(case.refused("    name: ${file:DIR/text}\n").contains("contains itself"));
    assert!(case.refused("    name: ${file:DIR/c0}\n").contains("files refer to files more than 16 deep"));
}

#[test]
fn what_a_file_may_add_is_bounded() {
    let big = format!("a: {}\n", "y".repeat(4 << 20));
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let wide = format!("[{}1]", "1,".repeat(90_000));
    let case = Case::new(&[("big", &big), ("deep", &deep), ("wide", &wide)]);
    assert!(case.refused("    ${file:DIR/big}\n").contains("bytes are too many for a configuration"));
    assert!(case.refused("    labels: {a: {b: {c: \"${file:DIR/deep}\"}}}\n").contains("nested deeper than 64 levels"));
    let three = "    rules: [\"${file:DIR/wide}\", \"${file:DIR/wide}\", \"${file:DIR/wide}\"]\n";
    assert!(case.refused(three).contains("more than 200000 values"));
}

#[test]
fn path_may_hold_a_reference_and_the_file_too() {
    let mut case = Case::new(&[("rules.yaml", "name: ${METRIC}$${x}\n")]);
    case.variables.push(("METRIC", "m"));
    case.variables.push(("WHERE", "${file:${HERE}/rules.yaml}"));
    assert_eq!(case.decoded("    ${file:${env:HERE}/rules.yaml}\n").unwrap().name, "m${x}");
    assert_eq!(case.decoded("    ${WHERE}\n").unwrap().name, "m${x}");
}

#[test]
fn value_out_of_a_file_of_one_value_is_not_shown() {
    let case = Case::new(&[("secret", "hunter2\n"), ("map", "every: hunter2\ntoken: [hunter3]\n")]);
    let told = case.refused("    every: ${file:DIR/secret}\n");
    assert!(told.starts_with("DIR/secret:1:1: processors::p::every: ") && !told.contains("hunter2"), "{told}");
    assert!(told.ends_with("value: ${file:DIR/secret}"), "{told}");
    assert!(!case.refused("    ${file:DIR/map}\n").contains("hunter3"));
}

#[test]
fn changed_file_is_a_changed_component_and_only_that() {
    let case = Case::new(&[("rules.yaml", "- {metric: a, above: 1}\n")]);
    let body = "    rules: ${file:DIR/rules.yaml}\n";
    let before = case.body(body);
    assert_eq!(before, case.body(&format!("    # a comment\n{body}")));
    case.write("rules.yaml", "- {metric: a, above: 2}\n");
    assert_ne!(before, case.body(body));
    case.write("rules.yaml", "- {metric: a, above: 1}\n");
    assert_eq!(before, case.body(body));
}

#[test]
fn all_files_are_listed_those_that_are_not_there_too() {
    let case = Case::new(&[("a", "name: ${file:DIR/b}\n"), ("b", "x\n")]);
    let listed = |examined: &deferd_config::Examined| -> Vec<PathBuf> {
        examined.document.files().iter().map(|file| file.path.strip_prefix(case.dir()).unwrap_or(&file.path).to_owned()).collect()
    };
    assert_eq!(listed(&case.examine("    ${file:DIR/a}\n    \n")), [Path::new("a"), Path::new("b")]);
    assert_eq!(listed(&case.examine("    ${file:DIR/none}\n")), [Path::new("none")]);
    let layers = Document::examine(&[Source::File("/none/x.yaml".into()), Source::Yaml("a: 1".into())], &|_| None);
    assert_eq!(layers.document.files(), [FileState { path: "/none/x.yaml".into(), digest: None }]);
}

#[test]
fn text_that_somebody_sent_reads_no_other_files() {
    let case = Case::new(&[("a", "x: 1\n"), ("b", "x: 1\n")]);
    let known = FileState::now(&case.folder.path().join("a"));
    let text = "receivers: ${file:DIR/a}\nexporters: ${file:DIR/b}\n".replace("DIR", case.dir());
    let examined = Document::examine_text("sent", text.as_bytes(), &|_| None, &[known]);
    let told = case.shown(&examined.problems);
    assert!(told.contains("sent:2:12: exporters: file DIR/b is not read here") && !told.contains("DIR/a"), "{told}");
}

#[test]
fn state_of_a_file_tells_whether_it_still_holds_what_was_read() {
    let case = Case::new(&[("a", "name: b\n")]);
    let read = case.examine("    ${file:DIR/a}\n").document.files().to_vec();
    assert!(read.iter().all(|file| file.digest.is_some() && FileState::now(&file.path) == *file));
    case.write("a", "name: c\n");
    assert!(read.iter().all(|file| FileState::now(&file.path) != *file));
    assert_eq!(FileState::now(Path::new("/dev/zero")).digest, None);
}

#[test]
fn text_and_file_of_their_own_are_decoded_with_the_same_problems() {
    let rules: Body = decode_text("built-in", "rules: [{metric: a}]\nname: ${NOT}\n").unwrap();
    assert_eq!((rules.rules.as_slice(), rules.name.as_str()), (&[rule("a", 0.0)][..], "${NOT}"));
    let shown = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(
        shown(decode_text::<Body>("built-in", "rules:\n  - {metric: a, above: -1}\n").unwrap_err()),
        "built-in:2:24: rules::0::above: -1 is below 0; allowed: 0 or more"
    );
    assert!(shown(decode_text::<Body>("built-in", "rules: [").unwrap_err()).starts_with("built-in:"));
    let case =
        Case::new(&[("r", "rules: ${file:DIR/list}\nname: ${X}\n"), ("list", "- {metric: a, abve: 1}\n"), ("list2", "[]\n")]);
    let path = format!("{}/r", case.dir());
    assert_eq!(
        case.shown(&decode_file::<Body>(&path, &|_| None).unwrap_err()),
        "DIR/list:1:15: rules::0::abve: unknown key \"abve\"; allowed: above, metric; did you mean \"above\"?"
    );
    case.write("r", "rules: ${file:DIR/list2}\nname: ${X}\n");
    assert_eq!(decode_file::<Body>(&path, &|_| Some("x".to_owned())).unwrap().0.name, "x");
    assert!(shown(decode_file::<Body>("/none/r", &|_| None).unwrap_err()).contains("unable to read the file"));
}
