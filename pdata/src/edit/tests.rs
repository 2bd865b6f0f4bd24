use super::{Changes, Verdict, resource_attributes};
use crate::{
    build::{AttributeSet, LogsBuilder, MetricsBuilder, NumberPoint, Record},
    logs, metrics,
    wire::{Expect, Fault, Writer},
};

/// Two resources with two scopes each, three metrics in each scope, one point in each.
fn request() -> Vec<u8> {
    let mut request = MetricsBuilder::default();
    for resource in ["r0", "r1"] {
        request.resource(&[("name", resource.into())], |to| {
            for scope in ["s0", "s1"] {
                to.scope(scope, "", |to| {
                    for metric in ["m0", "m1", "m2"] {
                        to.gauge(metric, "", "", |points| {
                            points.add(&NumberPoint::new(AttributeSet::default(), 1, 1));
                        });
                    }
                });
            }
        });
    }
    request.finish().to_vec()
}

/// `resource/scope/metric` of each metric.
fn paths(bytes: &[u8]) -> Vec<String> {
    let mut paths = Vec::new();
    metrics::retain(bytes, |resource, scope, metric| {
        let name = resource.resource.attributes().get("name").unwrap();
        paths.push(format!("{}/{}/{}", name.to_text(), scope.scope.name, metric.name));
        true
    })
    .unwrap();
    paths
}

#[test]
fn keeping_everything_changes_nothing() {
    assert_eq!(metrics::retain(&request(), |_, _, _| true), Ok(None));
    assert_eq!(metrics::retain(&[], |_, _, _| false), Ok(None));
}

#[test]
fn every_choice_of_metrics_keeps_exactly_those() {
    let request = request();
    let all = paths(&request);
    for choice in 0..1_u32 << all.len() {
        let kept = |index: usize| choice >> index & 1 == 1;
        let mut index = 0..;
        let edited = metrics::retain(&request, |_, _, _| kept(index.next().unwrap())).unwrap();
        let Some(edited) = edited else {
            assert_eq!(choice.count_ones() as usize, all.len());
            continue;
        };
        let expected: Vec<_> = (0..all.len()).filter(|&index| kept(index)).map(|index| all[index].clone()).collect();
        assert_eq!(paths(&edited.bytes), expected, "{choice:012b}");
        assert_eq!((edited.kept, edited.dropped), (expected.len(), all.len() - expected.len()));
        // Shells that lost everything are gone too.
        assert_eq!(edited.bytes.is_empty(), expected.is_empty());
    }
}

#[test]
fn unknown_fields_and_shells_that_came_empty_survive_an_edit() {
    let mut extra = Writer::default();
    extra.bytes(1000, b"from a newer sender");
    extra.bytes(1, &[]);
    let mut bytes = extra.into_vec();
    let untouched = bytes.clone();
    bytes.extend(request());
    let edited = metrics::retain(&bytes, |_, _, _| false).unwrap().unwrap();
    assert_eq!(edited.bytes, untouched);
    assert_eq!((edited.kept, edited.dropped), (0, 12));
}

#[test]
fn malformed_bytes_are_reported_rather_than_lost() {
    let mut bytes = request();
    let end = bytes.len();
    bytes.push(0x0a);
    let malformed = metrics::retain(&bytes, |_, _, _| false).unwrap_err();
    assert_eq!((malformed.offset, malformed.what), (end, Fault::Truncated));
}

#[test]
fn log_records_are_dropped_alike() {
    let mut request = LogsBuilder::default();
    request.resource(AttributeSet::default(), |resource| {
        resource.scope("s", "", |scope| {
            for severity_number in 1..=24 {
                scope.add(&Record { severity_number, severity_text: "x", ..Record::default() });
            }
        });
    });
    let bytes = request.finish();
    let edited = logs::retain(&bytes, |_, _, record| record.severity_number >= 17).unwrap().unwrap();
    assert_eq!((edited.kept, edited.dropped), (8, 16));
    let left: Vec<_> = logs::Request::new(&edited.bytes)
        .resources()
        .flat_map(|resource| resource.scopes())
        .flat_map(|scope| scope.items())
        .map(|record| record.severity_number)
        .collect();
    assert_eq!(left, (17..=24).collect::<Vec<_>>());
}

