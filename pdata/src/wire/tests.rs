use super::*;

fn faults(bytes: &[u8]) -> Malformed {
    let mut reader = Reader::new(bytes);
    loop {
        match reader.next_field() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("{bytes:?} is well-formed"),
            Err(malformed) => {
                assert_eq!(reader.next_field(), Ok(None), "an error ends the message");
                return malformed;
            }
        }
    }
}

#[test]
fn malformed_fields_are_named_with_their_place() {
    // A good field of two bytes stands before each.
    let cases: [(&[u8], Fault); 10] = [
        (&[0x00], Fault::FieldNumber),
        (&[0xf8, 0xff, 0xff, 0xff, 0x1f, 0], Fault::FieldNumber),
        (&[0x08], Fault::Truncated),
        (&[0x08, 0x80], Fault::Truncated),
        (&[0x09, 1, 2, 3], Fault::Truncated),
        (&[0x0d, 1, 2, 3], Fault::Truncated),
        (&[0x0a, 2, 1], Fault::Truncated),
        (&[0x0b], Fault::WireType(3)),
        (&[0x0f], Fault::WireType(7)),
        (&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], Fault::Overlong),
    ];
    for (bytes, what) in cases {
        let bytes = [&[0x10, 0x01], bytes].concat();
        assert_eq!(faults(&bytes), Malformed { offset: 2, what }, "{bytes:?}");
    }
}

#[test]
fn a_length_close_to_the_address_space_is_only_a_truncation() {
    let mut bytes = vec![0x0a];
    push_varint(&mut bytes, u64::MAX);
    assert_eq!(faults(&bytes).what, Fault::Truncated);
}

#[test]
fn a_nested_reader_counts_from_the_start_of_the_request() {
    let bytes = [0x10, 0x01, 0x0a, 0x02, 0x10, 0x80];
    let mut reader = Reader::new(&bytes);
    reader.next_field().unwrap();
    let field = reader.next_field().unwrap().unwrap();
    let Wire::Len(content) = field.value else {
        panic!("{field:?}");
    };
    let mut nested = reader.nested(content);
    assert_eq!(nested.offset(), 4);
    assert_eq!(nested.next_field().unwrap_err().offset, 4);
}

#[test]
fn lengths_are_exact_whatever_was_expected() {
    for size in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
        let mut exact = Vec::new();
        prost::encoding::bytes::encode(3, &vec![7; size], &mut exact);
        for expect in [Expect::Small, Expect::Medium, Expect::Large] {
            let mut out = Writer::default();
            out.varint(1, 5);
            out.nested(3, expect, |out| out.encoded(&vec![7; size]));
            out.varint(1, 5);
            let expected = [&[0x08, 5], exact.as_slice(), &[0x08, 5]].concat();
            assert!(out.into_vec() == expected, "{size} bytes, {expect:?}");
        }
    }
}

#[test]
fn varints_are_as_wide_as_promised() {
    for shift in 0..64 {
        for value in [(1_u64 << shift) - 1, 1 << shift, u64::MAX >> shift] {
            let mut out = Vec::new();
            push_varint(&mut out, value);
            assert_eq!(varint_width(value), out.len(), "{value}");
            assert_eq!(read_varint(&mut out.as_slice()), Ok(value));
        }
    }
}

#[test]
fn repeated_numbers_are_read_packed_unpacked_and_mixed() {
    let mut out = Writer::default();
    out.fixed64(2, 1);
    out.packed_fixed64(2, [2, 3].into_iter());
    out.bytes(2, &[]);
    out.fixed64(2, 4);
    out.varint(2, 99);
    let bytes = out.into_vec();
    assert_eq!(Fixed64s::new(&bytes, 2).collect::<Vec<_>>(), [1, 2, 3, 4]);

    let mut out = Writer::default();
    out.varint(2, 300);
    out.bytes(2, &[1, 0xac, 0x02]);
    out.bytes(2, &[]);
    out.varint(2, 4);
    let bytes = out.into_vec();
    assert_eq!(Varints::new(&bytes, 2).collect::<Vec<_>>(), [300, 1, 300, 4]);
}
