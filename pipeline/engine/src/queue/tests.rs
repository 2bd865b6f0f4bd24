use bytes::Bytes;
use deferd_component::Signal;
use deferd_config::ByteSize;

use super::*;

fn queue(settings: QueueSettings) -> (Arc<Queue>, Sender) {
    let queue = Queue::new("exporters::x", "logs", settings, &Telemetry::default());
    let sender = Sender::new(&queue);
    (queue, sender)
}

fn batch(items: usize) -> Batch {
    Batch::new(Signal::Logs, Bytes::from(vec![0; 10]), items)
}

fn sized(queue_size: u64, sizer: Sizer) -> QueueSettings {
    QueueSettings { queue_size, sizer, ..QueueSettings::default() }
}

#[tokio::test]
async fn batches_come_out_in_the_order_of_their_commits() {
    let (queue, sender) = queue(sized(3, Sizer::Requests));
    for items in 1..=3 {
        let batch = batch(items);
        sender.try_reserve(Cost::of(&batch)).unwrap().commit(batch).unwrap();
    }
    assert_eq!(sender.try_reserve(Cost::of(&batch(1))).unwrap_err(), NoRoom::Full);
    for items in 1..=3 {
        assert_eq!(queue.next().await.map(|batch| batch.items()), Some(items));
    }
}

#[tokio::test]
async fn reserved_room_counts_until_the_permit_is_dropped() {
    let (_queue, sender) = queue(sized(5, Sizer::Items));
    let permit = sender.try_reserve(Cost::of(&batch(4))).unwrap();
    assert_eq!(sender.try_reserve(Cost::of(&batch(2))).unwrap_err(), NoRoom::Full);
    drop(permit);
    assert!(sender.try_reserve(Cost::of(&batch(5))).is_ok());
    assert_eq!(sender.try_reserve(Cost::of(&batch(6))).unwrap_err(), NoRoom::TooLarge);
}

#[tokio::test]
async fn bytes_bound_the_queue_whatever_the_sizer() {
    let settings = QueueSettings { max_bytes: ByteSize::new(25), ..sized(1000, Sizer::Requests) };
    let (_queue, sender) = queue(settings);
    let first = sender.try_reserve(Cost::of(&batch(1))).unwrap();
    let _second = sender.try_reserve(Cost::of(&batch(1))).unwrap();
    assert_eq!(sender.try_reserve(Cost::of(&batch(1))).unwrap_err(), NoRoom::Full);
    drop(first);
    assert!(sender.try_reserve(Cost::of(&batch(1))).is_ok());
}

#[tokio::test]
async fn a_waiting_sender_gets_the_room_a_consumer_frees() {
    let (queue, sender) = queue(sized(1, Sizer::Requests));
    sender.try_reserve(Cost::of(&batch(1))).unwrap().commit(batch(1)).unwrap();
    let waiting = tokio::spawn(async move {
        let permits = sender.reserve_all(&[Cost::of(&batch(2))]).await?;
        for permit in permits {
            permit.commit(batch(2)).unwrap();
        }
        Ok::<_, NoRoom>(())
    });
    assert_eq!(queue.next().await.map(|batch| batch.items()), Some(1));
    waiting.await.unwrap().unwrap();
    assert_eq!(queue.next().await.map(|batch| batch.items()), Some(2));
    assert!(queue.next().await.is_none(), "no sender is left");
}

#[tokio::test]
async fn a_smaller_capacity_drops_nothing() {
    let (queue, sender) = queue(sized(3, Sizer::Requests));
    for items in 1..=3 {
        sender.try_reserve(Cost::of(&batch(items))).unwrap().commit(batch(items)).unwrap();
    }
    queue.reconfigure(sized(1, Sizer::Requests));
    assert_eq!(sender.try_reserve(Cost::of(&batch(1))).unwrap_err(), NoRoom::Full);
    let held: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|batch| batch.items()).collect();
    assert_eq!(held, [1, 2, 3]);
    assert!(sender.try_reserve(Cost::of(&batch(1))).is_ok());
}

#[tokio::test]
async fn reserved_room_stays_counted_when_the_unit_changes() {
    let (queue, sender) = queue(sized(3, Sizer::Requests));
    let permits = sender.try_reserve_all(&[Cost::of(&batch(5)); 2]).unwrap();
    queue.reconfigure(sized(11, Sizer::Items));
    assert_eq!(sender.try_reserve(Cost::of(&batch(2))).unwrap_err(), NoRoom::Full);
    for permit in permits {
        permit.commit(batch(5)).unwrap();
    }
    queue.reconfigure(sized(3, Sizer::Requests));
    assert_eq!(queue.pop().map(|batch| batch.items()), Some(5));
    let _second = sender.try_reserve(Cost::of(&batch(1))).unwrap();
    let _third = sender.try_reserve(Cost::of(&batch(1))).unwrap();
    assert_eq!(sender.try_reserve(Cost::of(&batch(1))).unwrap_err(), NoRoom::Full);
}

#[tokio::test]
async fn several_batches_get_room_together_or_not_at_all() {
    let (_queue, sender) = queue(sized(3, Sizer::Requests));
    let _one = sender.try_reserve(Cost::of(&batch(1))).unwrap();
    let three = [Cost::of(&batch(1)); 3];
    assert_eq!(sender.try_reserve_all(&three).unwrap_err(), NoRoom::Full);
    assert!(sender.try_reserve_all(&three[..2]).is_ok(), "a failed attempt took nothing");
    assert_eq!(sender.try_reserve_all(&[three[0]; 4]).unwrap_err(), NoRoom::TooLarge);
}
