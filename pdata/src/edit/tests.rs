use crate::{
    build::{AttributeSet, LogsBuilder, MetricsBuilder, NumberPoint, Record},
    logs, metrics,
    wire::{Fault, Writer},
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
