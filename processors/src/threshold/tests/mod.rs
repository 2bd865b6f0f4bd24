mod alerts;
mod limits;
mod log_records;
mod reload;
mod words;

use std::sync::Arc;

use deferd_component::testing::{context, document};
use deferd_component::{Batch, BuildContext, ComponentId, Kind, Out, Processor as _, ProcessorFactory as _, Signal, alert};
use deferd_pdata::build::{EncodedAttributes, MetricsBuilder, NumberPoint};
use deferd_pdata::metrics::{Data, Number, Request};

use super::*;

const SECOND: u64 = 1_000_000_000;
/// When the points of these tests begin.
const START: u64 = 1_700_000_000 * SECOND;

fn id() -> ComponentId {
    "threshold".parse().unwrap()
}

fn config(body: &str) -> Config {
    document(Kind::Processor, &id(), body).decode(Kind::Processor, &id()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A processor under test, with its state and surroundings.
struct Bench {
    state: Arc<State>,
    context: BuildContext,
    threshold: Threshold,
}

/// One point of an alert, as short as can be.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    name: String,
    severity: String,
    firing: bool,
    line: String,
}

fn said(name: &str, severity: &str, firing: bool, line: &str) -> Said {
    Said { name: name.into(), severity: severity.into(), firing, line: line.into() }
}

impl Bench {
    fn new(body: &str) -> Self {
        let context = context(Kind::Processor, &id(), &[Signal::Metrics]);
        context.health.register(&context.path());
        let state = Arc::new(State::default());
        let threshold = Factory::build(config(body), Arc::clone(&state), &context).unwrap();
        Self { state, context, threshold }
    }

    fn reload(&mut self, body: &str) {
        self.threshold = Factory::build(config(body), Arc::clone(&self.state), &self.context).unwrap();
    }

    /// Sends points (line and value) of a metric at a second; returns what is said.
    fn send(&self, second: u64, metric: &str, points: &[(i64, Option<f64>)]) -> Vec<Said> {
        self.pass(request("shop", second, metric, points))
    }

    fn pass(&self, batch: Batch) -> Vec<Said> {
        let (items, before) = (batch.items(), batch.payload());
        let mut out = Out::new();
        self.threshold.process(batch, &mut out).unwrap();
        let emitted = out.take_emitted();
        assert_eq!(emitted.len(), 1, "alerts travel with the batch that shows them");
        assert!(emitted[0].batch.payload().starts_with(&before), "points stay as they are");
        assert!(emitted[0].batch.items() >= items);
        read(&emitted[0].batch)
    }

    fn tick(&self) -> Vec<Said> {
        let mut out = Out::new();
        self.threshold.tick(Instant::now(), &mut out);
        out.take_emitted().iter().flat_map(|emitted| read(&emitted.batch)).collect()
    }
}

/// A batch of one resource and metric: per line a value, or the end of the series.
fn request(service: &str, second: u64, metric: &str, points: &[(i64, Option<f64>)]) -> Batch {
    let mut request = MetricsBuilder::default();
    request.resource(&[("service.name", service.into())], |resource| {
        resource.scope("deferd/godefer", "", |scope| {
            scope.gauge(metric, "", "", |out| {
                for (line, value) in points {
                    let site = EncodedAttributes::new(&[
                        ("code.file.path", "/srv/main.go".into()),
                        ("code.line.number", (*line).into()),
                        ("go.defer.kind", "heap".into()),
                    ]);
                    let time = START + second * SECOND;
                    out.add(&match value {
                        Some(value) => NumberPoint::new(&site, time, *value),
                        None => NumberPoint::no_recorded_value(&site, time),
                    });
                }
            });
        });
    });
    let items = request.count_points();
    Batch::new(Signal::Metrics, request.finish(), items)
}

/// The alerts in a batch.
fn read(batch: &Batch) -> Vec<Said> {
    let mut found = Vec::new();
    each_alert(batch, |point| {
        let text = |key: &str| point.attributes().get(key).map(|value| value.to_text().into_owned()).unwrap_or_default();
        found.push(Said {
            name: text(alert::NAME),
            severity: text(alert::SEVERITY),
            firing: point.value == Some(Number::Int(alert::FIRING)),
            line: text("code.line.number"),
        });
    });
    found
}

fn each_alert(batch: &Batch, mut look: impl FnMut(deferd_pdata::metrics::NumberPoint<'_>)) {
    let payload = batch.payload();
    for resource in Request::new(&payload).resources() {
        for metric in resource.scopes().flat_map(|scope| scope.items()).filter(|metric| metric.name == alert::METRIC) {
            let Data::Gauge(points) = metric.data() else { panic!("no gauge") };
            points.for_each(&mut look);
        }
    }
}
