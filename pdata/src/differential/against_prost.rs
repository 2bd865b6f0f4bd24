//! Whatever the schema allows reads the same here and in prost.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest},
    metrics::v1::{Metric, metric::Data},
};
use proptest::prelude::*;
use prost::Message;

use super::{
    generate::{self, Tape},
    plain, sample, to_prost,
};
use crate::{
    logs, metrics,
    validate::{self, Utf8, schema::Schema},
    wire::Fault,
};

pub(crate) fn generated(decisions: &[u8], schema: &Schema, faulty: bool) -> Vec<u8> {
    generate::message(&mut Tape::new(decisions, faulty), schema, 1)
}

/// Like text, NaN compares by its bits.
#[track_caller]
pub(super) fn assert_same<M: Message + std::fmt::Debug>(ours: &M, theirs: &M) {
    assert!(ours.encode_to_vec() == theirs.encode_to_vec(), "ours   {ours:?}\nprost's {theirs:?}");
}

fn points_of(metric: &Metric) -> usize {
    match &metric.data {
        None => 0,
        Some(Data::Gauge(data)) => data.data_points.len(),
        Some(Data::Sum(data)) => data.data_points.len(),
        Some(Data::Histogram(data)) => data.data_points.len(),
        Some(Data::ExponentialHistogram(data)) => data.data_points.len(),
        Some(Data::Summary(data)) => data.data_points.len(),
    }
}

/// Removes by `keep`, then the shells that this emptied.
pub(super) fn retain_items<R, S, I>(
    resources: &mut Vec<R>,
    scopes: impl Fn(&mut R) -> &mut Vec<S>,
    items: impl Fn(&mut S) -> &mut Vec<I>,
    mut keep: impl FnMut(&I) -> bool,
) {
    resources.retain_mut(|resource| {
        let had_scopes = !scopes(resource).is_empty();
        scopes(resource).retain_mut(|scope| {
            let had_items = !items(scope).is_empty();
            items(scope).retain(&mut keep);
            !had_items || !items(scope).is_empty()
        });
        !had_scopes || !scopes(resource).is_empty()
    });
}

/// The same series of answers for both sides.
pub(super) fn answers(decisions: &[u8]) -> impl FnMut() -> bool {
    let mut next = decisions.iter().cycle();
    move || next.next().is_none_or(|byte| byte % 3 > 0)
}

pub(super) fn check_verdict(verdict: Result<(), crate::wire::Malformed>, prost_accepts: bool) {
    match verdict.map_err(|malformed| malformed.what) {
        Ok(()) => assert!(prost_accepts, "prost refuses what validate accepts"),
        // Stricter than protobuf, by contract.
        Err(Fault::Repeated(_) | Fault::IdLength { .. } | Fault::TooDeep) => {}
        Err(what) => assert!(!prost_accepts, "prost accepts, validate: {what}"),
    }
}

pub(crate) fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..3000)
}

#[test]
fn every_field_of_every_kind_reads_as_in_prost() {
    let request = sample::every_kind();
    let bytes = request.encode_to_vec();
    // Also shows that nothing is taken for a default: the views' version equals prost's without any adjustment.
    assert_same(&to_prost::metrics_request(&bytes), &request);
    assert_eq!(metrics::count_points(&bytes), Ok(9));
    assert_eq!(validate::metrics(&bytes, Utf8::Require), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn metrics_read_counted_and_filtered_as_prost_does(decisions in tape()) {
        let bytes = generated(&decisions, &validate::schema::METRICS, false);
        validate::metrics(&bytes, Utf8::Require).unwrap();
        let mut request = ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
        assert_same(&to_prost::metrics_request(&bytes), &plain::metrics(request.clone()));
        let canonical = request.encode_to_vec();
        assert_same(&to_prost::metrics_request(&canonical), &plain::metrics(request.clone()));

        let all = |request: &ExportMetricsServiceRequest| -> usize {
            request.resource_metrics.iter().flat_map(|r| &r.scope_metrics)
                .flat_map(|s| &s.metrics).map(points_of).sum()
        };
        let before = all(&request);
        prop_assert_eq!(metrics::count_points(&bytes).unwrap(), before);

        let mut keep = answers(&decisions);
        let edited = metrics::retain(&bytes, |_, _, _| keep()).unwrap();
        let mut keep = answers(&decisions);
        retain_items(&mut request.resource_metrics, |r| &mut r.scope_metrics, |s| &mut s.metrics, |_| keep());
        let (kept, dropped) = edited.as_ref().map_or((before, 0), |edited| (edited.kept, edited.dropped));
        prop_assert_eq!((kept, dropped), (all(&request), before - all(&request)));
        let bytes = edited.map_or(bytes.into(), |edited| edited.bytes);
        assert_same(&ExportMetricsServiceRequest::decode(bytes).unwrap(), &request);
    }

    #[test]
    fn logs_read_counted_and_filtered_as_prost_does(decisions in tape()) {
        let bytes = generated(&decisions, &validate::schema::LOGS, false);
        validate::logs(&bytes, Utf8::Require).unwrap();
        let mut request = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
        assert_same(&to_prost::logs_request(&bytes), &plain::logs(request.clone()));
        let canonical = request.encode_to_vec();
        assert_same(&to_prost::logs_request(&canonical), &plain::logs(request.clone()));

        let all = |request: &ExportLogsServiceRequest| -> usize {
            request.resource_logs.iter().flat_map(|r| &r.scope_logs).map(|s| s.log_records.len()).sum()
        };
        let before = all(&request);
        prop_assert_eq!(logs::count_records(&bytes).unwrap(), before);

        let mut keep = answers(&decisions);
        let edited = logs::retain(&bytes, |_, _, _| keep()).unwrap();
        let mut keep = answers(&decisions);
        retain_items(&mut request.resource_logs, |r| &mut r.scope_logs, |s| &mut s.log_records, |_| keep());
        prop_assert_eq!(edited.is_none(), all(&request) == before);
        let (kept, dropped) = edited.as_ref().map_or((before, 0), |edited| (edited.kept, edited.dropped));
        prop_assert_eq!((kept, dropped), (all(&request), before - all(&request)));
        let bytes = edited.map_or(bytes.into(), |edited| edited.bytes);
        assert_same(&ExportLogsServiceRequest::decode(bytes).unwrap(), &request);
    }

    #[test]
    fn validate_refuses_what_prost_refuses(decisions in tape()) {
        let bytes = generated(&decisions, &validate::schema::METRICS, true);
        let decoded = ExportMetricsServiceRequest::decode(bytes.as_slice());
        check_verdict(validate::metrics(&bytes, Utf8::Require), decoded.is_ok());
        let bytes = generated(&decisions, &validate::schema::LOGS, true);
        let decoded = ExportLogsServiceRequest::decode(bytes.as_slice());
        check_verdict(validate::logs(&bytes, Utf8::Require), decoded.is_ok());
    }
}
