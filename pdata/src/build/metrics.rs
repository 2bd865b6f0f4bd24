//! Writing an `ExportMetricsServiceRequest`.

use bytes::Bytes;

use super::{AttributeSet, shell::Items};
use crate::{
    metrics::{NO_RECORDED_VALUE, Number, Temporality},
    wire::{Expect, Writer},
};

/// Builds a metrics request.
///
/// ```
/// use deferd_pdata::build::{EncodedAttributes, MetricsBuilder, NumberPoint};
///
/// let now = 1_700_000_000_000_000_000;
/// let site = EncodedAttributes::new(&[("code.file.path", "main.go".into()), ("code.line.number", 42.into())]);
/// let mut request = MetricsBuilder::default();
/// request.resource(&[("service.name", "shop".into())], |resource| {
///     resource.scope("deferd/godefer", "0.1.0", |scope| {
///         scope.gauge("go.defer.pending", "Pending deferred calls", "{defer}", |points| {
///             points.add(&NumberPoint::new(&site, now, 41_203));
///         });
///         scope.gauge("go.defer.pending.memory", "Memory they hold", "By", |points| {
///             points.add(&NumberPoint::no_recorded_value(&site, now));
///         });
///     });
/// });
/// assert_eq!(request.count_points(), 2);
/// let bytes = request.finish();
/// # assert_eq!(deferd_pdata::metrics::count_points(&bytes), Ok(2));
/// ```
#[derive(Debug, Default)]
pub struct MetricsBuilder(Items);

impl MetricsBuilder {
    /// Adds a resource with what `write` adds to it.
    pub fn resource<'a>(&mut self, attributes: impl Into<AttributeSet<'a>>, write: impl FnOnce(&mut MetricsResource<'_>)) {
        self.0.resource(&attributes.into(), |items| {
            write(&mut MetricsResource(items));
        });
    }

    /// Points added so far.
    pub fn count_points(&self) -> usize {
        self.0.count
    }

    /// The serialized request; empty if no point was added.
    pub fn finish(self) -> Bytes {
        self.0.out.into_vec().into()
    }
}

/// A resource of a [`MetricsBuilder`].
#[derive(Debug)]
pub struct MetricsResource<'b>(&'b mut Items);

impl MetricsResource<'_> {
    /// Adds a scope with what `write` adds to it.
    pub fn scope(&mut self, name: &str, version: &str, write: impl FnOnce(&mut MetricsScope<'_>)) {
        self.0.scope(name, version, |items| write(&mut MetricsScope(items)));
    }
}

/// A scope of a [`MetricsResource`].
#[derive(Debug)]
pub struct MetricsScope<'b>(&'b mut Items);

impl MetricsScope<'_> {
    /// Adds a gauge with the points that `write` adds.
    pub fn gauge(&mut self, name: &str, description: &str, unit: &str, write: impl FnOnce(&mut NumberPoints<'_>)) {
        self.metric([name, description, unit], 5, |items| {
            write(&mut NumberPoints(items));
        });
    }

    /// Adds a sum with the points that `write` adds; `monotonic` if it only grows.
    pub fn sum(
        &mut self,
        name: &str,
        description: &str,
        unit: &str,
        (temporality, monotonic): (Temporality, bool),
        write: impl FnOnce(&mut NumberPoints<'_>),
    ) {
        self.metric([name, description, unit], 7, |items| {
            write(&mut NumberPoints(items));
            items.out.varint(2, temporality.number().into());
            items.out.varint(3, monotonic.into());
        });
    }

    /// Adds a histogram with the points that `write` adds.
    pub fn histogram(
        &mut self,
        name: &str,
        description: &str,
        unit: &str,
        temporality: Temporality,
        write: impl FnOnce(&mut HistogramPoints<'_>),
    ) {
        self.metric([name, description, unit], 9, |items| {
            write(&mut HistogramPoints(items));
            items.out.varint(2, temporality.number().into());
        });
    }

    fn metric(&mut self, [name, description, unit]: [&str; 3], kind: u32, write: impl FnOnce(&mut Items)) {
        self.0.item(|items| {
            items.out.text(1, name);
            items.out.text(2, description);
            items.out.text(3, unit);
            items.nested(kind, write);
        });
    }
}

/// Points of a gauge or sum.
#[derive(Debug)]
pub struct NumberPoints<'b>(&'b mut Items);

impl NumberPoints<'_> {
    /// Adds a point.
    pub fn add(&mut self, point: &NumberPoint<'_>) {
        self.0.count += 1;
        self.0.out.nested(1, Expect::Medium, |out| point.write(out));
    }
}

/// A point of a gauge or sum.
#[derive(Debug, Clone, Default)]
pub struct NumberPoint<'a> {
    /// What identifies the series.
    pub attributes: AttributeSet<'a>,
    /// Nanoseconds since the epoch from which a sum counts; 0 if there is no such time.
    pub start_time: u64,
    /// Nanoseconds since the epoch at which the value was taken.
    pub time: u64,
    /// The value; `None` only beside [`NO_RECORDED_VALUE`].
    pub value: Option<Number>,
    /// [`NO_RECORDED_VALUE`] or 0.
    pub flags: u32,
    /// Single measurements.
    pub exemplars: &'a [Exemplar<'a>],
}

