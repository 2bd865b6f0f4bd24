//! What judging costs: a million points of 100,000 series against 1,000 rules, next to a threshold processor without rules, and the
//! memory it keeps.
//!
//!     cargo run --release -p deferd-processors --example threshold_cost
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement, by hand")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use deferd_component::telemetry::{Health, Telemetry};
use deferd_component::{Batch, BuildContext, Claims, Kind, Out, Processor as _, ProcessorFactory as _, Signal};
use deferd_pdata::Bytes;
use deferd_pdata::build::{EncodedAttributes, MetricsBuilder, NumberPoint};
use deferd_processors::threshold::{Config, Factory, State, Threshold};

const RESOURCES: usize = 100;
const METRICS: usize = 10;
const SERIES: usize = 100;
/// Each point comes so many times: a million points.
const ROUNDS: u64 = 10;
const RULES: usize = 1_000;
const SECOND: u64 = 1_000_000_000;

fn main() {
    let requests: Vec<Vec<Bytes>> =
        (0..ROUNDS).map(|round| (0..RESOURCES).map(|resource| request(resource, round)).collect()).collect();
    println!(
        "{:<48} {:>22} {:>16} {:>10}",
        "a million points of 100,000 series, ns a point", "first point of each", "the next nine", "MiB kept"
    );
    run("no rules", "{include: []}", &requests);
    run("1,000 rules on values, 10 look at each point", &rules("value"), &requests);
    run("1,000 rules on slopes, 10 look at each point", &rules("slope"), &requests);
    run("1,000 rules on values, 90 look at each point", &rules("value").replace("match: ", "not_match: "), &requests);
}

fn run(what: &str, body: &str, requests: &[Vec<Bytes>]) {
    let config: Config = deferd_config::decode_text("rules", body).unwrap();
    let state = Arc::new(State::default());
    let threshold = Factory::build(config, Arc::clone(&state), &context()).unwrap();
    let before = resident();
    let figures: Vec<f64> = requests.iter().map(|round| pass(&threshold, round)).collect();
    let (first, rest) = figures.split_first().unwrap();
    let later = rest.iter().sum::<f64>() / f64::from(u32::try_from(rest.len()).unwrap());
    println!("{what:<48} {first:>22.0} {later:>16.0} {:>10.1}", resident() - before);
}

/// One point of every series. Returns the nanoseconds that each took.
fn pass(threshold: &Threshold, round: &[Bytes]) -> f64 {
    let start = Instant::now();
    let points: usize = round.iter().map(|request| judge(threshold, request)).sum();
    assert_eq!(points, RESOURCES * METRICS * SERIES);
    start.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(points).unwrap())
}

fn judge(threshold: &Threshold, request: &Bytes) -> usize {
    let mut out = Out::new();
    threshold.process(Batch::new(Signal::Metrics, request.clone(), METRICS * SERIES), &mut out).unwrap();
    out.emitted_items()
}

/// Ten groups of a hundred rules each; every group looks at one metric, and in it every rule at a tenth of the series.
fn rules(measure: &str) -> String {
    let mut text = "include: []\nrules:\n".to_owned();
    for rule in 0..RULES {
        let (metric, digit) = (rule % METRICS, rule / METRICS % 10);
        writeln!(
            text,
            "- {{name: R{rule}, metric: m{metric}, match: {{line: '.*{digit}'}}, measure: {measure}, above: 1e9, severity: high}}"
        )
        .unwrap();
    }
    text
}

fn request(resource: usize, round: u64) -> Bytes {
    let mut request = MetricsBuilder::default();
    let (service, host) = (format!("service-{resource}"), format!("host-{}", resource % 10));
    request.resource(&[("service.name", service.as_str().into()), ("host.name", host.as_str().into())], |to| {
        to.scope("bench", "", |scope| {
            for metric in 0..METRICS {
                scope.gauge(&format!("m{metric}"), "", "", |points| {
                    for series in 0..SERIES {
                        let (function, line) = (format!("main.function{series}"), series.to_string());
                        let site = EncodedAttributes::new(&[
                            ("code.function.name", function.as_str().into()),
                            ("code.file.path", "/srv/shop/main.go".into()),
                            ("line", line.as_str().into()),
                        ]);
                        points.add(&NumberPoint::new(
                            &site,
                            (1_700_000_000 + round * 5) * SECOND,
                            i64::try_from(series).unwrap(),
                        ));
                    }
                });
            }
        });
    });
    request.finish()
}

fn context() -> BuildContext {
    BuildContext {
        kind: Kind::Processor,
        id: "threshold".parse().unwrap(),
        signals: vec![Signal::Metrics],
        pipeline: None,
        telemetry: Arc::new(Telemetry::default()),
        health: Arc::new(Health::default()),
        sockets: Arc::new(Claims::default()),
    }
}

/// Resident memory of this process in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kib: f64 = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok()).unwrap();
    kib / 1024.0
}
