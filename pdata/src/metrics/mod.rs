//! Views over a serialized `ExportMetricsServiceRequest`.
//!
//! A metric's name and the numbers of a point are read in one pass when the view is made; attributes, exemplars, buckets
//! and points are iterators over the same bytes.

mod exemplar;
mod histogram;
mod number;
mod summary;

pub use exemplar::Exemplar;
pub use histogram::{Buckets, ExponentialHistogramPoint, HistogramPoint};
pub use number::{Number, NumberPoint};
pub use summary::{Quantile, SummaryPoint};

use crate::{
    attributes::Attributes,
    edit::{Edited, items},
    envelope,
    text::Text,
    wire::{Fields, Malformed, Reader, Repeated, View, Wire},
};

/// A whole request.
pub type Request<'a> = envelope::Request<'a, Metric<'a>>;
/// What one resource reported.
pub type ResourceMetrics<'a> = envelope::ResourceItems<'a, Metric<'a>>;
/// What one scope of a resource reported.
pub type ScopeMetrics<'a> = envelope::ScopeItems<'a, Metric<'a>>;

/// Bit of a point's flags that says "there is no value here any more" (`DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`).
pub const NO_RECORDED_VALUE: u32 = 1;

/// Fields of `Metric` that are the kinds of its `data`.
mod kind {
    pub(super) const GAUGE: u32 = 5;
    pub(super) const SUM: u32 = 7;
    pub(super) const HISTOGRAM: u32 = 9;
    pub(super) const EXPONENTIAL_HISTOGRAM: u32 = 10;
    pub(super) const SUMMARY: u32 = 11;
}

/// Field of every kind of data that holds its points.
const POINTS: u32 = 1;

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    bytes: &'a [u8],
    /// Its name.
    pub name: Text<'a>,
    /// What it means, for people.
    pub description: Text<'a>,
    /// Unit in UCUM, such as `By` or `{defer}`.
    pub unit: Text<'a>,
    data: Option<(u32, &'a [u8])>,
}

impl<'a> Metric<'a> {
    /// Attributes of the metric itself, not of a series.
    pub fn metadata(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 12)
    }

    /// Its kind and points. The last kind on the wire wins.
    pub fn data(&self) -> Data<'a> {
        self.data.map_or(Data::Empty, |(kind, bytes)| Data::new(kind, bytes))
    }

    /// How many points it has, of whatever kind.
    pub fn count_points(&self) -> usize {
        self.data.map_or(0, |(_, bytes)| Repeated::<&[u8]>::new(bytes, POINTS).count())
    }
}

impl<'a> View<'a> for Metric<'a> {
    fn view(bytes: &'a [u8]) -> Self {
        let mut metric = Self { bytes, name: Text::default(), description: Text::default(), unit: Text::default(), data: None };
        for field in Fields::new(bytes) {
            let Wire::Len(content) = field.value else {
                continue;
            };
            match field.number {
                1 => metric.name = Text::new(content),
                2 => metric.description = Text::new(content),
                3 => metric.unit = Text::new(content),
                kind if is_data(kind) => metric.data = Some((kind, content)),
                _ => {}
            }
        }
        metric
    }
}

/// What kind of metric it is, and its points.
#[derive(Debug, Clone)]
pub enum Data<'a> {
    /// No data, or a kind that this version does not know.
    Empty,
    /// Values that are not added up.
    Gauge(Repeated<'a, NumberPoint<'a>>),
    /// Values that are.
    Sum {
        /// One point per series.
        points: Repeated<'a, NumberPoint<'a>>,
        /// Since when a value counts.
        temporality: Temporality,
        /// True if it only grows: a counter.
        monotonic: bool,
    },
    /// Distributions over fixed bounds.
    Histogram {
        /// One point per series.
        points: Repeated<'a, HistogramPoint<'a>>,
        /// Since when a value counts.
        temporality: Temporality,
    },
    /// Distributions over exponentially growing bounds.
    ExponentialHistogram {
        /// One point per series.
        points: Repeated<'a, ExponentialHistogramPoint<'a>>,
        /// Since when a value counts.
        temporality: Temporality,
    },
    /// Quantiles computed by the sender.
    Summary(Repeated<'a, SummaryPoint<'a>>),
}

impl<'a> Data<'a> {
    fn new(number: u32, bytes: &'a [u8]) -> Self {
        match number {
            kind::GAUGE => Self::Gauge(Repeated::new(bytes, POINTS)),
            kind::SUM => Self::Sum {
                points: Repeated::new(bytes, POINTS),
                temporality: Temporality::of(bytes),
                monotonic: last_varint(bytes, 3) != 0,
            },
            kind::HISTOGRAM => Self::Histogram { points: Repeated::new(bytes, POINTS), temporality: Temporality::of(bytes) },
            kind::EXPONENTIAL_HISTOGRAM => {
                Self::ExponentialHistogram { points: Repeated::new(bytes, POINTS), temporality: Temporality::of(bytes) }
            }
            kind::SUMMARY => Self::Summary(Repeated::new(bytes, POINTS)),
            _ => Self::Empty,
        }
    }
}

/// Since when a sum or distribution counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporality {
    /// Not said, or a value that this version does not know.
    Unspecified,
    /// Since the point before.
    Delta,
    /// Since the point's start time.
    Cumulative,
}

impl Temporality {
    /// The enum's number on the wire.
    pub fn number(self) -> u32 {
        match self {
            Self::Unspecified => 0,
            Self::Delta => 1,
            Self::Cumulative => 2,
        }
    }

    fn of(data: &[u8]) -> Self {
        match envelope::low32(last_varint(data, 2)) {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

/// Points in a serialized request. Looks at no point's inside and allocates nothing.
pub fn count_points(request: &[u8]) -> Result<usize, Malformed> {
    envelope::sum_items(request, |metric| {
        let Some(mut data) = data_reader(metric)? else {
            return Ok(0);
        };
        let mut points = 0;
        while let Some(field) = data.next_field()? {
            points += usize::from(field.number == POINTS && matches!(field.value, Wire::Len(_)));
        }
        Ok(points)
    })
}

fn data_reader(mut metric: Reader<'_>) -> Result<Option<Reader<'_>>, Malformed> {
    let mut data = None;
    while let Some(field) = metric.next_field()? {
        match field.value {
            Wire::Len(content) if is_data(field.number) => data = Some(metric.nested(content)),
            _ => {}
        }
    }
    Ok(data)
}

fn is_data(number: u32) -> bool {
    matches!(number, kind::GAUGE | kind::SUM | kind::HISTOGRAM | kind::EXPONENTIAL_HISTOGRAM | kind::SUMMARY)
}

fn last_varint(message: &[u8], number: u32) -> u64 {
    let mut last = 0;
    for field in Fields::new(message) {
        match field.value {
            Wire::Varint(value) if field.number == number => last = value,
            _ => {}
        }
    }
    last
}

/// Keeps the metrics for which `keep` returns true, with all their points.
///
/// `None` if that is all of them. A scope or resource left without a metric is dropped too. Everything else is copied as it stands,
/// unknown fields included. Fails if the shape around the metrics is malformed; the inside of a metric is not looked at.
pub fn retain<'a>(
    request: &'a [u8],
    keep: impl FnMut(&ResourceMetrics<'a>, &ScopeMetrics<'a>, &Metric<'a>) -> bool,
) -> Result<Option<Edited>, Malformed> {
    items::retain(request, Metric::count_points, keep)
}
