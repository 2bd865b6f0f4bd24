//! From a point or a log record to an alert. Pure: everything that is known comes in, everything that is to be said comes out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};

use deferd_component::alert;
use deferd_pdata::attributes::Attributes;
use deferd_pdata::envelope::Resource;
use deferd_pdata::logs::{self, LogRecord};
use deferd_pdata::metrics::{self, Data, Metric, NumberPoint};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::config::Config;
use super::texts::Texts;

/// Attributes of a resource, a point or a record that are looked at.
const MAX_ATTRIBUTES: usize = 128;

/// Attributes of a point that the built-in labels are made of; others become labels by their own names.
const KNOWN: [&str; 6] =
    [alert::NAME, alert::SEVERITY, "code.function.name", "code.file.path", "code.line.number", "go.defer.callee"];

/// What is posted about an alert, without its times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Alert {
    /// Its identity.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) generator_url: String,
}

/// What a point or a record says. Times are nanoseconds since the epoch, 0 if not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Observation {
    /// The series `source` shows the alert, since then.
    Firing { source: u64, alert: Alert, since: u64 },
    /// It does so no longer.
    Resolved { source: u64 },
    /// Something happened, at that time.
    Event { alert: Alert, at: u64 },
}

/// How observations are made.
#[derive(Debug)]
pub(super) struct Observer<'a> {
    pub(super) config: &'a Config,
    pub(super) texts: &'a Texts,
    /// Makes the keys of series, the same over reloads.
    pub(super) keys: &'a RandomState,
}

type Pairs<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// What templates can name.
#[derive(Debug, Default, Serialize)]
pub(super) struct Context<'a> {
    name: Cow<'a, str>,
    severity: Cow<'a, str>,
    service: Cow<'a, str>,
    instance: Cow<'a, str>,
    namespace: Cow<'a, str>,
    site: String,
    function: Cow<'a, str>,
    file: Cow<'a, str>,
    line: Cow<'a, str>,
    callee: Cow<'a, str>,
    pid: Cow<'a, str>,
    host: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<Figure>,
    measure: Cow<'a, str>,
    since: String,
    summary: Cow<'a, str>,
    remediation: Cow<'a, str>,
    attributes: Pairs<'a>,
    resource: Pairs<'a>,
}

/// A measured number: three decimals are more than anybody reads.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
enum Figure {
    Whole(i64),
    Fraction(f64),
}

impl Context<'_> {
    /// The names of its fields.
    pub(super) const NAMES: [&'static str; 20] = [
        "name",
        "severity",
        "service",
        "instance",
        "namespace",
        "site",
        "function",
        "file",
        "line",
        "callee",
        "pid",
        "host",
        "value",
        "threshold",
        "measure",
        "since",
        "summary",
        "remediation",
        "attributes",
        "resource",
    ];
}

