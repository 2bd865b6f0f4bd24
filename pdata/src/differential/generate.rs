//! Arbitrary wire bytes for a schema: fields in any order, repeated, split, packed or not, unknown ones among them.
//!
//! Decisions are read off a tape of bytes that proptest makes, and an empty tape decides for nothing; so a
//! shorter or smaller tape is a simpler request and failures shrink.

use crate::{
    validate::schema::{Kind, Schema},
    wire::Writer,
};

pub(super) struct Tape<'a> {
    decisions: std::slice::Iter<'a, u8>,
    /// Whether to write what `validate` refuses, now and then.
    pub(super) faulty: bool,
}

impl<'a> Tape<'a> {
    pub(super) fn new(decisions: &'a [u8], faulty: bool) -> Self {
        Self { decisions: decisions.iter(), faulty }
    }

    fn pick(&mut self, choices: usize) -> usize {
        self.decisions.next().map_or(0, |&byte| usize::from(byte) % choices)
    }

    fn number(&mut self) -> u64 {
        match self.pick(6) {
            0 => 0,
            1 => 1,
            2 => self.pick(256) as u64,
            3 => u64::MAX,
            4 => 1 << self.pick(64),
            _ => f64::NAN.to_bits() | self.pick(256) as u64,
        }
    }

    fn fault(&mut self) -> bool {
        self.faulty && self.pick(97) == 96
    }
}

const TEXTS: [&[u8]; 5] = [b"", b"a", b"go.defer.pending", "\u{e9}\u{4e2d}".as_bytes(), &[b'x'; 200]];

pub(super) fn message(tape: &mut Tape<'_>, schema: &Schema, depth: usize) -> Vec<u8> {
    let fields: Vec<_> = schema.fields().collect();
    let mut out = Writer::default();
    let mut once = 0_u32;
    for _ in 0..tape.pick(9) {
        // One choice more than there are fields: an unknown one.
        let Some(&(number, kind)) = fields.get(tape.pick(fields.len() + 1)) else {
            unknown(tape, &mut out);
            continue;
        };
        let bit = match kind {
            Kind::One(_) => 1 << number,
            Kind::OneOf(_) => 1,
            _ => 0,
        };
        if once & bit != 0 && !tape.fault() {
            continue;
        }
        once |= bit;
        field(tape, &mut out, number, kind, depth);
    }
    out.into_vec()
}

fn field(tape: &mut Tape<'_>, out: &mut Writer, number: u32, kind: Kind, depth: usize) {
    if tape.fault() {
        out.fixed32(number, 1);
        return;
    }
    match kind {
        Kind::Unknown => {}
        Kind::Varint => out.varint(number, tape.number()),
        Kind::Fixed64 => out.fixed64(number, tape.number()),
        Kind::Fixed32 => out.fixed32(number, 77),
        Kind::Text if tape.fault() => out.bytes(number, b"\xff"),
        Kind::Text | Kind::Bytes => out.bytes(number, TEXTS[tape.pick(TEXTS.len())]),
        Kind::Id(_) if tape.fault() => out.bytes(number, &[1; 3]),
        Kind::Id(length) => out.bytes(number, &[7; 16][..[0, length][tape.pick(2)]]),
        Kind::Fixed64s if tape.pick(2) == 0 => out.fixed64(number, tape.number()),
        Kind::Fixed64s => {
            let values: Vec<u64> = (0..tape.pick(4)).map(|_| tape.number()).collect();
            out.packed_fixed64(number, values.into_iter());
        }
        Kind::Varints if tape.pick(2) == 0 => out.varint(number, tape.number()),
        Kind::Varints => {
            let mut packed = Vec::new();
            for _ in 0..tape.pick(4) {
                crate::wire::push_varint(&mut packed, tape.number());
            }
            out.bytes(number, &packed);
        }
        Kind::One(schema) | Kind::OneOf(schema) | Kind::Many(schema) => {
            let content = if depth < 24 { message(tape, schema, depth + 1) } else { Vec::new() };
            out.bytes(number, &content);
        }
    }
}

fn unknown(tape: &mut Tape<'_>, out: &mut Writer) {
    let number = [17, 29, 1000, (1 << 29) - 1][tape.pick(4)];
    match tape.pick(4) {
        0 => out.varint(number, tape.number()),
        1 => out.fixed64(number, tape.number()),
        2 => out.fixed32(number, 5),
        _ => out.bytes(number, b"unknown"),
    }
}
