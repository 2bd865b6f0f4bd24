//! Points of summaries.

use super::NO_RECORDED_VALUE;
use crate::{
    attributes::Attributes,
    envelope::low32,
    wire::{Fields, Repeated, View, Wire},
};

/// One `SummaryDataPoint`.
#[derive(Debug, Clone, Copy)]
pub struct SummaryPoint<'a> {
    bytes: &'a [u8],
    /// Nanoseconds since the epoch from which it counts; 0 if not said.
    pub start_time: u64,
    /// Nanoseconds since the epoch at which it was taken; 0 if not said.
    pub time: u64,
    /// How many values went in.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// See [`NO_RECORDED_VALUE`]; other bits have no meaning yet.
    pub flags: u32,
}

impl<'a> SummaryPoint<'a> {
    /// What identifies the series.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 7)
    }

    /// The quantiles that the sender computed.
    pub fn quantiles(&self) -> Repeated<'a, Quantile> {
        Repeated::new(self.bytes, 6)
    }

    /// True if the point says that its series ended.
    pub fn no_recorded_value(&self) -> bool {
        self.flags & NO_RECORDED_VALUE != 0
    }
}

impl<'a> View<'a> for SummaryPoint<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut point = Self { bytes, start_time: 0, time: 0, count: 0, sum: 0.0, flags: 0 };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (2, Wire::Fixed64(time)) => point.start_time = time,
                (3, Wire::Fixed64(time)) => point.time = time,
                (4, Wire::Fixed64(count)) => point.count = count,
                (5, Wire::Fixed64(bits)) => point.sum = f64::from_bits(bits),
                (8, Wire::Varint(flags)) => point.flags = low32(flags),
                _ => {}
            }
        }
        point
    }
}

/// One `ValueAtQuantile`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// 0 to 1: 0 is the minimum, 1 the maximum.
    pub quantile: f64,
    /// The value there.
    pub value: f64,
}

impl<'a> View<'a> for Quantile {
    fn view(bytes: &'a [u8]) -> Self {
        let mut at = Self { quantile: 0.0, value: 0.0 };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (1, Wire::Fixed64(bits)) => at.quantile = f64::from_bits(bits),
                (2, Wire::Fixed64(bits)) => at.value = f64::from_bits(bits),
                _ => {}
            }
        }
        at
    }
}
