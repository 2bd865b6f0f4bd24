//! Drops metrics by name. Reads through views and cuts what goes out of the bytes; what stays is never rebuilt.

mod config;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use deferd_component::{
    Batch, BuildContext, BuildError, DropReason, Metadata, Out, Processor, ProcessorFactory, Refusal, RefusalKind, Refused,
    Signal, Stability,
};
use deferd_pdata::metrics;
use regex::bytes::RegexSet;

pub use config::{Config, ErrorMode, MatchType, Metrics, Names};

/// Makes filters.
pub struct Factory;

impl ProcessorFactory for Factory {
    type Config = Config;
    type State = ();
    type Processor = Filter;

    const METADATA: Metadata = Metadata {
        component_type: "filter",
        summary: "drops metrics by name",
        signals: &[Signal::Metrics],
        stability: Stability::Alpha,
    };

    fn build(config: Config, _: Arc<()>, _: &BuildContext) -> Result<Filter, BuildError> {
        let set = |names: &Option<Names>| names.as_ref().map(NameSet::new).transpose();
        Ok(Filter { include: set(&config.metrics.include)?, exclude: set(&config.metrics.exclude)? })
    }
}

/// A filter.
#[derive(Debug)]
pub struct Filter {
    include: Option<NameSet>,
    exclude: Option<NameSet>,
}

impl Processor for Filter {
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), Box<Refused>> {
        match metrics::retain(&batch.payload(), |_, _, metric| self.keeps(metric.name.as_bytes())) {
            Ok(None) => out.emit(batch),
            Ok(Some(edited)) if edited.kept == 0 => out.drop(batch, DropReason::Filtered),
            Ok(Some(edited)) => {
                out.count_dropped(edited.dropped, DropReason::Filtered);
                out.emit(batch.with_payload(edited.bytes, edited.kept));
            }
            Err(_malformed) => return Err(batch.refuse(Refusal::new(RefusalKind::Invalid))),
        }
        Ok(())
    }
}

impl Filter {
    fn keeps(&self, name: &[u8]) -> bool {
        self.include.as_ref().is_none_or(|names| names.contains(name))
            && !self.exclude.as_ref().is_some_and(|names| names.contains(name))
    }
}

/// Names to be looked up.
#[derive(Debug)]
enum NameSet {
    Strict(HashSet<Vec<u8>>),
    Regexp(RegexSet),
}

impl NameSet {
    fn new(names: &Names) -> Result<Self, BuildError> {
        Ok(match names.match_type {
            MatchType::Strict => Self::Strict(names.metric_names.iter().map(|name| name.clone().into_bytes()).collect()),
            MatchType::Regexp => {
                let set = RegexSet::new(&names.metric_names);
                // Each expression was validated; together they can still be too large.
                Self::Regexp(set.map_err(|error| BuildError::Unavailable(format!("`metric_names`: {error}")))?)
            }
        })
    }

    fn contains(&self, name: &[u8]) -> bool {
        match self {
            Self::Strict(names) => names.contains(name),
            Self::Regexp(set) => set.is_match(name),
        }
    }
}
