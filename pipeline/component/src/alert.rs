//! What the processor that finds alerts and the exporters that send them on have agreed on.
//!
//! An alert travels as a point of one gauge, [`METRIC`]: [`FIRING`] with every batch that still shows the series at fault, and
//! [`RESOLVED`] once, when it no longer does. The point's attributes are the alert's identity and nothing else, so that one alert
//! is one series wherever it is stored; what varies stands in the point's exemplar. The resource is that of the series at fault.

/// The gauge.
pub const METRIC: &str = "deferd.alert.active";
/// The scope it is reported under.
pub const SCOPE: &str = "deferd/threshold";
/// Value of a point whose alert is firing.
pub const FIRING: i64 = 1;
/// Value of a point whose alert has just been resolved.
pub const RESOLVED: i64 = 0;

/// Attribute of a resource that names one running instance. Where it is there, [`REPORTER`] identifies who reports.
pub const INSTANCE: &str = "service.instance.id";
/// Attributes of a resource that identify who reports, as OpenTelemetry has it.
pub const REPORTER: [&str; 3] = ["service.namespace", "service.name", INSTANCE];

/// Attribute of points and log records: the rule's name.
pub const NAME: &str = "alert.name";
/// Attribute of points and log records: `critical`, `high` or `medium`.
pub const SEVERITY: &str = "alert.severity";

/// Attribute of the exemplar: what was measured, `value`, `rate` or `slope`. The exemplar's value is the measured number.
pub const MEASURE: &str = "alert.measure";
/// Attribute of the exemplar: the number that the measured one is compared with.
pub const THRESHOLD: &str = "alert.threshold";
/// Attribute of the exemplar: when the condition first held, in nanoseconds since the epoch.
pub const SINCE: &str = "alert.since";
/// Attribute of the exemplar: who found it. Two processors may find the same, and each speaks for itself alone.
pub const SOURCE: &str = "alert.source";
/// Attribute of the exemplar: what is wrong, for people.
pub const SUMMARY: &str = "alert.summary";
/// Attribute of the exemplar: what to do about it, for people.
pub const REMEDIATION: &str = "alert.remediation";
