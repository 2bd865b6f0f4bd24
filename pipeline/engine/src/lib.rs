//! The pipeline engine: graph, queues, retry, reload, own telemetry.
