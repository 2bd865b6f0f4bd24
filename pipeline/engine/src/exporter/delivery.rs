//! Moving batches from a queue to its exporter: concurrency, timeouts, retries, and an account of every item.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use deferd_component::{Batch, DropReason, ExportError, Outcome, Refusal, RefusalKind, Stop};
use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::{Instance, Shared, unless};
use crate::metrics::count_dropped;

/// Runs until the queue has ended and everything is delivered, or until `give_up`; then what is left is counted as dropped.
pub(super) async fn work(shared: Arc<Shared>, give_up: Stop) {
    let mut exports = JoinSet::new();
    while let Some(Some(batch)) = unless(&give_up, shared.queue.next()).await {
        let limit = shared.instance().settings.queue.num_consumers as usize;
        if limit <= 1 && exports.is_empty() {
            // One at a time needs no task of its own, and keeps the order.
            deliver(&shared, batch, &give_up).await;
            continue;
        }
        while exports.len() >= limit.max(1) {
            exports.join_next().await;
        }
        let (shared, give_up) = (Arc::clone(&shared), give_up.clone());
        exports.spawn(async move { deliver(&shared, batch, &give_up).await });
    }
    while exports.join_next().await.is_some() {}
    shared.queue.close();
    while let Some(batch) = shared.queue.pop() {
        abandon(&shared, batch);
    }
}

/// Why an attempt did not deliver.
enum Failure {
    Export(ExportError),
    Panicked,
}

async fn deliver(shared: &Shared, batch: Batch, give_up: &Stop) {
    let started = Instant::now();
    let mut backoff = Backoff::new(&shared.instance().settings.retry);
    loop {
        let instance = shared.instance();
        let Some(result) = unless(give_up, attempt(&instance, &batch)).await else { return abandon(shared, batch) };
        let (message, after) = match result {
            Ok(()) => {
                shared.recover("partial_success");
                return succeed(shared, batch, 0);
            }
            Err(Failure::Export(ExportError::Partial { rejected, message })) => {
                let rejected = rejected.min(batch.items());
                lose_a_part(shared, rejected, &message);
                return succeed(shared, batch, rejected);
            }
            Err(Failure::Export(ExportError::Retryable { message, after })) => (message, after),
            Err(Failure::Export(ExportError::Permanent { message })) => {
                return fail(shared, batch, DropReason::Rejected, RefusalKind::Invalid, &message);
            }
            Err(Failure::Panicked) => {
                return fail(shared, batch, DropReason::Panicked, RefusalKind::Internal, "the exporter panicked");
            }
        };
        let wait = backoff.next(&instance.settings.retry, after, started.elapsed(), fastrand::f64());
        let Some(wait) = wait else {
            return fail(shared, batch, DropReason::RetriesExhausted, RefusalKind::Timeout, &message);
        };
        if shared.health.degrade(&shared.path, "export_failing", &message) {
            tracing::warn!(component = shared.path, error = message, "Exporting failed. Will retry the request after interval.");
        }
        if unless(give_up, tokio::time::sleep(wait)).await.is_none() {
            return abandon(shared, batch);
        }
    }
}

async fn attempt(instance: &Instance, batch: &Batch) -> Result<(), Failure> {
    let timeout = instance.settings.timeout;
    // Called inside, where a panic before the first await is caught too.
    let export = tokio::time::timeout(timeout, async { instance.exporter.export(batch).await });
    match AssertUnwindSafe(export).catch_unwind().await {
        Ok(Ok(result)) => result.map_err(Failure::Export),
        Ok(Err(_elapsed)) => Err(Failure::Export(ExportError::retryable(format!("no answer within {timeout:?}")))),
        Err(_panic) => Err(Failure::Panicked),
    }
}

/// Delivered, but for `rejected` items that are accounted for already.
fn succeed(shared: &Shared, batch: Batch, rejected: usize) {
    shared.counters.sent.add(batch.items().saturating_sub(rejected));
    batch.resolve(Outcome::Accepted);
    for reason in ["export_failing", "export_failed"] {
        shared.recover(reason);
    }
}

/// The destination took the rest.
fn lose_a_part(shared: &Shared, rejected: usize, message: &str) {
    shared.counters.failed.add(rejected);
    count_dropped(&shared.telemetry, &shared.path, shared.signal, DropReason::Rejected, rejected);
    if shared.health.degrade(&shared.path, "partial_success", message) {
        tracing::warn!(component = shared.path, error = message, dropped_items = rejected, "Partial success response.");
    }
}

fn fail(shared: &Shared, batch: Batch, reason: DropReason, refusal: RefusalKind, message: &str) {
    let items = batch.items();
    shared.counters.failed.add(items);
    count_dropped(&shared.telemetry, &shared.path, shared.signal, reason, items);
    if shared.health.degrade(&shared.path, "export_failed", message) {
        tracing::error!(component = shared.path, error = message, dropped_items = items, "Exporting failed. Dropping data.");
    }
    batch.resolve(Outcome::Refused(Refusal::new(refusal)));
}

/// The deadline has passed with the batch undelivered.
fn abandon(shared: &Shared, batch: Batch) {
    shared.counters.failed.add(batch.items());
    count_dropped(&shared.telemetry, &shared.path, shared.signal, DropReason::DrainDeadline, batch.items());
    batch.resolve(Outcome::Refused(Refusal::new(RefusalKind::ShuttingDown)));
}
