//! Single measurements attached to a point.

use super::Number;
use crate::{
    attributes::Attributes,
    wire::{Fields, View, Wire},
};

/// One `Exemplar`.
#[derive(Debug, Clone, Copy)]
pub struct Exemplar<'a> {
    bytes: &'a [u8],
    /// The measured value.
    pub value: Option<Number>,
    /// Nanoseconds since the epoch at which it was measured.
    pub time: u64,
    /// The trace it was measured in: 16 bytes, or none.
    pub trace_id: &'a [u8],
    /// The span it was measured in: 8 bytes, or none.
    pub span_id: &'a [u8],
}

impl<'a> Exemplar<'a> {
    /// What is known about the measurement beyond the series' attributes.
    pub fn filtered_attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 7)
    }
}

impl<'a> View<'a> for Exemplar<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut exemplar = Self { bytes, value: None, time: 0, trace_id: &[], span_id: &[] };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (2, Wire::Fixed64(time)) => exemplar.time = time,
                (3, Wire::Fixed64(bits)) => {
                    exemplar.value = Some(Number::Double(f64::from_bits(bits)));
                }
                (4, Wire::Len(id)) => exemplar.span_id = id,
                (5, Wire::Len(id)) => exemplar.trace_id = id,
                (6, Wire::Fixed64(bits)) => exemplar.value = Some(Number::Int(bits.cast_signed())),
                _ => {}
            }
        }
        exemplar
    }
}
