//! Classifies: which series pass which limit, for how long, and how bad that is.
//!
//! Data points and what they mean are left alone: an attribute added to a point would make another series of it. Instead the batch
//! that shows a series at fault gets further points, of the gauge [`deferd_component::alert`] describes. What a rule needs to
//! remember of a series is in the [`State`], so that a reload changes rules under a running alert without ending it.
//!
//! Reads through views; of a point that no rule looks at only the metric's name is read.

mod clock;
mod condition;
mod config;
mod decide;
mod judge;
mod key;
mod log_rule;
mod names;
mod notice;
mod pack;
mod report;
mod rule;
mod state;
mod sum;
mod sweep;
#[cfg(test)]
mod tests;
mod text;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use deferd_component::{
    Batch, BuildContext, BuildError, Farewell, Metadata, Out, Processor, ProcessorFactory, Refusal, RefusalKind, Refused, Signal,
    Stability,
};
use deferd_pdata::metrics::count_points;

pub use config::{Config, Escalation, Include, Measure, Rule, RuleFile, Severity};
pub use log_rule::LogRule;
pub use pack::pack_text;
pub use state::State;

use judge::{Judge, Limits, Verdict};
use log_rule::LogRules;
use report::Report;
use rule::RuleSet;

/// How often it is looked for series that are gone and rules that are no more.
const TICK: Duration = Duration::from_secs(1);

/// Makes threshold processors.
pub struct Factory;

impl ProcessorFactory for Factory {
    type Config = Config;
    type State = State;
    type Processor = Threshold;

    const METADATA: Metadata = Metadata {
        component_type: "threshold",
        summary: "finds series that pass limits and says so in a gauge; marks log records",
        signals: &[Signal::Metrics, Signal::Logs],
        stability: Stability::Alpha,
    };

    fn build(config: Config, state: Arc<State>, context: &BuildContext) -> Result<Threshold, BuildError> {
        let rules = RuleSet::new(config.effective_rules(), &state.names)?;
        let report = Report::new(context, &rules);
        let pipeline = context.pipeline.as_ref().map(ToString::to_string).unwrap_or_default();
        state.set_source(|| format!("{pipeline} {}", context.id));
        Ok(Threshold {
            log_rules: LogRules::new(config.effective_log_rules(), &context.telemetry, &context.id)?,
            limits: Limits { series: config.max_series, alerts_per_rule: config.max_alerts_per_rule },
            stale_after: config.stale_after.get(),
            generation: state.next_generation(),
            ticks: AtomicU64::new(0),
            rules,
            state,
            report,
        })
    }

    /// A rule that is gone has no alerts. A service that ends takes nothing back: who comes after it goes on with its alerts, and if
    /// nobody does they run out where they were sent to.
    fn drain(state: &State, why: Farewell, out: &mut Out) {
        if why == Farewell::Removed {
            emit(&sweep::everything(state, now()), state, out);
        }
    }
}

/// A threshold processor.
#[derive(Debug)]
pub struct Threshold {
    rules: RuleSet,
    log_rules: LogRules,
    limits: Limits,
    stale_after: Duration,
    state: Arc<State>,
    generation: u64,
    ticks: AtomicU64,
    report: Report,
}

impl Processor for Threshold {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        match batch.signal() {
            Signal::Metrics => self.metrics(batch, out),
            Signal::Logs => self.logs(batch, out),
            Signal::Traces | Signal::Profiles => {
                out.emit(batch);
                Ok(())
            }
        }
    }

    fn tick_interval(&self) -> Option<Duration> {
        Some(TICK)
    }

    fn tick(&self, now: Instant, out: &mut Out) {
        if !self.state.is_current(self.generation) {
            return;
        }
        let time = self::now();
        let repeated: Vec<_> = self.state.take_endings().into_iter().map(|notice| notice::Notice { time, ..notice }).collect();
        emit(&repeated, &self.state, out);
        // The first time, what a reload has left behind; later, what has become stale.
        let ticks = self.ticks.fetch_add(1, Ordering::Relaxed);
        if ticks == 0 || ticks.is_multiple_of(sweep::EVERY) {
            let swept = sweep::stale(&self.state, &self.rules, self.generation, self.stale_after, now, time);
            self.report.swept(&self.state, &swept);
            emit(&swept.notices, &self.state, out);
        }
    }
}

impl Threshold {
    fn metrics(&self, mut batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        // What is malformed is not judged in part: views would end early.
        if batch.chunks().iter().any(|chunk| count_points(chunk).is_err()) {
            return Err(batch.refuse(Refusal::new(RefusalKind::Invalid)));
        }
        if self.state.is_current(self.generation) {
            let mut verdict = self.judge(&batch);
            self.state.remember_endings(std::mem::take(&mut verdict.endings));
            self.report.judged(&self.state, &verdict, &self.rules);
            if let Some(alerts) = notice::batch(&verdict.notices, self.state.source())
                && let Err(error) = batch.merge(alerts)
            {
                // Both are metrics, so this does not happen; if it did, the alerts would go alone.
                out.emit(*error.rejected);
            }
        }
        out.emit(batch);
        Ok(())
    }

    fn judge(&self, batch: &Batch) -> Verdict {
        let mut judge = Judge {
            rules: &self.rules,
            state: &self.state,
            generation: self.generation,
            limits: self.limits,
            now: Instant::now(),
            time: now(),
            place: (0, 0),
            verdict: Verdict::default(),
        };
        for chunk in batch.chunks() {
            judge.request(chunk);
        }
        judge.verdict
    }

    fn logs(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        match self.log_rules.mark(&batch) {
            Ok(None) => out.emit(batch),
            Ok(Some(marked)) => {
                let items = batch.items();
                out.emit(batch.with_payload(marked, items));
            }
            Err(_malformed) => return Err(batch.refuse(Refusal::new(RefusalKind::Invalid))),
        }
        Ok(())
    }
}

fn emit(notices: &[notice::Notice], state: &State, out: &mut Out) {
    if let Some(batch) = notice::batch(notices, state.source()) {
        out.emit(batch);
    }
}

/// Nanoseconds since the epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