/// A request of one resource, one scope and one record, with a field that nobody knows on each level.
fn with_unknown_fields(resource: &[(&str, &str)], record: &[(&str, &str)]) -> Vec<u8> {
    let pairs = |out: &mut Writer, number, pairs: &[(&str, &str)]| {
        for (key, value) in pairs {
            out.nested(number, Expect::Small, |out| {
                out.text(1, key);
                out.varint(900, 5);
                out.nested(2, Expect::Small, |out| out.text(1, value));
            });
        }
        out.varint(901, 6);
    };
    let mut out = Writer::default();
    out.nested(1, Expect::Large, |out| {
        out.varint(902, 7);
        out.nested(1, Expect::Small, |out| pairs(out, 1, resource));
        out.nested(2, Expect::Medium, |out| {
            out.nested(2, Expect::Small, |out| pairs(out, 6, record));
            out.varint(903, 8);
        });
    });
    out.into_vec()
}

#[test]
fn a_record_is_marked_in_place_and_unknown_fields_survive() {
    let before = with_unknown_fields(&[("service.name", "shop")], &[("alert.name", "old"), ("kept", "yes"), ("alert.name", "b")]);
    let mut changes = Changes::default();
    changes.upsert("alert.name", "LeakingDefer");
    changes.upsert("alert.severity", "critical");
    let marked = logs::mark(&before, |resource, scope, record| {
        assert_eq!(resource.resource.attributes().count(), 1);
        assert!(scope.scope.name.is_empty());
        record.attributes().get("alert.name").map(|_| &changes)
    });
    let after = with_unknown_fields(&[("service.name", "shop")], &[("alert.name", "LeakingDefer"), ("kept", "yes")]);
    let marked = marked.unwrap().unwrap();
    assert_eq!((marked.kept, marked.dropped), (1, 0));
    let attributes: Vec<_> = logs::Request::new(&marked.bytes)
        .resources()
        .flat_map(|resource| resource.scopes())
        .flat_map(|scope| scope.items())
        .flat_map(|record| {
            record.attributes().iter().map(|(key, value)| format!("{key}={}", value.to_text())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(attributes, ["alert.name=LeakingDefer", "kept=yes", "alert.severity=critical"]);
    // Taken away again, nothing of what nobody knows is missing.
    let mut changes = Changes::default();
    changes.delete("alert.severity");
    let undone = logs::mark(&marked.bytes, |_, _, _| Some(&changes)).unwrap().unwrap();
    assert_eq!(undone.bytes, after);
}

#[test]
fn a_resource_is_enriched_where_its_keys_are_absent() {
    let before = with_unknown_fields(&[("host.name", "theirs")], &[]);
    let mut changes = Changes::default();
    changes.insert("host.name", "ours");
    assert_eq!(resource_attributes(&before, |_| Some(&changes)), Ok(None));
    changes.upsert("host.name", "ours");
    let edited = resource_attributes(&before, |_| Some(&changes)).unwrap().unwrap();
    assert_eq!(edited, with_unknown_fields(&[("host.name", "ours")], &[]));
    assert_eq!(resource_attributes(&before, |_| None::<Changes>), Ok(None));
}

#[test]
fn an_entry_without_a_resource_gets_one_only_if_there_is_something_to_add() {
    let mut out = Writer::default();
    out.nested(1, Expect::Small, |out| out.text(3, "schema"));
    let before = out.into_vec();
    let mut changes = Changes::default();
    changes.delete("host.name");
    assert_eq!(resource_attributes(&before, |_| Some(&changes)), Ok(None));
    changes.insert("host.name", "ours");
    let edited = resource_attributes(&before, |_| Some(&changes)).unwrap().unwrap();
    let resources: Vec<_> = metrics::Request::new(&edited).resources().collect();
    assert_eq!(resources.len(), 1);
    assert_eq!(resources[0].schema_url, "schema");
    assert_eq!(resources[0].resource.attributes().get("host.name").unwrap().to_text(), "ours");
}

#[test]
fn a_record_that_is_to_be_dropped_is_not_changed_and_not_looked_into() {
    let mut out = Writer::default();
    out.nested(1, Expect::Small, |out| out.nested(2, Expect::Small, |out| out.bytes(2, &[0x0f])));
    let bytes = out.into_vec();
    let edited = logs::edit::<Changes>(&bytes, |_, _, _| Verdict::Drop).unwrap().unwrap();
    assert!(edited.bytes.is_empty());
    assert_eq!((edited.kept, edited.dropped), (0, 1));
    logs::edit(&bytes, |_, _, _| Verdict::Change(Changes::default())).unwrap_err();
}
