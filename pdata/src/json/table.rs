//! The messages of OTLP 1.x as JSON sees them: names and kinds of their fields.
//!
//! Source: `opentelemetry/proto/**` as of opentelemetry-proto 1.8. Fields that only profiles use (indexes into their dictionary) are left out.

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// `uint32`.
    U32,
    /// `uint64`; in JSON a text.
    U64,
    /// `int64`; in JSON a text.
    I64,
    /// `sint32`.
    Zigzag32,
    /// An enum: in JSON its number. Names are read too.
    Enum(&'static Enum),
    /// `bool`.
    Bool,
    /// `fixed32`.
    Fixed32,
    /// `fixed64`; in JSON a text.
    Fixed64,
    /// `sfixed64`; in JSON a text.
    Sfixed64,
    /// `double`.
    Double,
    /// `string`.
    Text,
    /// `bytes` in Base64.
    Base64,
    /// `bytes` of this length, or none; in JSON hexadecimal.
    Id(usize),
    /// A message.
    Message(&'static Table),
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// The name in JSON.
    pub(super) name: &'static str,
    /// The number on the wire.
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) many: bool,
    /// Of several such fields a message has at most one.
    pub(super) choice: bool,
}

/// The fields of a message.
#[derive(Debug)]
pub(super) struct Table(pub(super) &'static [Field]);

/// The names of an enum's numbers, without their common beginning.
#[derive(Debug)]
pub(super) struct Enum {
    pub(super) prefix: &'static str,
    pub(super) names: &'static [&'static str],
}

impl Enum {
    /// The number of a name.
    pub(super) fn number(&self, name: &str) -> Option<i32> {
        let name = name.strip_prefix(self.prefix)?;
        self.names.iter().position(|known| *known == name).and_then(|index| i32::try_from(index).ok())
    }
}

const fn one(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, many: false, choice: false }
}

const fn many(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { many: true, ..one(name, number, kind) }
}

const fn choice(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { choice: true, ..one(name, number, kind) }
}

use Kind::{Base64, Bool, Double, Fixed32, Fixed64, I64, Id, Message, Sfixed64, Text, U32, U64, Zigzag32};

const TRACE_ID: Kind = Id(16);
const SPAN_ID: Kind = Id(8);

static SEVERITY: Enum = Enum {
    prefix: "SEVERITY_NUMBER_",
    names: &[
        "UNSPECIFIED",
        "TRACE",
        "TRACE2",
        "TRACE3",
        "TRACE4",
        "DEBUG",
        "DEBUG2",
        "DEBUG3",
        "DEBUG4",
        "INFO",
        "INFO2",
        "INFO3",
        "INFO4",
        "WARN",
        "WARN2",
        "WARN3",
        "WARN4",
        "ERROR",
        "ERROR2",
        "ERROR3",
        "ERROR4",
        "FATAL",
        "FATAL2",
        "FATAL3",
        "FATAL4",
    ],
};
static TEMPORALITY: Enum = Enum { prefix: "AGGREGATION_TEMPORALITY_", names: &["UNSPECIFIED", "DELTA", "CUMULATIVE"] };
static SPAN_KIND: Enum =
    Enum { prefix: "SPAN_KIND_", names: &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] };
static STATUS_CODE: Enum = Enum { prefix: "STATUS_CODE_", names: &["UNSET", "OK", "ERROR"] };

static KEY_VALUE: Table = Table(&[one("key", 1, Text), one("value", 2, Message(&ANY_VALUE))]);
static ANY_VALUE: Table = Table(&[
    choice("stringValue", 1, Text),
    choice("boolValue", 2, Bool),
    choice("intValue", 3, I64),
    choice("doubleValue", 4, Double),
    choice("arrayValue", 5, Message(&ARRAY_VALUE)),
    choice("kvlistValue", 6, Message(&KEY_VALUE_LIST)),
    choice("bytesValue", 7, Base64),
]);
static ARRAY_VALUE: Table = Table(&[many("values", 1, Message(&ANY_VALUE))]);
static KEY_VALUE_LIST: Table = Table(&[many("values", 1, Message(&KEY_VALUE))]);
static ENTITY_REF: Table =
    Table(&[one("schemaUrl", 1, Text), one("type", 2, Text), many("idKeys", 3, Text), many("descriptionKeys", 4, Text)]);
