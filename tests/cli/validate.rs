//! `deferd validate`: everything that is wrong, with its place; and nothing else.

use crate::support::{ConfigFile, QUIET, output};

#[test]
fn a_good_configuration_is_silent() {
    let config = ConfigFile::new(QUIET);
    let (code, stdout, stderr) = output(&["validate", "--config", config.path().to_str().unwrap()]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
}

#[test]
fn the_shipped_example_is_good() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/examples/quickstart.yaml");
    let (code, stdout, stderr) = output(&["validate", "--config", example]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
}

#[test]
fn every_problem_is_one_line_with_place_key_value_and_advice() {
    let bad = "\
receivers:
  godefer:
    snapshot: { intervl: 5s }
    max_agent_cpu: -1%
  otpl:
exporters:
  debug: { verbosity: loud }
  logging:
service:
  telemetry: { logs: { level: wat } }
  pipelines:
    metrics:
      receivers: [godefr]
      exporters: [debug, debugg]
";
    let expected = "\
Error: FILE:3:17: receivers::godefer::snapshot::intervl: unknown key \"intervl\"; \
allowed: interval, max_goroutines, max_open_coded_goroutines, max_records; did you mean \"interval\"?
Error: FILE:4:20: receivers::godefer::max_agent_cpu: expected a percentage such as 5% or 0.5%, got string; value: \"-1%\"
Error: FILE:5:3: receivers::otpl: 'receivers' unknown type: \"otpl\" for id: \"otpl\" (valid values: [godefer])
Error: FILE:7:23: exporters::debug::verbosity: unknown value; value: \"loud\"; allowed: basic, normal, detailed
Error: FILE:8:3: exporters::logging: the logging exporter has been deprecated, use the debug exporter instead
Error: FILE:10:31: service::telemetry::logs::level: unknown value; value: \"wat\"; allowed: debug, info, warn, error
Error: FILE:13:19: service::pipelines::metrics: references receiver \"godefr\" which is not configured; did you mean \"godefer\"?
Error: FILE:14:26: service::pipelines::metrics: references exporter \"debugg\" which is not configured; did you mean \"debug\"?
";
    let config = ConfigFile::new(bad);
    let path = config.path().to_str().unwrap().to_owned();
    let (code, stdout, stderr) = output(&["validate", "--config", &path]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(stderr.replace(&path, "FILE"), expected);
    let (code, _, same) = output(&["--config", &path]);
    assert_eq!((code, same), (1, stderr), "running says the same and starts nothing");
}

#[test]
fn what_is_missing_altogether_is_said_too() {
    let one = |arguments: &[&str], expected: &str| {
        let (code, stdout, stderr) = output(arguments);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(stderr.starts_with(expected) && stderr.lines().count() == 1, "{stderr}");
    };
    one(&[], "Error: at least one config flag must be provided");
    one(&["validate"], "Error: at least one config flag must be provided");
    one(&["validate", "--config", "/no/such/file.yaml"], "Error: /no/such/file.yaml: unable to read the file");
    one(&["validate", "--config", "http://x"], "Error: scheme \"http\" is not supported for uri \"http://x\"");
    one(&["validate", "--config", "yaml:a: 1", "--set", "a:b"], "Error: invalid value \"a:b\" for flag -set: missing equal sign");
}

#[test]
fn values_set_on_the_command_line_win_and_are_named_in_messages() {
    let config = ConfigFile::new(QUIET);
    let path = config.path();
    let set = "receivers.godefer.snapshot.interval=soon";
    let (code, _, stderr) = output(&["validate", "--config", path.to_str().unwrap(), "--set", set]);
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with("Error: --set receivers.godefer.snapshot.interval: receivers::godefer::snapshot::interval: "),
        "{stderr}"
    );
}