impl Observer<'_> {
    /// What the points of the alerts' gauge say, in their order; other metrics say nothing. The request must have passed
    /// `deferd_pdata::validate`.
    pub(super) fn metrics(&self, request: &[u8], mut tell: impl FnMut(Observation)) {
        for resource in metrics::Request::new(request).resources() {
            for metric in resource.scopes().flat_map(|scope| scope.items()).filter(is_ours) {
                if let Data::Gauge(points) = metric.data() {
                    points.for_each(|point| tell(self.point(&resource.resource, &point)));
                }
            }
        }
    }

    /// What the records that a rule has marked say.
    pub(super) fn logs(&self, request: &[u8], mut tell: impl FnMut(Observation)) {
        for resource in logs::Request::new(request).resources() {
            for record in resource.scopes().flat_map(|scope| scope.items()) {
                if record.attributes().get(alert::NAME).is_some() {
                    tell(self.record(&resource.resource, &record));
                }
            }
        }
    }

    fn point(&self, resource: &Resource<'_>, point: &NumberPoint<'_>) -> Observation {
        let (resource, attributes) = (pairs(&resource.attributes()), pairs(&point.attributes()));
        let exemplar = point.exemplars().next();
        let facts = exemplar.map(|exemplar| pairs(&exemplar.filtered_attributes())).unwrap_or_default();
        let source = self.source(&resource, &attributes, &get(&facts, alert::SOURCE));
        let firing = point.value.is_some_and(|value| value.as_f64() > 0.0) && !point.no_recorded_value();
        if !firing {
            return Observation::Resolved { source };
        }
        let mut context = self.context(resource, attributes);
        let mut since = point.time;
        if let Some(exemplar) = exemplar {
            since = get(&facts, alert::SINCE).parse().unwrap_or(since);
            context.value = exemplar.value.map(|value| Figure::new(value.as_f64()));
            context.threshold = get(&facts, alert::THRESHOLD).parse().ok().map(Figure::new);
            context.measure = get(&facts, alert::MEASURE);
            context.summary = get(&facts, alert::SUMMARY);
            context.remediation = get(&facts, alert::REMEDIATION);
        }
        context.since = rfc3339(since);
        let others = context.attributes.iter().filter(|(key, _)| !KNOWN.contains(&&***key));
        let alert = self.texts.alert(&context, others.map(|(key, value)| (&**key, &**value)));
        Observation::Firing { source, alert, since }
    }

    fn record(&self, resource: &Resource<'_>, record: &LogRecord<'_>) -> Observation {
        let mut context = self.context(pairs(&resource.attributes()), pairs(&record.attributes()));
        let at = if record.time == 0 { record.observed_time } else { record.time };
        context.since = rfc3339(at);
        context.summary = get(&context.attributes, alert::SUMMARY);
        if context.summary.is_empty() {
            context.summary = record.body.to_text();
        }
        context.remediation = get(&context.attributes, alert::REMEDIATION);
        let named = self.config.event_labels.iter().filter_map(|key| context.attributes.get_key_value(key.as_str()));
        let alert = self.texts.alert(&context, named.map(|(key, value)| (&**key, &**value)));
        Observation::Event { alert, at }
    }

    fn context<'a>(&self, resource: Pairs<'a>, attributes: Pairs<'a>) -> Context<'a> {
        let mut severity = get(&attributes, alert::SEVERITY);
        if severity.is_empty() && !self.config.severity_attribute.is_empty() {
            severity = get(&attributes, &self.config.severity_attribute);
        }
        if severity.is_empty() {
            severity = Cow::Owned(self.config.severity.clone());
        }
        let (file, line) = (get(&attributes, "code.file.path"), get(&attributes, "code.line.number"));
        let site = if file.is_empty() || line.is_empty() { file.to_string() } else { format!("{file}:{line}") };
        Context {
            name: get(&attributes, alert::NAME),
            severity,
            service: get(&resource, "service.name"),
            instance: get(&resource, "service.instance.id"),
            namespace: first(&resource, &["service.namespace", "k8s.namespace.name"]),
            site,
            function: get(&attributes, "code.function.name"),
            file,
            line,
            callee: get(&attributes, "go.defer.callee"),
            pid: get(&resource, "process.pid"),
            host: first(&resource, &["host.name", "k8s.node.name"]),
            attributes,
            resource,
            ..Context::default()
        }
    }

    /// The series: what the point says of itself, who found it, and the identity of who reports. That is the triplet which OpenTelemetry calls
    /// identifying if it is there, so that a resource may learn more about itself while its alert lasts.
    fn source(&self, resource: &Pairs<'_>, attributes: &Pairs<'_>, finder: &str) -> u64 {
        let mut hasher = self.keys.build_hasher();
        (attributes, finder).hash(&mut hasher);
        if resource.contains_key(alert::INSTANCE) {
            alert::REPORTER.map(|key| get(resource, key)).hash(&mut hasher);
        } else {
            resource.hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn is_ours(metric: &Metric<'_>) -> bool {
    metric.name.as_bytes() == alert::METRIC.as_bytes()
}

fn pairs<'a>(attributes: &Attributes<'a>) -> Pairs<'a> {
    attributes.iter().take(MAX_ATTRIBUTES).map(|(key, value)| (key.to_str_lossy(), value.to_text())).collect()
}

fn get<'a>(pairs: &Pairs<'a>, key: &str) -> Cow<'a, str> {
    pairs.get(key).cloned().unwrap_or_default()
}

fn first<'a>(pairs: &Pairs<'a>, keys: &[&str]) -> Cow<'a, str> {
    keys.iter().map(|key| get(pairs, key)).find(|value| !value.is_empty()).unwrap_or_default()
}

impl Figure {
    fn new(value: f64) -> Self {
        // Casting saturates, and then the comparison fails.
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "compared with what went in")]
        match value as i64 {
            whole if (whole as f64).total_cmp(&value).is_eq() => Self::Whole(whole),
            _ => Self::Fraction((value * 1000.0).round() / 1000.0),
        }
    }
}

/// A time in Alertmanager's form; empty if it is not known.
pub(super) fn rfc3339(nanoseconds: u64) -> String {
    if nanoseconds == 0 {
        return String::new();
    }
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanoseconds));
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}
