//! A real OpenTelemetry Collector that shows what it receives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use deferd_fixtures::missing;

use crate::process::Running;
use crate::{port, wait};

/// The variable that names the program.
pub const VARIABLE: &str = "DEFERD_COLLECTOR";

/// A Collector that takes OTLP by gRPC and writes everything to its standard output, with its `debug` exporter.
#[derive(Debug)]
pub struct Collector {
    running: Running,
    port: u16,
    _folder: tempfile::TempDir,
}

/// Values by metric and attributes of the point, each with its time in nanoseconds.
pub type Points = BTreeMap<(String, Vec<String>), Vec<(u64, f64)>>;

impl Collector {
    /// Starts the program that `DEFERD_COLLECTOR` names. `None`, said loudly, where it names none. That is no failure in CI, alone among
    /// what tests need: to build a Collector takes minutes, so it is a step of its own, for those who want it.
    ///
    /// # Panics
    /// If the variable names no file, or the program does not come up.
    pub fn start() -> Option<Self> {
        let Some(program) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
            let text = "to build one takes minutes; this alone is no failure with CI=true (tests/integration/README.md says how)";
            missing::report(&format!("SKIPPED: a real Collector: {VARIABLE} names no program: {text}"));
            return None;
        };
        assert!(program.is_file(), "{VARIABLE}: no file {}", program.display());
        let folder = tempfile::tempdir().expect("a folder");
        let (file, port) = (folder.path().join("collector.yaml"), port::free());
        std::fs::write(&file, configuration(port)).expect("the configuration");
        let mut command = Command::new(program);
        command.arg("--config").arg(&file);
        let mut collector = Self { running: Running::start(command), port, _folder: folder };
        wait::until("the Collector is ready", || {
            assert!(collector.running.is_running(), "the Collector ended: {}", collector.running.stderr());
            collector.running.stderr().contains("Everything is ready").then_some(())
        });
        Some(collector)
    }

    /// `127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The points of gauges and sums that it has received so far, out of what it writes.
    pub fn points(&self) -> Points {
        points(&self.running.stdout())
    }
}

fn configuration(port: u16) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:{port}\"}}}}}}}}
exporters: {{debug: {{verbosity: detailed, use_internal_logger: false, output_paths: [stdout]}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [debug]}}
    logs: {{receivers: [otlp], exporters: [debug]}}
    traces: {{receivers: [otlp], exporters: [debug]}}
"
    )
}

/// Reads the text of `verbosity: detailed`, whose last line may not be whole yet.
fn points(text: &str) -> Points {
    let mut points = Points::new();
    let (mut metric, mut attributes, mut in_point, mut time) = (String::new(), Vec::new(), false, 0);
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        if line.starts_with("Metric #") {
            in_point = false;
        } else if line.starts_with("NumberDataPoints #") {
            (attributes, in_point) = (Vec::new(), true);
        } else if let Some((key, value)) = line.strip_prefix("     -> ").and_then(|line| line.split_once(": ")) {
            match (in_point, key) {
                (true, _) => attributes.push(format!("{key}={}", bare(value))),
                (false, "Name") => value.clone_into(&mut metric),
                (false, _) => {}
            }
        } else if let Some(text) = line.strip_prefix("Timestamp: ") {
            time = nanoseconds(text);
        } else if let Some(value) = line.strip_prefix("Value: ") {
            attributes.sort();
            let value = value.parse().expect("a number");
            points.entry((metric.clone(), std::mem::take(&mut attributes))).or_default().push((time, value));
        }
    }
    points
}

/// `Str(a)` is `"a"`, `Int(1)` is `1`: as the sink writes them.
fn bare(value: &str) -> String {
    let inner = |kind: &str| value.strip_prefix(kind)?.strip_suffix(')');
    match (inner("Str("), inner("Int(")) {
        (Some(text), _) => format!("{text:?}"),
        (_, Some(number)) => number.to_owned(),
        _ => value.to_owned(),
    }
}

/// A time of the first minute of 1970, which is what tests send: `1970-01-01 00:00:12.000000034 +0000 UTC`.
fn nanoseconds(text: &str) -> u64 {
    let seconds = text.strip_prefix("1970-01-01 00:00:").and_then(|text| text.split(' ').next()).expect("a time of a test");
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let number = |text: &str| text.parse::<u64>().expect("digits");
    number(whole) * 1_000_000_000 + number(&format!("{fraction:0<9}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_out_of_the_text() {
        let text = "Metric #0\nDescriptor:\n     -> Name: sent\n     -> Unit: 1\nNumberDataPoints #0\nData point attributes:\n     \
                    -> b: Int(2)\n     -> a: Str(x: y)\nStartTimestamp: 1970-01-01 00:00:00 +0000 UTC\nTimestamp: 1970-01-01 \
                    00:00:01.00000003 +0000 UTC\nValue: 1.5\nNumberDataPoints #1\nTimestamp: 1970-01-01 00:00:00 +0000 UTC\nVal";
        let expected = (("sent".to_owned(), vec!["a=\"x: y\"".to_owned(), "b=2".to_owned()]), vec![(1_000_000_030, 1.5)]);
        assert_eq!(points(text).into_iter().collect::<Vec<_>>(), [expected]);
    }
}
