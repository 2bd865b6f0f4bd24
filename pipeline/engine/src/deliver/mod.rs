//! Fan-out into queues: reserve everywhere first, then commit.
//!
//! Exporters fall into two classes. A *demanding* one (`block_on_overflow`, `wait_for_result`) makes the whole batch wait or be
//! refused before anything is enqueued. For an *ordinary* one a full queue drops the data for that exporter alone, counted, while
//! the others get it. If no queue at all takes a batch, nothing was enqueued, so it is refused and sending again cannot duplicate.

use std::time::Duration;

use deferd_component::telemetry::Telemetry;
use deferd_component::{Ack, Batch, Outcome, Refusal, RefusalKind};
use futures_util::future::select_all;
use smallvec::SmallVec;

use crate::graph::Delivery;
use crate::metrics::{count_dropped, count_enqueue_failed};
use crate::queue::{Cost, NoRoom, Permit, Sender};

/// Reserved room for one delivery: the queues that will take it, and those that will miss it.
struct Reservation<'a> {
    cost: Cost,
    demanding: SmallVec<[&'a Sender; 2]>,
    ordinary: SmallVec<[&'a Sender; 2]>,
    granted: SmallVec<[(&'a Sender, Permit); 2]>,
    missed: SmallVec<[(&'a Sender, NoRoom); 2]>,
}

/// Enqueues all deliveries of a run, or none of them. Waits at most `patience` for queues whose sender blocks.
pub(crate) async fn all_or_none(telemetry: &Telemetry, deliveries: Vec<Delivery>, patience: Duration) -> Result<(), Refusal> {
    match reserve_everywhere(&deliveries, patience).await {
        Ok(reservations) => {
            for (delivery, reservation) in deliveries.into_iter().zip(reservations) {
                reservation.commit(telemetry, delivery.batch);
            }
            Ok(())
        }
        Err(kind) => {
            let refusal = Refusal::new(kind);
            for delivery in deliveries {
                delivery.batch.resolve(Outcome::Refused(refusal));
            }
            Err(refusal)
        }
    }
}

async fn reserve_everywhere(deliveries: &[Delivery], patience: Duration) -> Result<Vec<Detached>, RefusalKind> {
    let mut reservations: Vec<_> = deliveries.iter().map(Reservation::new).collect();
    let demanded = tokio::time::timeout(patience, reserve_demanding(&mut reservations)).await;
    demanded.unwrap_or(Err(RefusalKind::Timeout))?;
    for reservation in &mut reservations {
        reservation.reserve_ordinary();
    }
    if let Some(kind) = refusal(deliveries, &reservations) {
        return Err(kind);
    }
    Ok(reservations.into_iter().map(Reservation::detach).collect())
}

/// Why the whole run is refused, if it is. Of several pipelines one that finds no room misses the data, as one queue of several does;
/// but where no pipeline gets all of its part the sender had better keep it.
fn refusal(deliveries: &[Delivery], reservations: &[Reservation<'_>]) -> Option<RefusalKind> {
    let failed = || deliveries.iter().zip(reservations).filter_map(|(delivery, part)| Some((delivery.pipeline, part.failure()?)));
    let fails = |pipeline| failed().any(|(failing, _)| failing == pipeline);
    let (_, kind) = failed().next()?;
    deliveries.iter().all(|delivery| fails(delivery.pipeline)).then_some(kind)
}

/// Enqueues one delivery of accepted data if there is room now, else hands it back.
pub(crate) fn now(telemetry: &Telemetry, delivery: Delivery) -> Result<(), Delivery> {
    let Some(reserved) = reserve_now(&delivery) else { return Err(delivery) };
    reserved.commit(telemetry, delivery.batch);
    Ok(())
}

/// `None` if the delivery has to wait: a demanding queue is full, or every queue is.
fn reserve_now(delivery: &Delivery) -> Option<Detached> {
    let mut reservation = Reservation::new(delivery);
    for sender in std::mem::take(&mut reservation.demanding) {
        match sender.try_reserve(reservation.cost) {
            Ok(permit) => reservation.granted.push((sender, permit)),
            Err(NoRoom::Full) => return None,
            Err(reason) => reservation.missed.push((sender, reason)),
        }
    }
    reservation.reserve_ordinary();
    (reservation.failure() != Some(RefusalKind::QueueFull)).then(|| reservation.detach())
}

/// Enqueues one delivery of accepted data, waiting for room for as long as it takes. `delivery` is `None` once it is enqueued;
/// whoever stops waiting still has it.
pub(crate) async fn eventually(telemetry: &Telemetry, delivery: &mut Option<Delivery>) {
    while let Some(tried) = delivery.take() {
        let Err(back) = now(telemetry, tried) else { return };
        let waiting = delivery.insert(back);
        let cost = Cost::of(&waiting.batch);
        let rooms: Vec<_> = full_queues(waiting).into_iter().map(|sender| Box::pin(sender.wait_for_room(cost))).collect();
        if rooms.is_empty() {
            // Room appeared between the attempt and the look.
            tokio::task::yield_now().await;
        } else {
            select_all(rooms).await;
        }
    }
}

/// What a delivery that found no room has to wait for: the demanding queues that are full, or, if none is, the ordinary ones. A
/// queue that is not full is never waited for: it would be ready at once, over and over.
fn full_queues(delivery: &Delivery) -> SmallVec<[&Sender; 2]> {
    let cost = Cost::of(&delivery.batch);
    let full = delivery.to.iter().filter(|sender| sender.room_for(cost) == Err(NoRoom::Full));
    let (demanding, ordinary): (SmallVec<[_; 2]>, SmallVec<[_; 2]>) = full.partition(|sender| sender.is_demanding());
    if demanding.is_empty() { ordinary } else { demanding }
}

async fn reserve_demanding(reservations: &mut [Reservation<'_>]) -> Result<(), RefusalKind> {
    let mut wanted: Vec<_> = reservations
        .iter()
        .enumerate()
        .flat_map(|(index, reservation)| reservation.demanding.iter().map(move |sender| (index, *sender, reservation.cost)))
        .collect();
    // One order for everybody, and one reservation per queue: two fan-outs that wait for the same queues cannot hold each other up.
    wanted.sort_by_key(|(_, sender, _)| sender.order());
    for of_queue in wanted.chunk_by(|(_, one, _), (_, other, _)| one.order() == other.order()) {
        let Some((_, sender, _)) = of_queue.first() else { continue };
        let costs: SmallVec<[Cost; 2]> = of_queue.iter().map(|(_, _, cost)| *cost).collect();
        let permits = if sender.blocks() { sender.reserve_all(&costs).await } else { sender.try_reserve_all(&costs) };
        for ((index, sender, _), permit) in of_queue.iter().zip(permits.map_err(NoRoom::refusal)?) {
            if let Some(reservation) = reservations.get_mut(*index) {
                reservation.granted.push((sender, permit));
            }
        }
    }
    Ok(())
}

impl<'a> Reservation<'a> {
    /// Nothing reserved yet. What a queue demands is asked here, once: a reload may change it while another queue is waited for.
    fn new(delivery: &'a Delivery) -> Self {
        let (demanding, ordinary) = delivery.to.iter().partition(|sender| sender.is_demanding());
        let cost = Cost::of(&delivery.batch);
        Self { cost, demanding, ordinary, granted: SmallVec::new(), missed: SmallVec::new() }
    }

    fn reserve_ordinary(&mut self) {
        for sender in std::mem::take(&mut self.ordinary) {
            match sender.try_reserve(self.cost) {
                Ok(permit) => self.granted.push((sender, permit)),
                Err(reason) => self.missed.push((sender, reason)),
            }
        }
    }

    /// Why no queue at all takes the delivery, if so.
    fn failure(&self) -> Option<RefusalKind> {
        if !self.granted.is_empty() || self.missed.is_empty() {
            return None;
        }
        let full = self.missed.iter().find(|(_, reason)| *reason == NoRoom::Full);
        full.or_else(|| self.missed.first()).map(|(_, reason)| reason.refusal())
    }

    /// The same without borrowing the delivery, so that its batch can be moved into the queues.
    fn detach(self) -> Detached {
        Detached {
            granted: self.granted.into_iter().map(|(sender, permit)| (permit, sender.waits())).collect(),
            missed: self.missed.into_iter().map(|(sender, reason)| (sender.name().to_owned(), reason)).collect(),
        }
    }
}

struct Detached {
    granted: SmallVec<[(Permit, bool); 2]>,
    missed: SmallVec<[(String, NoRoom); 2]>,
}

impl Detached {
    fn commit(self, telemetry: &Telemetry, batch: Batch) {
        let (signal, items) = (batch.signal(), batch.items());
        // A full queue is a counted drop, and the sender is told "accepted": another pipeline has the data.
        let full = self.missed.iter().any(|(_, reason)| *reason == NoRoom::Full);
        for (exporter, reason) in self.missed {
            count_enqueue_failed(telemetry, &exporter, signal, items);
            count_dropped(telemetry, &format!("exporters::{exporter}"), signal, reason.drop_reason(), items);
        }
        let mut granted = self.granted.into_iter();
        let last = granted.next_back();
        for (permit, waits) in granted {
            commit_one(telemetry, permit, waits, batch.share());
        }
        match last {
            Some((permit, waits)) => commit_one(telemetry, permit, waits, batch),
            None if full => batch.resolve(Outcome::Accepted),
            None => batch.resolve(Outcome::Refused(Refusal::new(RefusalKind::Invalid))),
        }
    }
}

/// With `wait_for_result` the acknowledgement goes on with the data; else being in a bounded queue is the acceptance.
fn commit_one(telemetry: &Telemetry, permit: Permit, waits: bool, mut batch: Batch) {
    if !waits {
        batch.replace_ack(Ack::none()).resolve(Outcome::Accepted);
    }
    if let Err((sender, batch)) = permit.commit(batch) {
        // The exporter gave up between reservation and commit.
        let (path, reason) = (format!("exporters::{}", sender.name()), NoRoom::Closed.drop_reason());
        count_dropped(telemetry, &path, batch.signal(), reason, batch.items());
        batch.resolve(Outcome::Refused(Refusal::new(RefusalKind::ShuttingDown)));
    }
}

#[cfg(test)]
mod tests;
