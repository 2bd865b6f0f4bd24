//! Traces against prost: read, counted, filtered, edited, damaged.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::InstrumentationScope,
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span},
};
use proptest::prelude::*;
use prost::Message;

use super::{
    against_prost::{answers, assert_same, check_verdict, generated, retain_items, tape},
    damage::{self, damage, texts},
    edits::{adds, changes, edit_attributes, fates, steps},
    plain, to_prost,
};
use crate::{
    edit::{self, Changes, Verdict},
    traces,
    validate::{self, Utf8, schema},
};

fn decoded(bytes: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(bytes).unwrap()
}

fn spans(request: &ExportTraceServiceRequest) -> usize {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum()
}

#[test]
fn every_field_of_a_span_reads_as_in_prost() {
    let link = span::Link {
        trace_id: vec![4; 16],
        span_id: vec![5; 8],
        trace_state: "b=2".to_owned(),
        flags: 0x101,
        dropped_attributes_count: 6,
        ..span::Link::default()
    };
    let event =
        span::Event { time_unix_nano: 7, name: "retry".to_owned(), dropped_attributes_count: 8, ..span::Event::default() };
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        trace_state: "a=1".to_owned(),
        parent_span_id: vec![3; 8],
        flags: 0x301,
        name: "GET /".to_owned(),
        kind: 2,
        start_time_unix_nano: 9,
        end_time_unix_nano: 10,
        dropped_attributes_count: 11,
        events: vec![event],
        dropped_events_count: 12,
        links: vec![link],
        dropped_links_count: 13,
        status: Some(Status { message: "why".to_owned(), code: 2 }),
        ..Span::default()
    };
    let scope = InstrumentationScope { name: "lib".to_owned(), ..InstrumentationScope::default() };
    let scope = ScopeSpans { scope: Some(scope), spans: vec![span], schema_url: "s".to_owned() };
    let resource = ResourceSpans { resource: Some(Resource::default()), scope_spans: vec![scope], schema_url: "r".to_owned() };
    let request = ExportTraceServiceRequest { resource_spans: vec![resource] };
    let bytes = request.encode_to_vec();
    assert_same(&to_prost::traces_request(&bytes), &request);
    assert_eq!(validate::traces(&bytes, Utf8::Require), Ok(()));
    assert_eq!(traces::count_spans(&bytes), Ok(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn traces_read_counted_and_filtered_as_prost_does(decisions in tape()) {
        let bytes = generated(&decisions, &schema::TRACES, false);
        validate::traces(&bytes, Utf8::Require).unwrap();
        let mut request = decoded(&bytes);
        assert_same(&to_prost::traces_request(&bytes), &plain::traces(request.clone()));
        let canonical = request.encode_to_vec();
        assert_same(&to_prost::traces_request(&canonical), &plain::traces(request.clone()));
        let before = spans(&request);
        prop_assert_eq!(traces::count_spans(&bytes).unwrap(), before);

        let mut keep = answers(&decisions);
        let edited = traces::retain(&bytes, |_, _, _| keep()).unwrap();
        let mut keep = answers(&decisions);
        retain_items(&mut request.resource_spans, |r| &mut r.scope_spans, |s| &mut s.spans, |_| keep());
        prop_assert_eq!(edited.is_none(), spans(&request) == before);
        let (kept, dropped) = edited.as_ref().map_or((before, 0), |edited| (edited.kept, edited.dropped));
        prop_assert_eq!((kept, dropped), (spans(&request), before - spans(&request)));
        let bytes = edited.map_or(bytes.into(), |edited| edited.bytes);
        assert_same(&decoded(&bytes), &request);
    }

    #[test]
    fn spans_are_dropped_and_changed_as_in_prost(decisions in tape(), steps in steps()) {
        let bytes = generated(&decisions, &schema::TRACES, false);
        let mut request = decoded(&bytes);
        let changes = changes(&steps);
        let mut fate = fates(&decisions);
        let edited = traces::edit(&bytes, |_, _, _| match fate() {
            0 => Verdict::Keep,
            1 => Verdict::Drop,
            _ => Verdict::Change(&changes),
        }).unwrap();
        let mut fate = fates(&decisions);
        // Both walk in the same order, so an answer of either is the fate of the same span.
        for span in request.resource_spans.iter_mut().flat_map(|r| &mut r.scope_spans).flat_map(|s| &mut s.spans) {
            match fate() {
                0 => {}
                1 => span.name = "dropped".to_owned(),
                _ => edit_attributes(&mut span.attributes, &steps),
            }
        }
        retain_items(&mut request.resource_spans, |r| &mut r.scope_spans, |s| &mut s.spans, |span| span.name != "dropped");
        let edited = edited.map_or(bytes.into(), |edited| edited.bytes);
        prop_assert_eq!(validate::traces(&edited, Utf8::Require), Ok(()));
        assert_same(&decoded(&edited), &request);
    }

    #[test]
    fn scopes_change_as_in_prost(decisions in tape(), steps in steps()) {
        let bytes = generated(&decisions, &schema::TRACES, false);
        let mut request = decoded(&bytes);
        let changes = changes(&steps);
        let mut fate = fates(&decisions);
        let edited = edit::scope_attributes(&bytes, |_, _| (fate() > 0).then_some(&changes)).unwrap();
        let mut fate = fates(&decisions);
        for entry in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
            if fate() > 0 && (entry.scope.is_some() || adds(&steps)) {
                edit_attributes(&mut entry.scope.get_or_insert_default().attributes, &steps);
            }
        }
        let edited = edited.unwrap_or(bytes.into());
        prop_assert_eq!(validate::traces(&edited, Utf8::Require), Ok(()));
        assert_same(&decoded(&edited), &request);
        let mut fate = fates(&decisions);
        prop_assert_eq!(edit::scope_attributes(&edited, |_, _| (fate() > 0).then_some(&changes)), Ok(None));
    }

    #[test]
    fn validate_refuses_traces_that_prost_refuses(decisions in tape()) {
        let bytes = generated(&decisions, &schema::TRACES, true);
        let decoded = ExportTraceServiceRequest::decode(bytes.as_slice());
        check_verdict(validate::traces(&bytes, Utf8::Require), decoded.is_ok());
    }
}

