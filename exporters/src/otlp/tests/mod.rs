//! The exporter against a backend that fails as it is told.

mod configured;
mod refused;
mod secured;

use std::sync::Arc;

use bytes::Bytes;
use deferd_component::telemetry::Health;
use deferd_component::{Batch, ComponentId, ExportError, Exporter as _, ExporterFactory as _, Kind, Signal, testing};
use deferd_integration::otlp_sink::{Answer, Sink};
use deferd_pdata::build::{MetricsBuilder, NumberPoint};

use super::{Config, Factory, Otlp};

fn id() -> ComponentId {
    "otlp".parse().unwrap()
}

/// The configuration that `body` is, YAML in flow style, or what is wrong with it.
fn configuration(body: &str) -> Result<Config, Vec<String>> {
    let decoded = testing::document(Kind::Exporter, &id(), body).decode::<Config>(Kind::Exporter, &id());
    decoded.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn exporter(body: &str) -> Otlp {
    exporter_with_health(body).0
}

fn exporter_with_health(body: &str) -> (Otlp, Arc<Health>) {
    let context = testing::context(Kind::Exporter, &id(), &[Signal::Metrics]);
    context.health.register("exporters::otlp");
    let built = Factory::build(configuration(body).unwrap(), Arc::default(), &context).unwrap();
    (built, context.health)
}

/// An exporter to `sink`, in the clear, with more keys.
fn exporter_to(sink: &Sink, keys: &str) -> Otlp {
    exporter(&format!("{{endpoint: \"http://{}\", {keys}}}", sink.endpoint()))
}

/// `count` points of one series, at the nanoseconds from `first` on.
fn request(first: u64, count: u64) -> Bytes {
    let mut builder = MetricsBuilder::default();
    builder.resource(&[("service.name", "test".into())], |resource| {
        resource.scope("scope", "1", |scope| {
            scope.gauge("pending", "", "{defer}", |points| {
                for time in first..first + count {
                    points.add(&NumberPoint::new(&[("site", "main.go:33".into())], time, 7_i64));
                }
            });
        });
    });
    builder.finish()
}

fn batch(first: u64, count: u64) -> Batch {
    Batch::new(Signal::Metrics, request(first, count), usize::try_from(count).unwrap())
}

/// What one export makes of an answer.
async fn after(answer: Answer) -> Result<(), ExportError> {
    let sink = Sink::start();
    sink.answer(answer);
    exporter_to(&sink, "").export(&batch(1, 5)).await
}
