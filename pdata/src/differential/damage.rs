//! Damaged requests: whatever is done to the bytes, nothing panics, nothing runs on, and what is accepted decodes.

use opentelemetry_proto::tonic::collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest};
use prost::Message;

use super::{
    against_prost::{assert_same, generated},
    plain, sample, to_prost,
};
use crate::{
    edit::{Changes, resource_attributes},
    logs, metrics,
    metrics::Data,
    validate::{self, Utf8},
};

pub(super) const MUTATIONS: usize = 100_000;
pub(super) const SEED: u64 = 0x0de_fe12d;

/// Flips, overwrites, cuts, doubles or shortens, once or a few times.
pub(super) fn damage(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..5) {
        if bytes.is_empty() {
            return;
        }
        let at = random.usize(..bytes.len());
        let end = random.usize(at..bytes.len().min(at + 40));
        match random.u8(..6) {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes[at] = random.u8(..),
            2 => bytes[at] = 0xff,
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            _ => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
}

/// Looks at everything the metrics views offer and returns how many elements there were.
fn look_at_metrics(bytes: &[u8]) -> usize {
    let mut seen = 0;
    for resource in metrics::Request::new(bytes).resources() {
        seen += 1 + resource.resource.attributes().count();
        for scope in resource.scopes() {
            seen += 1 + scope.scope.attributes().count();
            for metric in scope.items() {
                seen += 1 + look_at_metric(&metric);
            }
        }
    }
    seen
}

fn look_at_metric(metric: &metrics::Metric<'_>) -> usize {
    let points: usize = match metric.data() {
        Data::Empty => 0,
        Data::Gauge(points) | Data::Sum { points, .. } => {
            points.map(|point| 1 + texts(&point.attributes()) + point.exemplars().count()).sum()
        }
        Data::Histogram { points, .. } => points
            .map(|point| {
                let buckets = point.bucket_counts().count() + point.explicit_bounds().count();
                1 + texts(&point.attributes()) + point.exemplars().count() + buckets
            })
            .sum(),
        Data::ExponentialHistogram { points, .. } => points
            .map(|point| {
                let buckets = point.positive.counts().count() + point.negative.counts().count();
                1 + texts(&point.attributes()) + point.exemplars().count() + buckets
            })
            .sum(),
        Data::Summary(points) => points.map(|point| 1 + texts(&point.attributes()) + point.quantiles().count()).sum(),
    };
    points + texts(&metric.metadata())
}

pub(super) fn texts(attributes: &crate::attributes::Attributes<'_>) -> usize {
    attributes
        .iter()
        .map(|(key, value)| {
            // A byte renders as six characters at most, `\u0000` or a replaced one.
            assert!(value.to_text().len() <= 400 + 64 * key.as_bytes().len() + 6 * 4096);
            1
        })
        .sum()
}

pub(super) fn changes() -> Changes {
    let mut changes = Changes::default();
    changes.insert("host.name", "here");
    changes.upsert("a", 1);
    changes.delete("go.defer.pending");
    changes
}

#[test]
fn damaged_metrics_are_read_safely_and_refused_or_decodable() {
    let mut random = fastrand::Rng::with_seed(SEED);
    let sample = sample::every_kind().encode_to_vec();
    let (mut accepted, mut elements, changes) = (0, 0, changes());
    for round in 0..MUTATIONS {
        let mut bytes = if round % 4 == 0 {
            sample.clone()
        } else {
            let tape: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(400).collect();
            generated(&tape, &validate::schema::METRICS, false)
        };
        damage(&mut random, &mut bytes);
        let seen = look_at_metrics(&bytes);
        // Every element has a header or a value of its own, so this bounds time as well.
        assert!(seen <= bytes.len(), "{seen} elements in {bytes:?}");
        elements += seen;
        let counted = metrics::count_points(&bytes);
        let edited = metrics::retain(&bytes, |_, _, metric| metric.name.is_empty());
        let enriched = resource_attributes(&bytes, |_| Some(&changes));
        if validate::metrics(&bytes, Utf8::Require).is_err() {
            continue;
        }
        accepted += 1;
        let request = ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
        assert_same(&to_prost::metrics_request(&bytes), &plain::metrics(request));
        let counted = counted.unwrap();
        if let Some(edited) = edited.unwrap() {
            assert_eq!(edited.kept + edited.dropped, counted);
            assert_eq!(metrics::count_points(&edited.bytes), Ok(edited.kept));
            assert_eq!(validate::metrics(&edited.bytes, Utf8::Require), Ok(()));
        }
        if let Some(enriched) = enriched.unwrap() {
            assert_eq!(validate::metrics(&enriched, Utf8::Require), Ok(()));
        }
    }
    println!("{accepted} of {MUTATIONS} accepted, {elements} elements seen");
    assert!(accepted > MUTATIONS / 100, "damage refuses everything: {accepted} accepted");
    assert!(accepted < MUTATIONS, "damage does no damage");
}

#[test]
fn damaged_logs_are_read_safely_and_refused_or_decodable() {
    let mut random = fastrand::Rng::with_seed(SEED);
    let (mut accepted, changes) = (0, changes());
    for _ in 0..MUTATIONS {
        let tape: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(400).collect();
        let mut bytes = generated(&tape, &validate::schema::LOGS, false);
        damage(&mut random, &mut bytes);
        let records =
            logs::Request::new(&bytes).resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.items());
        let seen: usize = records.map(|record| 1 + texts(&record.attributes())).sum();
        assert!(seen <= bytes.len(), "{seen} elements in {bytes:?}");
        let counted = logs::count_records(&bytes);
        let edited = logs::retain(&bytes, |_, _, record| record.flags == 0);
        let marked = logs::mark(&bytes, |_, _, record| (record.flags == 0).then_some(&changes));
        if validate::logs(&bytes, Utf8::Require).is_err() {
            continue;
        }
        accepted += 1;
        ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
        if let Some(edited) = edited.unwrap() {
            assert_eq!(edited.kept + edited.dropped, counted.unwrap());
            assert_eq!(logs::count_records(&edited.bytes), Ok(edited.kept));
            assert_eq!(validate::logs(&edited.bytes, Utf8::Require), Ok(()));
        }
        if let Some(marked) = marked.unwrap() {
            assert_eq!(validate::logs(&marked.bytes, Utf8::Require), Ok(()));
            assert_eq!((marked.kept, marked.dropped), (counted.unwrap(), 0));
        }
    }
    println!("{accepted} of {MUTATIONS} accepted");
    assert!(accepted > MUTATIONS / 100, "damage refuses everything: {accepted} accepted");
    assert!(accepted < MUTATIONS, "damage does no damage");
}
