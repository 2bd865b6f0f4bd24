//! Points of gauges and sums.

use super::{Exemplar, NO_RECORDED_VALUE};
use crate::{
    attributes::Attributes,
    envelope::low32,
    wire::{Fields, Repeated, View, Wire},
};

/// A value of a gauge, a sum or an exemplar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
}

impl Number {
    /// The value as a floating-point number; whole numbers beyond 2^53 lose their low digits.
    #[expect(clippy::cast_precision_loss, reason = "documented, and what every Prometheus-like store does")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Double(value) => value,
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

/// One `NumberDataPoint`.
#[derive(Debug, Clone, Copy)]
pub struct NumberPoint<'a> {
    bytes: &'a [u8],
    /// Nanoseconds since the epoch from which a sum counts; 0 if not said.
    pub start_time: u64,
    /// Nanoseconds since the epoch at which the value was taken; 0 if not said.
    pub time: u64,
    /// The value, if there is one.
    pub value: Option<Number>,
    /// See [`NO_RECORDED_VALUE`]; other bits have no meaning yet.
    pub flags: u32,
}

impl<'a> NumberPoint<'a> {
    /// What identifies the series.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 7)
    }

    /// Single measurements that went into the value.
    pub fn exemplars(&self) -> Repeated<'a, Exemplar<'a>> {
        Repeated::new(self.bytes, 5)
    }

    /// True if the point says that its series ended.
    pub fn no_recorded_value(&self) -> bool {
        self.flags & NO_RECORDED_VALUE != 0
    }
}

impl<'a> View<'a> for NumberPoint<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut point = Self { bytes, start_time: 0, time: 0, value: None, flags: 0 };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (2, Wire::Fixed64(time)) => point.start_time = time,
                (3, Wire::Fixed64(time)) => point.time = time,
                (4, Wire::Fixed64(bits)) => {
                    point.value = Some(Number::Double(f64::from_bits(bits)));
                }
                (6, Wire::Fixed64(bits)) => point.value = Some(Number::Int(bits.cast_signed())),
                (8, Wire::Varint(flags)) => point.flags = low32(flags),
                _ => {}
            }
        }
        point
    }
}