impl<'a> NumberPoint<'a> {
    /// A value at a time.
    pub fn new(attributes: impl Into<AttributeSet<'a>>, time: u64, value: impl Into<Number>) -> Self {
        Self { attributes: attributes.into(), time, value: Some(value.into()), ..Self::default() }
    }

    /// The end of a series: consumers stop showing its last value.
    pub fn no_recorded_value(attributes: impl Into<AttributeSet<'a>>, time: u64) -> Self {
        Self { attributes: attributes.into(), time, flags: NO_RECORDED_VALUE, ..Self::default() }
    }

    /// The same, counted since `start_time`.
    #[must_use]
    pub fn since(self, start_time: u64) -> Self {
        Self { start_time, ..self }
    }

    fn write(&self, out: &mut Writer) {
        times(out, self.start_time, self.time);
        match self.value {
            Some(Number::Double(value)) => out.double(4, value),
            Some(Number::Int(value)) => out.fixed64(6, value.cast_unsigned()),
            None => {}
        }
        Exemplar::write_all(self.exemplars, out, 5);
        self.attributes.write(out, 7);
        if self.flags != 0 {
            out.varint(8, self.flags.into());
        }
    }
}

/// Points of a histogram.
#[derive(Debug)]
pub struct HistogramPoints<'b>(&'b mut Items);

impl HistogramPoints<'_> {
    /// Adds a point.
    pub fn add(&mut self, point: &HistogramPoint<'_>) {
        self.0.count += 1;
        self.0.out.nested(1, Expect::Medium, |out| point.write(out));
    }
}

/// A point of a histogram.
#[derive(Debug, Clone, Default)]
pub struct HistogramPoint<'a> {
    /// What identifies the series.
    pub attributes: AttributeSet<'a>,
    /// Nanoseconds since the epoch from which it counts; 0 if there is no such time.
    pub start_time: u64,
    /// Nanoseconds since the epoch at which it was taken.
    pub time: u64,
    /// How many values went in: the sum of `bucket_counts` if there are any.
    pub count: u64,
    /// Their sum.
    pub sum: Option<f64>,
    /// The smallest of them.
    pub min: Option<f64>,
    /// The largest of them.
    pub max: Option<f64>,
    /// Values per bucket: none, or one more than there are bounds.
    pub bucket_counts: &'a [u64],
    /// Upper bounds of all buckets but the last, ascending and inclusive.
    pub explicit_bounds: &'a [f64],
    /// [`NO_RECORDED_VALUE`] or 0.
    pub flags: u32,
    /// Single measurements.
    pub exemplars: &'a [Exemplar<'a>],
}

impl<'a> HistogramPoint<'a> {
    /// The end of a series: consumers stop showing its last value.
    pub fn no_recorded_value(attributes: impl Into<AttributeSet<'a>>, time: u64) -> Self {
        Self { attributes: attributes.into(), time, flags: NO_RECORDED_VALUE, ..Self::default() }
    }

    fn write(&self, out: &mut Writer) {
        times(out, self.start_time, self.time);
        out.fixed64(4, self.count);
        optional(out, 5, self.sum);
        out.packed_fixed64(6, self.bucket_counts.iter().copied());
        out.packed_fixed64(7, self.explicit_bounds.iter().map(|bound| bound.to_bits()));
        Exemplar::write_all(self.exemplars, out, 8);
        self.attributes.write(out, 9);
        if self.flags != 0 {
            out.varint(10, self.flags.into());
        }
        optional(out, 11, self.min);
        optional(out, 12, self.max);
    }
}

/// A single measurement.
#[derive(Debug, Clone)]
pub struct Exemplar<'a> {
    /// The measured value.
    pub value: Number,
    /// Nanoseconds since the epoch at which it was measured.
    pub time: u64,
    /// The trace it was measured in.
    pub trace_id: Option<[u8; 16]>,
    /// The span it was measured in.
    pub span_id: Option<[u8; 8]>,
    /// What is known about it beyond the series' attributes.
    pub filtered_attributes: AttributeSet<'a>,
}

impl Exemplar<'_> {
    fn write_all(exemplars: &[Self], out: &mut Writer, number: u32) {
        for exemplar in exemplars {
            out.nested(number, Expect::Small, |out| exemplar.write(out));
        }
    }

    fn write(&self, out: &mut Writer) {
        if self.time != 0 {
            out.fixed64(2, self.time);
        }
        match self.value {
            Number::Double(value) => out.double(3, value),
            Number::Int(value) => out.fixed64(6, value.cast_unsigned()),
        }
        if let Some(id) = &self.span_id {
            out.bytes(4, id);
        }
        if let Some(id) = &self.trace_id {
            out.bytes(5, id);
        }
        self.filtered_attributes.write(out, 7);
    }
}

/// The two times have the same numbers in every kind of point, though not in an exemplar; 0 is what their absence means.
fn times(out: &mut Writer, start_time: u64, time: u64) {
    if start_time != 0 {
        out.fixed64(2, start_time);
    }
    if time != 0 {
        out.fixed64(3, time);
    }
}

fn optional(out: &mut Writer, number: u32, value: Option<f64>) {
    if let Some(value) = value {
        out.double(number, value);
    }
}
