//! Points of histograms, with fixed and with exponential bounds.

use super::{Exemplar, NO_RECORDED_VALUE};
use crate::{
    attributes::Attributes,
    envelope::low32,
    wire::{Fields, Fixed64s, Repeated, Varints, View, Wire},
};

/// One `HistogramDataPoint`.
#[derive(Debug, Clone, Copy)]
pub struct HistogramPoint<'a> {
    bytes: &'a [u8],
    /// Nanoseconds since the epoch from which it counts; 0 if not said.
    pub start_time: u64,
    /// Nanoseconds since the epoch at which it was taken; 0 if not said.
    pub time: u64,
    /// How many values went in.
    pub count: u64,
    /// Their sum, if the sender knows it.
    pub sum: Option<f64>,
    /// The smallest of them, if the sender knows it.
    pub min: Option<f64>,
    /// The largest of them, if the sender knows it.
    pub max: Option<f64>,
    /// See [`NO_RECORDED_VALUE`]; other bits have no meaning yet.
    pub flags: u32,
}

impl<'a> HistogramPoint<'a> {
    /// What identifies the series.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 9)
    }

    /// Values per bucket: none, or one more than there are bounds.
    pub fn bucket_counts(&self) -> Fixed64s<'a> {
        Fixed64s::new(self.bytes, 6)
    }

    /// Upper bounds of all buckets but the last, ascending and inclusive.
    pub fn explicit_bounds(&self) -> impl Iterator<Item = f64> + Clone + use<'a> {
        Fixed64s::new(self.bytes, 7).doubles()
    }

    /// Single measurements that went in.
    pub fn exemplars(&self) -> Repeated<'a, Exemplar<'a>> {
        Repeated::new(self.bytes, 8)
    }

    /// True if the point says that its series ended.
    pub fn no_recorded_value(&self) -> bool {
        self.flags & NO_RECORDED_VALUE != 0
    }
}

impl<'a> View<'a> for HistogramPoint<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut point = Self { bytes, start_time: 0, time: 0, count: 0, sum: None, min: None, max: None, flags: 0 };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (2, Wire::Fixed64(time)) => point.start_time = time,
                (3, Wire::Fixed64(time)) => point.time = time,
                (4, Wire::Fixed64(count)) => point.count = count,
                (5, Wire::Fixed64(bits)) => point.sum = Some(f64::from_bits(bits)),
                (10, Wire::Varint(flags)) => point.flags = low32(flags),
                (11, Wire::Fixed64(bits)) => point.min = Some(f64::from_bits(bits)),
                (12, Wire::Fixed64(bits)) => point.max = Some(f64::from_bits(bits)),
                _ => {}
            }
        }
        point
    }
}

/// One `ExponentialHistogramDataPoint`.
#[derive(Debug, Clone, Copy)]
pub struct ExponentialHistogramPoint<'a> {
    bytes: &'a [u8],
    /// Nanoseconds since the epoch from which it counts; 0 if not said.
    pub start_time: u64,
    /// Nanoseconds since the epoch at which it was taken; 0 if not said.
    pub time: u64,
    /// How many values went in.
    pub count: u64,
    /// Their sum, if the sender knows it.
    pub sum: Option<f64>,
    /// The smallest of them, if the sender knows it.
    pub min: Option<f64>,
    /// The largest of them, if the sender knows it.
    pub max: Option<f64>,
    /// Bounds grow by 2^(2^-scale).
    pub scale: i32,
    /// How many values were at most `zero_threshold` away from zero.
    pub zero_count: u64,
    /// Half the width of the bucket around zero.
    pub zero_threshold: f64,
    /// Buckets of positive values. Absent reads as empty.
    pub positive: Buckets<'a>,
    /// Buckets of negative values, by magnitude. Absent reads as empty.
    pub negative: Buckets<'a>,
    /// See [`NO_RECORDED_VALUE`]; other bits have no meaning yet.
    pub flags: u32,
}

impl<'a> ExponentialHistogramPoint<'a> {
    /// What identifies the series.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 1)
    }

    /// Single measurements that went in.
    pub fn exemplars(&self) -> Repeated<'a, Exemplar<'a>> {
        Repeated::new(self.bytes, 11)
    }

    /// True if the point says that its series ended.
    pub fn no_recorded_value(&self) -> bool {
        self.flags & NO_RECORDED_VALUE != 0
    }
}

impl<'a> View<'a> for ExponentialHistogramPoint<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut point = Self {
            bytes,
            start_time: 0,
            time: 0,
            count: 0,
            sum: None,
            min: None,
            max: None,
            scale: 0,
            zero_count: 0,
            zero_threshold: 0.0,
            positive: Buckets::view(&[]),
            negative: Buckets::view(&[]),
            flags: 0,
        };
        for field in Fields::new(bytes) {
            match (field.number, field.value) {
                (2, Wire::Fixed64(time)) => point.start_time = time,
                (3, Wire::Fixed64(time)) => point.time = time,
                (4, Wire::Fixed64(count)) => point.count = count,
                (5, Wire::Fixed64(bits)) => point.sum = Some(f64::from_bits(bits)),
                (6, Wire::Varint(scale)) => point.scale = zigzag32(scale),
                (7, Wire::Fixed64(count)) => point.zero_count = count,
                (8, Wire::Len(buckets)) => point.positive = Buckets::view(buckets),
                (9, Wire::Len(buckets)) => point.negative = Buckets::view(buckets),
                (10, Wire::Varint(flags)) => point.flags = low32(flags),
                (12, Wire::Fixed64(bits)) => point.min = Some(f64::from_bits(bits)),
                (13, Wire::Fixed64(bits)) => point.max = Some(f64::from_bits(bits)),
                (14, Wire::Fixed64(bits)) => point.zero_threshold = f64::from_bits(bits),
                _ => {}
            }
        }
        point
    }
}

/// Consecutive buckets of an exponential histogram.
#[derive(Debug, Clone, Copy)]
pub struct Buckets<'a> {
    bytes: &'a [u8],
    /// Index of the first bucket: bucket `i` holds values in (base^i, base^(i+1)].
    pub offset: i32,
}

impl<'a> Buckets<'a> {
    /// Values per bucket, from `offset` on.
    pub fn counts(&self) -> Varints<'a> {
        Varints::new(self.bytes, 2)
    }
}

impl<'a> View<'a> for Buckets<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut offset = 0;
        for field in Fields::new(bytes) {
            if let (1, Wire::Varint(value)) = (field.number, field.value) {
                offset = zigzag32(value);
            }
        }
        Self { bytes, offset }
    }
}

/// A `sint32`: the sign is the lowest bit.
fn zigzag32(value: u64) -> i32 {
    let bits = low32(value);
    (bits >> 1).cast_signed() ^ -(bits & 1).cast_signed()
}
