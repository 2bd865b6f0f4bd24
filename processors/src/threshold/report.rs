//! What the processor says about itself: metrics, health, log lines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deferd_component::BuildContext;
use deferd_component::telemetry::{Counter, Gauge, Health, Labels};

use super::judge::Verdict;
use super::names::NameId;
use super::rule::RuleSet;
use super::state::State;
use super::sweep::Swept;

const TOO_MANY_SERIES: &str = "too_many_series";
const TOO_MANY_ALERTS: &str = "too_many_alerts";

/// The processor's voice.
#[derive(Debug)]
pub(super) struct Report {
    path: String,
    health: Arc<Health>,
    judged: Counter,
    rejected: Counter,
    suppressed: Counter,
    series: Gauge,
    alerts: Gauge,
    series_of_rule: BTreeMap<NameId, Gauge>,
    /// Whether a series found no room since the last sweep.
    crowded: AtomicBool,
}

impl Report {
    pub(super) fn new(context: &BuildContext, rules: &RuleSet) -> Self {
        let telemetry = &context.telemetry;
        let labels = || -> Labels {
            let pipeline = context.pipeline.as_ref().map(ToString::to_string).unwrap_or_default();
            vec![("processor", context.id.to_string()), ("pipeline", pipeline)]
        };
        let of_rule = |name: &str| {
            let labels = labels().into_iter().chain([("rule", name.to_owned())]).collect();
            telemetry.gauge(
                "deferd_threshold_rule_series",
                "Series that the rule looks at; 0 means that it can never fire",
                labels,
            )
        };
        Self {
            path: context.path(),
            health: Arc::clone(&context.health),
            judged: telemetry.counter("deferd_threshold_judged_points", "Points that a rule has looked at", labels()),
            rejected: telemetry.counter(
                "deferd_threshold_rejected_points",
                "Points that were not judged because `max_series` series are watched already",
                labels(),
            ),
            suppressed: telemetry.counter(
                "deferd_threshold_suppressed_alerts",
                "Alerts that did not fire because `max_alerts_per_rule` of the rule fire already",
                labels(),
            ),
            series: telemetry.gauge("deferd_threshold_series", "Series that are watched", labels()),
            alerts: telemetry.gauge("deferd_threshold_firing_alerts", "Alerts that fire", labels()),
            series_of_rule: rules.iter().map(|rule| (rule.id, of_rule(&rule.config.name))).collect(),
            crowded: AtomicBool::new(false),
        }
    }

    /// After a batch.
    pub(super) fn judged(&self, state: &State, verdict: &Verdict, rules: &RuleSet) {
        self.judged.add(verdict.judged);
        self.rejected.add(verdict.rejected);
        self.suppressed.add(verdict.suppressed.len());
        self.show(state);
        if verdict.rejected > 0 {
            self.crowded.store(true, Ordering::Relaxed);
            self.degrade(TOO_MANY_SERIES, "more series than `max_series` match a rule: further ones are not judged");
        }
        if let Some(rule) = verdict.suppressed.first().and_then(|index| rules.get(*index)) {
            let name = &rule.config.name;
            let text = format!("rule {name} fires for more series than `max_alerts_per_rule`: further alerts wait");
            self.degrade(TOO_MANY_ALERTS, &text);
        }
    }

    /// After a sweep, which tells what is over.
    pub(super) fn swept(&self, state: &State, swept: &Swept) {
        self.show(state);
        for (rule, gauge) in &self.series_of_rule {
            #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 series")]
            gauge.set(swept.series_of_rule.get(rule).copied().unwrap_or_default() as f64);
        }
        let over = [(TOO_MANY_SERIES, !self.crowded.swap(false, Ordering::Relaxed)), (TOO_MANY_ALERTS, swept.suppressed == 0)];
        for (reason, _) in over.into_iter().filter(|(_, over)| *over) {
            if self.health.recover(&self.path, reason) {
                tracing::info!(component = self.path, reason, "this is over");
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 of them")]
    fn show(&self, state: &State) {
        self.series.set(state.count_series() as f64);
        self.alerts.set(state.count_alerts() as f64);
    }

    fn degrade(&self, reason: &str, text: &str) {
        if self.health.degrade(&self.path, reason, text) {
            tracing::warn!(component = self.path, "{text}");
        }
    }
}
