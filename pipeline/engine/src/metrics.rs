//! Names of the engine's own metrics. Those of the Collector keep its names, so that existing dashboards work.

use deferd_component::telemetry::{Counter, Telemetry};
use deferd_component::{ComponentId, DropReason, Kind, Signal};

/// Counters of one receiver and signal.
#[derive(Debug, Clone)]
pub(crate) struct ReceiverCounters {
    pub(crate) accepted: Counter,
    pub(crate) refused: Counter,
}

impl ReceiverCounters {
    pub(crate) fn new(telemetry: &Telemetry, id: &ComponentId, signal: Signal) -> Self {
        let labels = || vec![("receiver", id.to_string())];
        let (accepted, refused) = match signal {
            Signal::Traces => ("otelcol_receiver_accepted_spans", "otelcol_receiver_refused_spans"),
            Signal::Metrics => ("otelcol_receiver_accepted_metric_points", "otelcol_receiver_refused_metric_points"),
            Signal::Logs => ("otelcol_receiver_accepted_log_records", "otelcol_receiver_refused_log_records"),
            Signal::Profiles => ("otelcol_receiver_accepted_profile_samples", "otelcol_receiver_refused_profile_samples"),
        };
        Self {
            accepted: telemetry.counter(accepted, "Items taken into the pipelines", labels()),
            refused: telemetry.counter(refused, "Items that the pipelines refused; the sender still has them", labels()),
        }
    }
}

/// Counters of one processor or connector instance.
#[derive(Debug, Clone)]
pub(crate) struct StageCounters {
    pub(crate) incoming: Counter,
    pub(crate) outgoing: Counter,
}

impl StageCounters {
    pub(crate) fn processor(telemetry: &Telemetry, id: &ComponentId, signal: Signal) -> Self {
        let labels = || vec![("processor", id.to_string()), ("otel_signal", signal.as_str().to_owned())];
        Self {
            incoming: telemetry.counter("otelcol_processor_incoming_items", "Items given to the processor", labels()),
            outgoing: telemetry.counter("otelcol_processor_outgoing_items", "Items emitted by the processor", labels()),
        }
    }

    pub(crate) fn connector(telemetry: &Telemetry, id: &ComponentId, signal: Signal) -> Self {
        let labels = || vec![("connector", id.to_string()), ("otel_signal", signal.as_str().to_owned())];
        Self {
            incoming: telemetry.counter("otelcol_connector_consumed_items", "Items given to the connector", labels()),
            outgoing: telemetry.counter("otelcol_connector_produced_items", "Items emitted by the connector", labels()),
        }
    }
}

/// Counters of one exporter and signal.
#[derive(Debug, Clone)]
pub(crate) struct ExporterCounters {
    pub(crate) sent: Counter,
    pub(crate) failed: Counter,
}

impl ExporterCounters {
    pub(crate) fn new(telemetry: &Telemetry, id: &ComponentId, signal: Signal) -> Self {
        let labels = || vec![("exporter", id.to_string())];
        let (sent, failed) = match signal {
            Signal::Traces => ("otelcol_exporter_sent_spans", "otelcol_exporter_send_failed_spans"),
            Signal::Metrics => ("otelcol_exporter_sent_metric_points", "otelcol_exporter_send_failed_metric_points"),
            Signal::Logs => ("otelcol_exporter_sent_log_records", "otelcol_exporter_send_failed_log_records"),
            Signal::Profiles => ("otelcol_exporter_sent_profile_samples", "otelcol_exporter_send_failed_profile_samples"),
        };
        Self {
            sent: telemetry.counter(sent, "Items delivered", labels()),
            failed: telemetry.counter(failed, "Items given up on", labels()),
        }
    }
}

/// Counts items that fan-out could not put into this exporter's queue while others took them.
pub(crate) fn count_enqueue_failed(telemetry: &Telemetry, exporter: &str, signal: Signal, items: usize) {
    let name = match signal {
        Signal::Traces => "otelcol_exporter_enqueue_failed_spans",
        Signal::Metrics => "otelcol_exporter_enqueue_failed_metric_points",
        Signal::Logs => "otelcol_exporter_enqueue_failed_log_records",
        Signal::Profiles => "otelcol_exporter_enqueue_failed_profile_samples",
    };
    telemetry.counter(name, "Items that found this exporter's queue full", vec![("exporter", exporter.to_owned())]).add(items);
}

/// Counts dropped items. Every drop of the service goes through here.
pub(crate) fn count_dropped(telemetry: &Telemetry, component: &str, signal: Signal, reason: DropReason, items: usize) {
    let labels =
        vec![("component", component.to_owned()), ("signal", signal.as_str().to_owned()), ("reason", reason.as_str().to_owned())];
    telemetry.counter("deferd_dropped_items", "Items that ended without being delivered, by reason", labels).add(items);
}

/// Items dropped so far for `reason`, whatever the component.
pub(crate) fn dropped_for(telemetry: &Telemetry, reason: DropReason) -> u64 {
    telemetry.total("deferd_dropped_items", ("reason", reason.as_str()))
}

/// `exporters::debug/a`, the name a component has in logs, metrics and errors.
pub(crate) fn component_path(kind: Kind, id: &ComponentId) -> String {
    format!("{}::{id}", kind.section())
}
