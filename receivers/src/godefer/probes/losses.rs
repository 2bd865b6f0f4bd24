//! What was seen in processes and could not be told, by reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use deferd_bpf::Usage;
use deferd_component::telemetry::Telemetry;
use deferd_component::{BuildContext, Signal};

/// Why something was not told. The names are label values of `deferd_dropped_items`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The programs record faster than the thread that probes reads.
    RingBufferFull,
    /// There are more places of panics, of all processes, than the programs can count.
    TableFull,
    /// The end of a panic whose beginning is not known.
    Unpaired,
    /// The pipelines take records more slowly than they come.
    QueueFull,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::RingBufferFull => "ring_buffer_full",
            Self::TableFull => "table_full",
            Self::Unpaired => "unpaired",
            Self::QueueFull => "queue_full",
        }
    }

    fn signal(self) -> Signal {
        match self {
            Self::TableFull => Signal::Metrics,
            Self::RingBufferFull | Self::Unpaired | Self::QueueFull => Signal::Logs,
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::RingBufferFull => {
                "records of panics, or samples, came faster than they were read; panics are counted all the same"
            }
            Self::TableFull => {
                "panics at more places than can be counted: those of further places are missing from go.panic.count. \
                 Watch fewer processes with one deferd"
            }
            Self::Unpaired => {
                "panics ended whose beginning was not seen, as when probes come and go: their ends are counted without the place \
                 of the raise, and not recorded"
            }
            Self::QueueFull => "records of panics came faster than the pipelines take them; panics are counted all the same",
        }
    }
}

/// Counts what is lost under the name that all drops of the service have, and explains each reason once.
#[derive(Debug, Clone)]
pub(crate) struct Losses {
    component: String,
    telemetry: Arc<Telemetry>,
    /// What was counted of each slot.
    counted: BTreeMap<u32, Usage>,
}

impl Losses {
    pub(crate) fn new(context: &BuildContext) -> Self {
        Self { component: context.path(), telemetry: Arc::clone(&context.telemetry), counted: BTreeMap::new() }
    }

    /// Counts what the programs lost of a slot since they were last asked.
    pub(super) fn add_usage(&mut self, slot: u32, usage: Usage) {
        let earlier = self.counted.insert(slot, usage).unwrap_or_default();
        let lost = usage.since(&earlier);
        self.add(Reason::RingBufferFull, lost.lost);
        self.add(Reason::TableFull, lost.uncounted);
        self.add(Reason::Unpaired, lost.unpaired);
    }

    /// The slot is to be another's, whose counts begin at 0.
    pub(super) fn forget(&mut self, slot: u32) {
        self.counted.remove(&slot);
    }

    pub(super) fn add(&self, reason: Reason, items: u64) {
        if items == 0 {
            return;
        }
        let labels = vec![
            ("component", self.component.clone()),
            ("signal", reason.signal().as_str().to_owned()),
            ("reason", reason.as_str().to_owned()),
        ];
        let dropped =
            self.telemetry.counter("deferd_dropped_items", "Items that ended without being delivered, by reason", labels);
        if dropped.get() == 0 {
            tracing::warn!(component = self.component, reason = reason.as_str(), "{}", reason.explanation());
        }
        dropped.add(usize::try_from(items).unwrap_or(usize::MAX));
    }
}

#[cfg(test)]
mod tests {
    use deferd_component::testing::context;
    use deferd_component::{ComponentId, Kind};

    use super::*;

    fn losses() -> Losses {
        Losses::new(&context(Kind::Receiver, &"godefer".parse::<ComponentId>().unwrap(), &[Signal::Metrics, Signal::Logs]))
    }

    fn dropped(losses: &Losses, reason: Reason) -> u64 {
        losses.telemetry.total("deferd_dropped_items", ("reason", reason.as_str()))
    }

    #[test]
    fn each_loss_of_the_programs_is_counted_once_and_by_its_reason() {
        let mut losses = losses();
        let first = Usage { lost: 5, unpaired: 2, ..Usage::default() };
        losses.add_usage(3, first);
        losses.add_usage(3, first);
        losses.add_usage(3, Usage { lost: 6, uncounted: 4, ..first });
        losses.add_usage(4, Usage { lost: 10, ..Usage::default() });
        assert_eq!(dropped(&losses, Reason::RingBufferFull), 16);
        assert_eq!(dropped(&losses, Reason::Unpaired), 2);
        assert_eq!(dropped(&losses, Reason::TableFull), 4);
        assert_eq!(dropped(&losses, Reason::QueueFull), 0);
        assert_eq!(losses.telemetry.total("deferd_dropped_items", ("component", "receivers::godefer")), 22);
    }

    #[test]
    fn losses_of_the_next_process_in_a_slot_count_from_their_beginning() {
        let mut losses = losses();
        losses.add_usage(3, Usage { lost: 5, ..Usage::default() });
        losses.forget(3);
        losses.add_usage(3, Usage { lost: 2, ..Usage::default() });
        assert_eq!(dropped(&losses, Reason::RingBufferFull), 7);
    }
}