static RESOURCE: Table = Table(&[
    many("attributes", 1, Message(&KEY_VALUE)),
    one("droppedAttributesCount", 2, U32),
    many("entityRefs", 3, Message(&ENTITY_REF)),
]);
static SCOPE: Table = Table(&[
    one("name", 1, Text),
    one("version", 2, Text),
    many("attributes", 3, Message(&KEY_VALUE)),
    one("droppedAttributesCount", 4, U32),
]);

/// `ExportMetricsServiceRequest`.
pub(super) static METRICS: Table = Table(&[many("resourceMetrics", 1, Message(&RESOURCE_METRICS))]);
static RESOURCE_METRICS: Table =
    Table(&[one("resource", 1, Message(&RESOURCE)), many("scopeMetrics", 2, Message(&SCOPE_METRICS)), one("schemaUrl", 3, Text)]);
static SCOPE_METRICS: Table =
    Table(&[one("scope", 1, Message(&SCOPE)), many("metrics", 2, Message(&METRIC)), one("schemaUrl", 3, Text)]);
static METRIC: Table = Table(&[
    one("name", 1, Text),
    one("description", 2, Text),
    one("unit", 3, Text),
    choice("gauge", 5, Message(&GAUGE)),
    choice("sum", 7, Message(&SUM)),
    choice("histogram", 9, Message(&HISTOGRAM)),
    choice("exponentialHistogram", 10, Message(&EXPONENTIAL_HISTOGRAM)),
    choice("summary", 11, Message(&SUMMARY)),
    many("metadata", 12, Message(&KEY_VALUE)),
]);
static GAUGE: Table = Table(&[many("dataPoints", 1, Message(&NUMBER_POINT))]);
static SUM: Table = Table(&[
    many("dataPoints", 1, Message(&NUMBER_POINT)),
    one("aggregationTemporality", 2, Kind::Enum(&TEMPORALITY)),
    one("isMonotonic", 3, Bool),
]);
static HISTOGRAM: Table =
    Table(&[many("dataPoints", 1, Message(&HISTOGRAM_POINT)), one("aggregationTemporality", 2, Kind::Enum(&TEMPORALITY))]);
static EXPONENTIAL_HISTOGRAM: Table =
    Table(&[many("dataPoints", 1, Message(&EXPONENTIAL_POINT)), one("aggregationTemporality", 2, Kind::Enum(&TEMPORALITY))]);
static SUMMARY: Table = Table(&[many("dataPoints", 1, Message(&SUMMARY_POINT))]);
static NUMBER_POINT: Table = Table(&[
    one("startTimeUnixNano", 2, Fixed64),
    one("timeUnixNano", 3, Fixed64),
    choice("asDouble", 4, Double),
    many("exemplars", 5, Message(&EXEMPLAR)),
    choice("asInt", 6, Sfixed64),
    many("attributes", 7, Message(&KEY_VALUE)),
    one("flags", 8, U32),
]);
static HISTOGRAM_POINT: Table = Table(&[
    one("startTimeUnixNano", 2, Fixed64),
    one("timeUnixNano", 3, Fixed64),
    one("count", 4, Fixed64),
    one("sum", 5, Double),
    many("bucketCounts", 6, Fixed64),
    many("explicitBounds", 7, Double),
    many("exemplars", 8, Message(&EXEMPLAR)),
    many("attributes", 9, Message(&KEY_VALUE)),
    one("flags", 10, U32),
    one("min", 11, Double),
    one("max", 12, Double),
]);
static EXPONENTIAL_POINT: Table = Table(&[
    many("attributes", 1, Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, Fixed64),
    one("timeUnixNano", 3, Fixed64),
    one("count", 4, Fixed64),
    one("sum", 5, Double),
    one("scale", 6, Zigzag32),
    one("zeroCount", 7, Fixed64),
    one("positive", 8, Message(&BUCKETS)),
    one("negative", 9, Message(&BUCKETS)),
    one("flags", 10, U32),
    many("exemplars", 11, Message(&EXEMPLAR)),
    one("min", 12, Double),
    one("max", 13, Double),
    one("zeroThreshold", 14, Double),
]);
static BUCKETS: Table = Table(&[one("offset", 1, Zigzag32), many("bucketCounts", 2, U64)]);
static SUMMARY_POINT: Table = Table(&[
    one("startTimeUnixNano", 2, Fixed64),
    one("timeUnixNano", 3, Fixed64),
    one("count", 4, Fixed64),
    one("sum", 5, Double),
    many("quantileValues", 6, Message(&QUANTILE)),
    many("attributes", 7, Message(&KEY_VALUE)),
    one("flags", 8, U32),
]);
static QUANTILE: Table = Table(&[one("quantile", 1, Double), one("value", 2, Double)]);
static EXEMPLAR: Table = Table(&[
    one("timeUnixNano", 2, Fixed64),
    choice("asDouble", 3, Double),
    one("spanId", 4, SPAN_ID),
    one("traceId", 5, TRACE_ID),
    choice("asInt", 6, Sfixed64),
    many("filteredAttributes", 7, Message(&KEY_VALUE)),
]);

