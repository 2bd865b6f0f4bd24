//! Attributes changed by splicing and by decoding, editing and encoding are the same.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value::Value},
};
use proptest::prelude::*;
use prost::Message;

use super::against_prost::{assert_same, generated, tape};
use crate::{
    build,
    edit::{self, Changes, Verdict},
    logs,
    validate::{self, Utf8, schema},
};

/// The keys that generated attributes have, and two that they never have.
const KEYS: [&str; 5] = ["", "a", "go.defer.pending", "alert.name", "host.name"];

#[derive(Debug, Clone)]
pub(super) enum Step {
    Insert(&'static str, Value),
    Upsert(&'static str, Value),
    Delete(&'static str),
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = prop_oneof![
        any::<i64>().prop_map(Value::IntValue),
        any::<bool>().prop_map(Value::BoolValue),
        prop_oneof![Just(""), Just("a"), Just("critical")].prop_map(|text| Value::StringValue(text.to_owned())),
    ];
    let key = proptest::sample::select(&KEYS[..]);
    let step = (0..3, key, value).prop_map(|(kind, key, value)| match kind {
        0 => Step::Insert(key, value),
        1 => Step::Upsert(key, value),
        _ => Step::Delete(key),
    });
    proptest::collection::vec(step, 0..4)
}

fn ours(value: &Value) -> build::Value<'_> {
    match value {
        Value::IntValue(value) => (*value).into(),
        Value::BoolValue(value) => (*value).into(),
        Value::StringValue(value) => value.into(),
        other => unreachable!("{other:?}"),
    }
}

pub(super) fn changes(steps: &[Step]) -> Changes {
    let mut changes = Changes::default();
    for step in steps {
        match step {
            Step::Insert(key, value) => changes.insert(key, ours(value)),
            Step::Upsert(key, value) => changes.upsert(key, ours(value)),
            Step::Delete(key) => changes.delete(key),
        }
    }
    changes
}

/// The same by hand. The last step on a key counts, in the order of those last steps.
pub(super) fn edit_attributes(attributes: &mut Vec<KeyValue>, steps: &[Step]) {
    let key_of = |step: &Step| match step {
        Step::Insert(key, _) | Step::Upsert(key, _) | Step::Delete(key) => *key,
    };
    for (index, step) in steps.iter().enumerate() {
        let key = key_of(step);
        if steps[index + 1..].iter().any(|later| key_of(later) == key) {
            continue;
        }
        let first = attributes.iter().position(|pair| pair.key == key);
        match (step, first) {
            (Step::Insert(_, _), Some(_)) => {}
            (Step::Insert(_, value) | Step::Upsert(_, value), None) => {
                let value = Some(AnyValue { value: Some(value.clone()) });
                attributes.push(KeyValue { key: key.to_owned(), value, ..KeyValue::default() });
            }
            (Step::Upsert(_, value), Some(first)) => {
                attributes[first].value = Some(AnyValue { value: Some(value.clone()) });
                let mut index = 0..;
                attributes.retain(|pair| index.next() <= Some(first) || pair.key != key);
            }
            (Step::Delete(_), _) => attributes.retain(|pair| pair.key != key),
        }
    }
}

pub(super) fn adds(steps: &[Step]) -> bool {
    let mut attributes = Vec::new();
    edit_attributes(&mut attributes, steps);
    !attributes.is_empty()
}

/// An item's fate, by the same dice on both sides.
pub(super) fn fates(decisions: &[u8]) -> impl FnMut() -> u8 {
    let mut next = decisions.iter().cycle();
    move || next.next().map_or(0, |byte| byte % 4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn resources_of_metrics_change_as_in_prost(decisions in tape(), steps in steps()) {
        let bytes = generated(&decisions, &schema::METRICS, false);
        let mut request = ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
        let changes = changes(&steps);
        let mut fate = fates(&decisions);
        let edited = edit::resource_attributes(&bytes, |_| (fate() > 0).then_some(&changes)).unwrap();
        let mut fate = fates(&decisions);
        for entry in &mut request.resource_metrics {
            if fate() > 0 && (entry.resource.is_some() || adds(&steps)) {
                edit_attributes(&mut entry.resource.get_or_insert_default().attributes, &steps);
            }
        }
        let edited = edited.unwrap_or(bytes.into());
        prop_assert_eq!(validate::metrics(&edited, Utf8::Require), Ok(()));
        assert_same(&ExportMetricsServiceRequest::decode(edited.clone()).unwrap(), &request);
        // Done once, there is nothing left to do.
        let mut fate = fates(&decisions);
        let again = edit::resource_attributes(&edited, |_| (fate() > 0).then_some(&changes));
        prop_assert_eq!(again, Ok(None));
    }

    #[test]
    fn records_are_dropped_and_changed_as_in_prost(decisions in tape(), steps in steps()) {
        let bytes = generated(&decisions, &schema::LOGS, false);
        let mut request = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
        let changes = changes(&steps);
        let mut fate = fates(&decisions);
        let edited = logs::edit(&bytes, |_, _, _| match fate() {
            0 => Verdict::Keep,
            1 => Verdict::Drop,
            _ => Verdict::Change(&changes),
        }).unwrap();
        let (mut fate, mut kept, mut dropped) = (fates(&decisions), 0, 0);
        request.resource_logs.retain_mut(|resource| {
            let had = resource.scope_logs.len();
            resource.scope_logs.retain_mut(|scope| {
                let had = scope.log_records.len();
                scope.log_records.retain_mut(|record| match fate() {
                    0 => true,
                    1 => false,
                    _ => {
                        edit_attributes(&mut record.attributes, &steps);
                        true
                    }
                });
                kept += scope.log_records.len();
                dropped += had - scope.log_records.len();
                had == 0 || !scope.log_records.is_empty()
            });
            had == 0 || !resource.scope_logs.is_empty()
        });
        if let Some(edited) = &edited {
            prop_assert_eq!((edited.kept, edited.dropped), (kept, dropped));
        }
        let edited = edited.map_or(bytes.into(), |edited| edited.bytes);
        prop_assert_eq!(validate::logs(&edited, Utf8::Require), Ok(()));
        assert_same(&ExportLogsServiceRequest::decode(edited.clone()).unwrap(), &request);
        prop_assert_eq!(logs::mark(&edited, |_, _, _| None::<Changes>), Ok(None));
    }
}