fn look_at(bytes: &[u8]) -> usize {
    let spans = traces::Request::new(bytes).resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.items());
    spans
        .map(|span| {
            let events: usize = span.events().map(|event| 1 + texts(&event.attributes())).sum();
            let links: usize = span.links().map(|link| 1 + texts(&link.attributes())).sum();
            1 + texts(&span.attributes()) + events + links
        })
        .sum()
}

#[test]
fn damaged_traces_are_read_safely_and_refused_or_decodable() {
    let mut random = fastrand::Rng::with_seed(damage::SEED);
    let (mut accepted, changes) = (0, damage::changes());
    for _ in 0..damage::MUTATIONS {
        let tape: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(400).collect();
        let mut bytes = generated(&tape, &schema::TRACES, false);
        damage(&mut random, &mut bytes);
        let seen = look_at(&bytes);
        assert!(seen <= bytes.len(), "{seen} elements in {bytes:?}");
        let counted = traces::count_spans(&bytes);
        let edited = traces::edit(&bytes, |_, _, span| match span.kind {
            0 => Verdict::Drop,
            _ => Verdict::Change(&changes),
        });
        let marked = edit::scope_attributes(&bytes, |_, _| Some(&changes));
        if validate::traces(&bytes, Utf8::Require).is_err() {
            continue;
        }
        accepted += 1;
        assert_same(&to_prost::traces_request(&bytes), &plain::traces(decoded(&bytes)));
        if let Some(edited) = edited.unwrap() {
            assert_eq!(edited.kept + edited.dropped, counted.unwrap());
            assert_eq!(traces::count_spans(&edited.bytes), Ok(edited.kept));
            assert_eq!(validate::traces(&edited.bytes, Utf8::Require), Ok(()));
        }
        if let Some(marked) = marked.unwrap() {
            assert_eq!(validate::traces(&marked, Utf8::Require), Ok(()));
            assert_eq!(traces::retain(&marked, |_, _, _| true), Ok(None));
        }
    }
    println!("{accepted} of {} accepted", damage::MUTATIONS);
    assert!(accepted > damage::MUTATIONS / 100, "damage refuses everything: {accepted} accepted");
    assert!(accepted < damage::MUTATIONS, "damage does no damage");
    assert_eq!(traces::edit::<Changes>(&[], |_, _, _| Verdict::Drop), Ok(None));
}
