use super::*;
use crate::wire::{Expect, Writer};

fn nested_array(levels: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..levels {
        let mut array = Writer::default();
        array.bytes(1, &value);
        let mut outer = Writer::default();
        outer.bytes(5, array.as_bytes());
        value = outer.into_vec();
    }
    value
}

/// A request with one record, which `write` fills.
fn record(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::default();
    out.nested(1, Expect::Small, |resource| {
        resource.nested(2, Expect::Small, |scope| {
            scope.nested(2, Expect::Small, write);
        });
    });
    out.into_vec()
}

fn fault(request: &[u8]) -> Malformed {
    logs(request, Utf8::Require).unwrap_err()
}

#[test]
fn nesting_is_allowed_up_to_the_limit_and_refused_beyond() {
    // Request, resource, scope, record and body are five levels, each array is two more.
    let levels = (MAX_DEPTH - 5) / 2;
    let deepest = record(|out| out.bytes(5, &nested_array(levels)));
    assert_eq!(logs(&deepest, Utf8::Require), Ok(()));
    let deeper = record(|out| out.bytes(5, &nested_array(levels + 1)));
    assert_eq!(fault(&deeper).what, Fault::TooDeep);
}

#[test]
fn a_fault_is_located_in_the_request() {
    let request = record(|out| {
        out.fixed64(1, 7);
        out.bytes(9, &[1; 15]);
    });
    let expected = Malformed { offset: 6 + 9, what: Fault::IdLength { number: 9, found: 15, allowed: 16 } };
    assert_eq!(fault(&request), expected);
    assert_eq!(expected.to_string(), "malformed OTLP at byte 15: field 9 is an id of 15 bytes, must be 0 or 16");
}

#[test]
fn text_that_is_not_utf8_is_refused_only_where_it_is_required() {
    let request = record(|out| out.bytes(3, b"caf\xe9"));
    assert_eq!(fault(&request).what, Fault::Utf8(3));
    assert_eq!(logs(&request, Utf8::Ignore), Ok(()));
}

#[test]
fn a_singular_message_that_occurs_again_is_refused() {
    let twice = record(|out| {
        out.bytes(5, &[]);
        out.bytes(5, &[]);
    });
    assert_eq!(fault(&twice).what, Fault::Repeated(5));

    let mut metric = Writer::default();
    metric.bytes(5, &[]);
    metric.bytes(7, &[]);
    let request = record(|out| out.encoded(metric.as_bytes()));
    assert_eq!(metrics(&request, Utf8::Require).unwrap_err().what, Fault::Repeated(7));
}

#[test]
fn a_known_field_with_another_wire_type_is_refused_and_an_unknown_one_passes() {
    let mismatch = record(|out| out.varint(1, 1));
    assert_eq!(fault(&mismatch).what, Fault::Mismatch(1));
    let unknown = record(|out| {
        out.varint(4, 1);
        out.bytes(1000, b"new");
    });
    assert_eq!(logs(&unknown, Utf8::Require), Ok(()));
}
