use crate::document::Document;
use crate::id::{Kind, Signal};
use crate::source::Source;

const VALID: &str = "\
receivers:
  otlp:
  godefer/a: {}
processors:
  threshold:
exporters:
  debug:
service:
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [threshold]
      exporters: [debug]
";

fn document(text: &str) -> Document {
    let source = Source::Text { name: "c.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
    Document::load(&[source], &|_| None).unwrap_or_else(|problems| panic!("{problems:?}")).0
}

/// Loads `VALID` with one text replaced and returns what is said, one line each.
fn said(from: &str, to: &str) -> String {
    assert!(VALID.contains(from), "{from}");
    said_of(&VALID.replacen(from, to, 1))
}

fn said_of(text: &str) -> String {
    let source = Source::Text { name: "c.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
    let examined = Document::examine(&[source], &|_| None);
    let problems = examined.problems.iter().map(ToString::to_string);
    problems.chain(examined.warnings.iter().map(|warning| format!("warning: {warning}"))).collect::<Vec<_>>().join("\n")
}

#[test]
fn valid_document_has_ids_and_pipelines_in_order() {
    let document = document(VALID);
    assert_eq!(document.ids(Kind::Receiver).iter().map(ToString::to_string).collect::<Vec<_>>(), ["otlp", "godefer/a"]);
    let pipeline = &document.pipelines()[0];
    assert_eq!((pipeline.id.signal(), pipeline.origin.to_string().as_str()), (Signal::Metrics, "c.yaml:10:5"));
    assert_eq!(pipeline.processors[0].to_string(), "threshold");
    assert_eq!(document.service().telemetry.scrape_endpoints()[0].to_string(), "localhost:8888");
}

#[test]
fn empty_file_is_said() {
    assert_eq!(said_of(""), "c.yaml: empty configuration file");
    assert_eq!(said_of("# nothing\n"), "c.yaml: empty configuration file");
}

#[test]
fn unknown_top_level_key_has_the_nearest_name() {
    assert_eq!(
        said("processors:\n", "procesors:\n").lines().next().unwrap(),
        "c.yaml:4:1: procesors: '' has invalid keys: procesors; allowed: receivers, processors, exporters, connectors, extensions, service; did \
         you mean \"processors\"?"
    );
}

#[test]
fn missing_sections_are_all_said() {
    assert_eq!(
        said_of("service:\n"),
        "c.yaml:1:1: no receiver configuration specified in config\n\
         c.yaml:1:1: no exporter configuration specified in config\n\
         c.yaml:1:1: service::pipelines: service must have at least one pipeline"
    );
}

#[test]
fn section_of_a_wrong_type_is_said() {
    assert_eq!(
        said("processors:\n  threshold:\n", "processors: [threshold]\n").lines().next().unwrap(),
        "c.yaml:4:13: processors: 'processors' expected a map or struct, got \"slice\""
    );
}

#[test]
fn bad_component_id_is_said() {
    assert_eq!(
        said("  godefer/a: {}", "  godefer/: {}"),
        "c.yaml:3:3: receivers::godefer/: in \"godefer/\" id: the part after / should not be empty; allowed: type or type/name; a type is a letter \
         followed by letters, digits and _"
    );
}

#[test]
fn ids_that_are_equal_after_trimming_are_said() {
    assert_eq!(
        said("  godefer/a: {}", "  otlp : {}\n  godefer/a: {}\n  'godefer/ a': {}"),
        "c.yaml:3:3: mapping key \"otlp\" already defined at line 2 column 3"
    );
    assert_eq!(
        said("  godefer/a: {}", "  godefer/a: {}\n  'godefer/ a': {}"),
        "c.yaml:4:3: receivers::godefer/ a: duplicate name \"godefer/ a\" after unmarshaling godefer/a"
    );
}

#[test]
fn pipeline_without_receiver_or_exporter_is_said() {
    assert_eq!(
        said("      receivers: [otlp]\n", ""),
        "c.yaml:10:5: service::pipelines::metrics: must have at least one receiver"
    );
    assert_eq!(
        said("exporters: [debug]", "exporters: []"),
        "c.yaml:10:5: service::pipelines::metrics: must have at least one exporter"
    );
}

#[test]
fn dangling_reference_has_the_nearest_name() {
    assert_eq!(
        said("[threshold]", "[treshold]"),
        "c.yaml:12:20: service::pipelines::metrics: references processor \"treshold\" which is not configured; did you mean \"threshold\"?"
    );
    assert_eq!(
        said("[otlp]", "[nope]"),
        "c.yaml:11:19: service::pipelines::metrics: references receiver \"nope\" which is not configured"
    );
    assert_eq!(
        said("[debug]", "[nope]"),
        "c.yaml:13:19: service::pipelines::metrics: references exporter \"nope\" which is not configured"
    );
    assert_eq!(
        said("service:\n", "service:\n  extensions: [zpages]\n"),
        "c.yaml:9:16: service::extensions: references extension \"zpages\" which is not configured"
    );
}

#[test]
fn processor_named_twice_is_refused_and_a_receiver_is_taken_once() {
    assert_eq!(
        said("[threshold]", "[threshold, threshold]"),
        "c.yaml:12:31: service::pipelines::metrics: references processor \"threshold\" multiple times"
    );
    assert_eq!(
        said("[otlp]", "[otlp, otlp]"),
        "warning: c.yaml:11:25: service::pipelines::metrics: references receiver \"otlp\" multiple times"
    );
}

#[test]
fn unknown_signal_has_the_nearest_name() {
    assert_eq!(
        said("    metrics:", "    metric/x:"),
        "c.yaml:10:5: service::pipelines::metric/x: unknown pipeline signal: \"metric\"; allowed: traces, metrics, logs, profiles; did you mean \
         \"metrics\"?"
    );
}

#[test]
fn pipeline_of_a_wrong_shape_is_said() {
    assert_eq!(
        said("      processors: [threshold]\n", "      unknown_section: 1\n"),
        "c.yaml:12:7: service::pipelines::metrics::unknown_section: 'service.pipelines[metrics]' has invalid keys: unknown_section; allowed: receivers, \
         processors, exporters"
    );
    let start = VALID.find("    metrics:\n").unwrap();
    assert_eq!(
        said_of(&format!("{}    metrics: text\n", &VALID[..start])),
        "c.yaml:10:14: service::pipelines::metrics: 'service.pipelines[metrics]' expected a map or struct, got \"string\""
    );
    assert_eq!(
        said("[otlp]", "{a: 1}").lines().next().unwrap(),
        "c.yaml:11:18: service::pipelines::metrics::receivers: 'service.pipelines[metrics].receivers' source data must be an array or slice, got map"
    );
    assert_eq!(
        said("[otlp]", "[otlp, 5]"),
        "c.yaml:11:25: service::pipelines::metrics::receivers: expected the id of a component, got integer; value: 5"
    );
}

#[test]
fn text_is_no_list_of_ids() {
    assert_eq!(
        said("[otlp]", "otlp,godefer/a").lines().next().unwrap(),
        "c.yaml:11:18: service::pipelines::metrics::receivers: 'service.pipelines[metrics].receivers' source data must be an array or slice, \
         got string"
    );
    assert_eq!(
        said("service:\n", "service:\n  extensions: zz\n"),
        "c.yaml:9:15: service::extensions: 'service.extensions' source data must be an array or slice, got string"
    );
}

#[test]
fn connector_stands_for_receiver_and_exporter() {
    let connected = VALID.replace("service:", "connectors: {forward: }\nservice:").replace("[debug]", "[debug, forward]")
        + "    metrics/in:\n      receivers: [forward]\n      exporters: [debug]\n";
    let document = document(&connected);
    assert!(document.is_connector(&"forward".parse().unwrap()));
    assert_eq!(document.pipelines().len(), 2);
}

#[test]
fn connector_with_the_id_of_a_receiver_is_ambiguous() {
    assert_eq!(
        said("service:", "connectors:\n  otlp:\nservice:"),
        "c.yaml:9:3: connectors::otlp: ambiguous ID: Found both \"otlp\" receiver and \"otlp\" connector. Change one of the components' IDs to \
         eliminate ambiguity (e.g. rename \"otlp\" connector to \"otlp/connector\")"
    );
}

#[test]
fn service_keys_are_checked() {
    assert_eq!(
        said("service:\n", "service:\n  extension: []\n"),
        "c.yaml:9:3: service::extension: 'service' has invalid keys: extension; allowed: extensions, pipelines, telemetry, shutdown_timeout, reload, admin; did \
         you mean \"extensions\"?"
    );
    assert_eq!(
        said("service:\n", "service:\n  telemetry: {unknown: 1}\n"),
        "c.yaml:9:15: service::telemetry::unknown: 'service.telemetry' has invalid keys: unknown; allowed: logs, metrics, resource, traces"
    );
    assert_eq!(
        said("service:\n", "service:\n  shutdown_timeout: soon\n"),
        "c.yaml:9:21: service::shutdown_timeout: expected a duration such as 500ms, 1.5s or 1h30m, got string; value: \"soon\""
    );
    assert_eq!(
        said("service:\n", "service:\n  shutdown_timeout: 0\n"),
        "c.yaml:9:21: service::shutdown_timeout: must be above zero; allowed: a duration such as 20s"
    );
}

#[test]
fn telemetry_is_typed() {
    let text = VALID.replace(
        "service:\n",
        "service:\n  telemetry:\n    logs: {level: DEBUG, encoding: json}\n    metrics:\n      level: detailed\n      readers:\n        - pull: \
         {exporter: {prometheus: {host: 0.0.0.0, port: 0}}}\n        - pull: {exporter: {prometheus: }}\n",
    );
    let document = document(&text);
    let telemetry = &document.service().telemetry;
    assert_eq!(telemetry.logs.level, crate::service::LogLevel::Debug);
    assert_eq!(telemetry.scrape_endpoints().iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.0.0.0:0", "localhost:8888"]);
    assert_eq!(
        said("service:\n", "service:\n  telemetry: {logs: {level: loud}}\n"),
        "c.yaml:9:29: service::telemetry::logs::level: unknown value; value: \"loud\"; allowed: debug, info, warn, error"
    );
    assert_eq!(
        said("service:\n", "service:\n  telemetry: {metrics: {readers: [{}]}}\n"),
        "c.yaml:9:35: service::telemetry::metrics::readers::0: must have exactly one kind of reader; allowed: pull, periodic"
    );
    assert_eq!(
        said("service:\n", "service:\n  telemetry: {traces: {processors: []}}\n"),
        "warning: c.yaml:9:23: service::telemetry::traces: has no effect yet"
    );
}

#[test]
fn all_problems_of_a_document_are_said_at_once() {
    let text =
        "receivers: {otlp: }\nexporter: {}\nservice:\n  pipelines:\n    trace: {}\n    logs: {receivers: [x], exporters: [y]}\n";
    assert_eq!(said_of(text).lines().count(), 5, "{}", said_of(text));
}