/// `ExportLogsServiceRequest`.
pub(super) static LOGS: Table = Table(&[many("resourceLogs", 1, Message(&RESOURCE_LOGS))]);
static RESOURCE_LOGS: Table =
    Table(&[one("resource", 1, Message(&RESOURCE)), many("scopeLogs", 2, Message(&SCOPE_LOGS)), one("schemaUrl", 3, Text)]);
static SCOPE_LOGS: Table =
    Table(&[one("scope", 1, Message(&SCOPE)), many("logRecords", 2, Message(&LOG_RECORD)), one("schemaUrl", 3, Text)]);
static LOG_RECORD: Table = Table(&[
    one("timeUnixNano", 1, Fixed64),
    one("severityNumber", 2, Kind::Enum(&SEVERITY)),
    one("severityText", 3, Text),
    one("body", 5, Message(&ANY_VALUE)),
    many("attributes", 6, Message(&KEY_VALUE)),
    one("droppedAttributesCount", 7, U32),
    one("flags", 8, Fixed32),
    one("traceId", 9, TRACE_ID),
    one("spanId", 10, SPAN_ID),
    one("observedTimeUnixNano", 11, Fixed64),
    one("eventName", 12, Text),
]);

/// `ExportTraceServiceRequest`.
pub(super) static TRACES: Table = Table(&[many("resourceSpans", 1, Message(&RESOURCE_SPANS))]);
static RESOURCE_SPANS: Table =
    Table(&[one("resource", 1, Message(&RESOURCE)), many("scopeSpans", 2, Message(&SCOPE_SPANS)), one("schemaUrl", 3, Text)]);
static SCOPE_SPANS: Table =
    Table(&[one("scope", 1, Message(&SCOPE)), many("spans", 2, Message(&SPAN)), one("schemaUrl", 3, Text)]);
static SPAN: Table = Table(&[
    one("traceId", 1, TRACE_ID),
    one("spanId", 2, SPAN_ID),
    one("traceState", 3, Text),
    one("parentSpanId", 4, SPAN_ID),
    one("name", 5, Text),
    one("kind", 6, Kind::Enum(&SPAN_KIND)),
    one("startTimeUnixNano", 7, Fixed64),
    one("endTimeUnixNano", 8, Fixed64),
    many("attributes", 9, Message(&KEY_VALUE)),
    one("droppedAttributesCount", 10, U32),
    many("events", 11, Message(&SPAN_EVENT)),
    one("droppedEventsCount", 12, U32),
    many("links", 13, Message(&SPAN_LINK)),
    one("droppedLinksCount", 14, U32),
    one("status", 15, Message(&STATUS)),
    one("flags", 16, Fixed32),
]);
static SPAN_EVENT: Table = Table(&[
    one("timeUnixNano", 1, Fixed64),
    one("name", 2, Text),
    many("attributes", 3, Message(&KEY_VALUE)),
    one("droppedAttributesCount", 4, U32),
]);
static SPAN_LINK: Table = Table(&[
    one("traceId", 1, TRACE_ID),
    one("spanId", 2, SPAN_ID),
    one("traceState", 3, Text),
    many("attributes", 4, Message(&KEY_VALUE)),
    one("droppedAttributesCount", 5, U32),
    one("flags", 6, Fixed32),
]);
static STATUS: Table = Table(&[one("message", 2, Text), one("code", 3, Kind::Enum(&STATUS_CODE))]);
