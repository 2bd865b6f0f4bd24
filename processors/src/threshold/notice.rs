//! Alerts as they leave: points of one gauge.

use std::sync::Arc;

use deferd_component::{Batch, Signal, alert};
use deferd_pdata::build::{EncodedAttributes, Exemplar, MetricsBuilder, MetricsScope, NumberPoint, Value};

use super::config::Severity;

/// Everything that is said about an alert that fires. Kept with the condition, so that its end can be told when nothing is known of
/// the series any more.
#[derive(Debug, Clone)]
pub(super) struct Alert {
    pub(super) name: Arc<str>,
    pub(super) severity: Severity,
    /// Attributes of the resource at fault.
    pub(super) resource: Arc<EncodedAttributes>,
    /// Attributes of the series at fault.
    pub(super) labels: Arc<EncodedAttributes>,
    /// Nanoseconds since the epoch.
    pub(super) since: u64,
    pub(super) value: f64,
    pub(super) threshold: f64,
    pub(super) measure: &'static str,
    pub(super) summary: String,
    pub(super) remediation: String,
}

/// One point to be sent: that an alert fires, or that it has ended.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) alert: Alert,
    pub(super) firing: bool,
    /// Nanoseconds since the epoch.
    pub(super) time: u64,
}

/// The batch that carries these notices of `source`, in their order; `None` if there are none.
pub(super) fn batch(notices: &[Notice], source: &str) -> Option<Batch> {
    if notices.is_empty() {
        return None;
    }
    let mut request = MetricsBuilder::default();
    for of_resource in notices.chunk_by(|one, other| one.alert.resource.as_bytes() == other.alert.resource.as_bytes()) {
        let Some(first) = of_resource.first() else { continue };
        request.resource(first.alert.resource.as_ref(), |resource| {
            resource.scope(alert::SCOPE, env!("CARGO_PKG_VERSION"), |scope| write(scope, of_resource, source));
        });
    }
    let items = request.count_points();
    Some(Batch::new(Signal::Metrics, request.finish(), items))
}

fn write(scope: &mut MetricsScope<'_>, notices: &[Notice], source: &str) {
    scope.gauge(alert::METRIC, "1 while an alert fires, 0 once when it has ended", "{alert}", |points| {
        for Notice { alert, firing, time } in notices {
            let mut identity = EncodedAttributes::new(&[
                (alert::NAME, Value::from(&*alert.name)),
                (alert::SEVERITY, alert.severity.as_str().into()),
            ]);
            identity.extend(alert.labels.view());
            let facts = [
                (alert::MEASURE, Value::from(alert.measure)),
                (alert::THRESHOLD, alert.threshold.into()),
                (alert::SINCE, i64::try_from(alert.since).unwrap_or(i64::MAX).into()),
                (alert::SOURCE, source.into()),
                (alert::SUMMARY, alert.summary.as_str().into()),
                (alert::REMEDIATION, alert.remediation.as_str().into()),
            ];
            let exemplars = [Exemplar {
                value: alert.value.into(),
                time: *time,
                trace_id: None,
                span_id: None,
                filtered_attributes: (&facts).into(),
            }];
            let value = if *firing { alert::FIRING } else { alert::RESOLVED };
            points.add(&NumberPoint { exemplars: &exemplars, ..NumberPoint::new(&identity, *time, value) });
        }
    });
}
