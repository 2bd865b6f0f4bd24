//! The messages of OTLP 1.x as tables: which field is what.
//!
//! Source: `opentelemetry/proto/**` as of opentelemetry-proto 1.8, whose numbers can never change.

pub(crate) mod profiles;

/// What a field is declared to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Not declared.
    Unknown,
    /// Any integer that is not fixed, `bool` or an enum.
    Varint,
    /// `fixed64`, `sfixed64` or `double`.
    Fixed64,
    /// `fixed32`.
    Fixed32,
    /// `string`.
    Text,
    /// `bytes`.
    Bytes,
    /// `bytes` of this length, or none.
    Id(usize),
    /// `repeated uint64`.
    Varints,
    /// `repeated fixed64` or `repeated double`.
    Fixed64s,
    /// A singular message.
    One(&'static Schema),
    /// A message in a `oneof` of messages.
    OneOf(&'static Schema),
    /// A repeated message.
    Many(&'static Schema),
}

/// One more than the largest declared field number.
const NUMBERS: usize = 17;

/// One message: the kind of each field, by number.
#[derive(Debug)]
pub(crate) struct Schema([Kind; NUMBERS]);

impl Schema {
    #[expect(clippy::indexing_slicing, reason = "runs at compile time, where a number beyond the table fails the build")]
    const fn new(fields: &[(usize, Kind)]) -> Self {
        let mut kinds = [Kind::Unknown; NUMBERS];
        let mut index = 0;
        while index < fields.len() {
            let (number, kind) = fields[index];
            kinds[number] = kind;
            index += 1;
        }
        Self(kinds)
    }

    /// What field `number` is.
    #[inline]
    pub(super) fn kind(&self, number: u32) -> Kind {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        self.0.get(index).copied().unwrap_or(Kind::Unknown)
    }

    /// The declared fields.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> impl Iterator<Item = (u32, Kind)> {
        (0..).zip(self.0).filter(|(_, kind)| !matches!(kind, Kind::Unknown))
    }
}

use Kind::{Bytes, Fixed32, Fixed64, Fixed64s, Id, Many, One, OneOf, Text, Varint, Varints};

const TRACE_ID: Kind = Id(16);
const SPAN_ID: Kind = Id(8);

static KEY_VALUE: Schema = Schema::new(&[(1, Text), (2, One(&ANY_VALUE)), (3, Varint)]);
static ANY_VALUE: Schema = Schema::new(&[
    (1, Text),
    (2, Varint),
    (3, Varint),
    (4, Fixed64),
    (5, OneOf(&ARRAY_VALUE)),
    (6, OneOf(&KEY_VALUE_LIST)),
    (7, Bytes),
    (8, Varint),
]);
static ARRAY_VALUE: Schema = Schema::new(&[(1, Many(&ANY_VALUE))]);
static KEY_VALUE_LIST: Schema = Schema::new(&[(1, Many(&KEY_VALUE))]);
static ENTITY_REF: Schema = Schema::new(&[(1, Text), (2, Text), (3, Text), (4, Text)]);
static RESOURCE: Schema = Schema::new(&[(1, Many(&KEY_VALUE)), (2, Varint), (3, Many(&ENTITY_REF))]);
static SCOPE: Schema = Schema::new(&[(1, Text), (2, Text), (3, Many(&KEY_VALUE)), (4, Varint)]);

/// `ExportMetricsServiceRequest`.
pub(crate) static METRICS: Schema = Schema::new(&[(1, Many(&RESOURCE_METRICS))]);
static RESOURCE_METRICS: Schema = Schema::new(&[(1, One(&RESOURCE)), (2, Many(&SCOPE_METRICS)), (3, Text)]);
static SCOPE_METRICS: Schema = Schema::new(&[(1, One(&SCOPE)), (2, Many(&METRIC)), (3, Text)]);
static METRIC: Schema = Schema::new(&[
    (1, Text),
    (2, Text),
    (3, Text),
    (5, OneOf(&GAUGE)),
    (7, OneOf(&SUM)),
    (9, OneOf(&HISTOGRAM)),
    (10, OneOf(&EXPONENTIAL_HISTOGRAM)),
    (11, OneOf(&SUMMARY)),
    (12, Many(&KEY_VALUE)),
]);
static GAUGE: Schema = Schema::new(&[(1, Many(&NUMBER_POINT))]);
static SUM: Schema = Schema::new(&[(1, Many(&NUMBER_POINT)), (2, Varint), (3, Varint)]);
static HISTOGRAM: Schema = Schema::new(&[(1, Many(&HISTOGRAM_POINT)), (2, Varint)]);
static EXPONENTIAL_HISTOGRAM: Schema = Schema::new(&[(1, Many(&EXPONENTIAL_POINT)), (2, Varint)]);
static SUMMARY: Schema = Schema::new(&[(1, Many(&SUMMARY_POINT))]);
static NUMBER_POINT: Schema = Schema::new(&[
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Many(&EXEMPLAR)),
    (6, Fixed64),
    (7, Many(&KEY_VALUE)),
    (8, Varint),
]);
static HISTOGRAM_POINT: Schema = Schema::new(&[
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Fixed64),
    (6, Fixed64s),
    (7, Fixed64s),
    (8, Many(&EXEMPLAR)),
    (9, Many(&KEY_VALUE)),
    (10, Varint),
    (11, Fixed64),
    (12, Fixed64),
]);
static EXPONENTIAL_POINT: Schema = Schema::new(&[
    (1, Many(&KEY_VALUE)),
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Fixed64),
    (6, Varint),
    (7, Fixed64),
    (8, One(&BUCKETS)),
    (9, One(&BUCKETS)),
    (10, Varint),
    (11, Many(&EXEMPLAR)),
    (12, Fixed64),
    (13, Fixed64),
    (14, Fixed64),
]);
static BUCKETS: Schema = Schema::new(&[(1, Varint), (2, Varints)]);
static SUMMARY_POINT: Schema = Schema::new(&[
    (2, Fixed64),
    (3, Fixed64),
    (4, Fixed64),
    (5, Fixed64),
    (6, Many(&QUANTILE)),
    (7, Many(&KEY_VALUE)),
    (8, Varint),
]);
static QUANTILE: Schema = Schema::new(&[(1, Fixed64), (2, Fixed64)]);
static EXEMPLAR: Schema =
    Schema::new(&[(2, Fixed64), (3, Fixed64), (4, SPAN_ID), (5, TRACE_ID), (6, Fixed64), (7, Many(&KEY_VALUE))]);

