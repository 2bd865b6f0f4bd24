//! Keeps a share of log records, and writes down which share. Decisions agree with the Collector's processor, so tiers of both kinds can
//! be mixed; what decides ([`decision`]) knows no signal, so that traces differ only in where an item keeps its sampling information.

mod config;
mod decision;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use deferd_component::{
    Batch, BuildContext, BuildError, DropReason, Metadata, Out, Processor, ProcessorFactory, Refusal, RefusalKind, Refused,
    Signal, Stability,
};
use deferd_pdata::any_value::AnyValue;
use deferd_pdata::edit::{Changes, Verdict};
use deferd_pdata::logs::{self, LogRecord};

pub use config::{AttributeSource, Config, Mode};
use decision::threshold::{Randomness, Threshold};
use decision::{Arriving, Sampler};

/// Attribute of a log record that holds the threshold it passed.
const THRESHOLD: &str = "sampling.threshold";
/// Attribute of a log record that holds the randomness it is decided by.
const RANDOMNESS: &str = "sampling.randomness";

/// Makes samplers.
pub struct Factory;

impl ProcessorFactory for Factory {
    type Config = Config;
    type State = ();
    type Processor = ProbabilisticSampler;

    const METADATA: Metadata = Metadata {
        component_type: "probabilistic_sampler",
        summary: "keeps a share of log records",
        signals: &[Signal::Logs],
        stability: Stability::Alpha,
    };

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<ProbabilisticSampler, BuildError> {
        let (percent, precision) = (config.sampling_percentage, config.sampling_precision);
        let sampler = match config.mode {
            Mode::HashSeed => Sampler::hash(percent, config.hash_seed, config.attribute_source == AttributeSource::TraceId),
            Mode::Equalizing => Sampler::equalizing(percent, precision),
            Mode::Proportional => Sampler::proportional(percent, precision),
        };
        Ok(ProbabilisticSampler { sampler, config })
    }
}

/// A sampler.
#[derive(Debug)]
pub struct ProbabilisticSampler {
    sampler: Sampler,
    config: Config,
}

impl Processor for ProbabilisticSampler {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        match logs::edit(&batch.payload(), |_, _, record| self.verdict(record)) {
            Ok(None) => out.emit(batch),
            Ok(Some(edited)) if edited.kept == 0 => out.drop(batch, DropReason::Sampled),
            Ok(Some(edited)) => {
                out.count_dropped(edited.dropped, DropReason::Sampled);
                out.emit(batch.with_payload(edited.bytes, edited.kept));
            }
            Err(_malformed) => return Err(batch.refuse(Refusal::new(RefusalKind::Invalid))),
        }
        Ok(())
    }
}

impl ProbabilisticSampler {
    fn verdict(&self, record: &LogRecord<'_>) -> Verdict {
        let found = Found::new(record, &self.config);
        let priority = found.priority.and_then(|value| self.priority(&value));
        let attribute = || match found.source? {
            AnyValue::Bytes(bytes) => self.sampler.hash_of(bytes),
            value => self.sampler.hash_of(value.to_text().as_bytes()),
        };
        let decision = self.sampler.decide(found.arriving(), record.trace_id, attribute, priority, self.config.fail_closed);
        if !decision.stays {
            return Verdict::Drop;
        }
        let mut changes = Changes::default();
        if let Some(randomness) = decision.randomness {
            changes.upsert(RANDOMNESS, &randomness.render());
        }
        if let Some(threshold) = decision.threshold {
            changes.upsert(THRESHOLD, &threshold.render());
        }
        if changes.is_empty() { Verdict::Keep } else { Verdict::Change(changes) }
    }

    /// A percentage within 0 and 100, both excluded and included. The Collector ignores any other, 0 among them.
    fn priority(&self, value: &AnyValue<'_>) -> Option<Threshold> {
        let percent = match *value {
            AnyValue::Double(percent) => percent,
            #[expect(clippy::cast_precision_loss, reason = "what is too large to be exact is too large to be a percentage")]
            AnyValue::Int(percent) => percent as f64,
            _ => return None,
        };
        Threshold::from_probability(percent / 100.0, self.config.sampling_precision)
    }
}

/// The attributes of a record that matter, each the first of its key, found in one pass.
#[derive(Default)]
struct Found<'a> {
    threshold: Option<AnyValue<'a>>,
    randomness: Option<AnyValue<'a>>,
    source: Option<AnyValue<'a>>,
    priority: Option<AnyValue<'a>>,
}

impl<'a> Found<'a> {
    fn new(record: &LogRecord<'a>, config: &Config) -> Self {
        let mut found = Self::default();
        for (key, value) in record.attributes().iter() {
            // One attribute may serve several purposes. An empty key of the configuration is none.
            if !key.is_empty() && key == config.from_attribute.as_str() {
                found.source.get_or_insert(value);
            }
            if !key.is_empty() && key == config.sampling_priority.as_str() {
                found.priority.get_or_insert(value);
            }
            if key == THRESHOLD {
                found.threshold.get_or_insert(value);
            } else if key == RANDOMNESS {
                found.randomness.get_or_insert(value);
            }
        }
        found
    }

    /// What is no text, or empty, is not there.
    fn arriving(&self) -> Arriving {
        let text = |value: Option<AnyValue<'a>>| match value {
            Some(AnyValue::Str(text)) if !text.is_empty() => Some(text.as_bytes()),
            _ => None,
        };
        let (threshold, randomness) = (text(self.threshold), text(self.randomness));
        let parsed = (threshold.map(Threshold::parse), randomness.map(Randomness::parse));
        Arriving {
            threshold: parsed.0.flatten(),
            randomness: parsed.1.flatten(),
            malformed: parsed.0 == Some(None) || parsed.1 == Some(None),
        }
    }
}