/// `ExportLogsServiceRequest`.
pub(crate) static LOGS: Schema = Schema::new(&[(1, Many(&RESOURCE_LOGS))]);
static RESOURCE_LOGS: Schema = Schema::new(&[(1, One(&RESOURCE)), (2, Many(&SCOPE_LOGS)), (3, Text)]);
static SCOPE_LOGS: Schema = Schema::new(&[(1, One(&SCOPE)), (2, Many(&LOG_RECORD)), (3, Text)]);
static LOG_RECORD: Schema = Schema::new(&[
    (1, Fixed64),
    (2, Varint),
    (3, Text),
    (5, One(&ANY_VALUE)),
    (6, Many(&KEY_VALUE)),
    (7, Varint),
    (8, Fixed32),
    (9, TRACE_ID),
    (10, SPAN_ID),
    (11, Fixed64),
    (12, Text),
]);

/// `ExportTraceServiceRequest`.
pub(crate) static TRACES: Schema = Schema::new(&[(1, Many(&RESOURCE_SPANS))]);
static RESOURCE_SPANS: Schema = Schema::new(&[(1, One(&RESOURCE)), (2, Many(&SCOPE_SPANS)), (3, Text)]);
static SCOPE_SPANS: Schema = Schema::new(&[(1, One(&SCOPE)), (2, Many(&SPAN)), (3, Text)]);
static SPAN: Schema = Schema::new(&[
    (1, TRACE_ID),
    (2, SPAN_ID),
    (3, Text),
    (4, SPAN_ID),
    (5, Text),
    (6, Varint),
    (7, Fixed64),
    (8, Fixed64),
    (9, Many(&KEY_VALUE)),
    (10, Varint),
    (11, Many(&EVENT)),
    (12, Varint),
    (13, Many(&LINK)),
    (14, Varint),
    (15, One(&STATUS)),
    (16, Fixed32),
]);
static EVENT: Schema = Schema::new(&[(1, Fixed64), (2, Text), (3, Many(&KEY_VALUE)), (4, Varint)]);
static LINK: Schema = Schema::new(&[(1, TRACE_ID), (2, SPAN_ID), (3, Text), (4, Many(&KEY_VALUE)), (5, Varint), (6, Fixed32)]);
static STATUS: Schema = Schema::new(&[(2, Text), (3, Varint)]);
