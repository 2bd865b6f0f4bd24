use std::sync::Arc;

use bytes::Bytes;
use deferd_component::{QueueSettings, Signal};

use super::*;
use crate::queue::Queue;

const PATIENCE: Duration = Duration::from_millis(50);

struct Setting {
    telemetry: Telemetry,
    queues: Vec<Arc<Queue>>,
    to: Arc<[Sender]>,
}

/// Queues `x0`, `x1`, ... with the given settings.
fn setting(settings: &[QueueSettings]) -> Setting {
    let telemetry = Telemetry::default();
    let named = settings.iter().enumerate();
    let queues: Vec<_> =
        named.map(|(index, settings)| Queue::new(&format!("x{index}"), "logs", settings.clone(), &telemetry)).collect();
    let to = queues.iter().map(Sender::new).collect();
    Setting { telemetry, queues, to }
}

fn holding(queue_size: u64) -> QueueSettings {
    QueueSettings { queue_size, ..QueueSettings::default() }
}

impl Setting {
    fn delivery(&self, items: usize) -> Delivery {
        Delivery { pipeline: 0, batch: Batch::new(Signal::Logs, Bytes::from_static(b"x"), items), to: Arc::clone(&self.to) }
    }

    async fn send(&self, items: usize) -> Result<(), RefusalKind> {
        all_or_none(&self.telemetry, vec![self.delivery(items)], PATIENCE).await.map_err(|refusal| refusal.kind)
    }

    /// Items in each queue, which are empty afterwards.
    fn drain(&self) -> Vec<Vec<usize>> {
        let items = |queue: &Arc<Queue>| std::iter::from_fn(|| queue.pop()).map(|batch| batch.items()).collect();
        self.queues.iter().map(items).collect()
    }

    fn dropped(&self, component: &str) -> u64 {
        self.telemetry.total("deferd_dropped_items", ("component", component))
    }
}

#[tokio::test]
async fn a_full_queue_misses_the_data_alone_and_it_is_counted() {
    let setting = setting(&[holding(10), holding(1)]);
    assert_eq!(setting.send(3).await, Ok(()));
    assert_eq!(setting.send(4).await, Ok(()));
    assert_eq!((setting.dropped("exporters::x0"), setting.dropped("exporters::x1")), (0, 4));
    assert_eq!(setting.drain(), [vec![3, 4], vec![3]]);
}

#[tokio::test]
async fn a_batch_that_no_queue_takes_is_refused_and_nothing_is_enqueued() {
    let setting = setting(&[holding(1), holding(1)]);
    assert_eq!(setting.send(1).await, Ok(()));
    assert_eq!(setting.send(2).await, Err(RefusalKind::QueueFull));
    assert_eq!(setting.drain(), [vec![1], vec![1]]);
    assert_eq!(setting.dropped("exporters::x0"), 0);
}

#[tokio::test]
async fn all_deliveries_of_a_run_are_enqueued_or_none() {
    let setting = setting(&[holding(1)]);
    let deliveries = vec![setting.delivery(1), setting.delivery(2)];
    let refusal = all_or_none(&setting.telemetry, deliveries, PATIENCE).await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::QueueFull);
    assert_eq!(setting.drain(), [Vec::<usize>::new()], "the room reserved for the first was given back");
}

#[tokio::test]
async fn a_pipeline_whose_queue_is_full_misses_what_another_pipeline_takes() {
    let (full, free) = (setting(&[holding(1)]), setting(&[holding(10)]));
    assert_eq!(full.send(1).await, Ok(()));
    let (ack, waiter) = Ack::tracked();
    let mut missing = full.delivery(2);
    drop(missing.batch.replace_ack(ack));
    let deliveries = vec![missing, Delivery { pipeline: 1, ..free.delivery(2) }];
    assert_eq!(all_or_none(&full.telemetry, deliveries, PATIENCE).await, Ok(()));
    assert_eq!((full.drain(), free.drain()), (vec![vec![1]], vec![vec![2]]));
    assert_eq!(full.dropped("exporters::x0"), 2);
    assert_eq!(waiter.outcome().await, Outcome::Accepted, "the drop is counted, and the sender need not send again");
}

#[tokio::test]
async fn a_demanding_queue_that_is_full_refuses_before_anybody_has_the_data() {
    let setting = setting(&[holding(10), QueueSettings { wait_for_result: true, ..holding(1) }]);
    assert_eq!(setting.send(1).await, Ok(()));
    assert_eq!(setting.send(2).await, Err(RefusalKind::QueueFull));
    assert_eq!(setting.drain(), [vec![1], vec![1]]);
}

#[tokio::test]
async fn a_blocking_queue_makes_the_sender_wait_but_not_for_ever() {
    let setting = setting(&[holding(10), QueueSettings { block_on_overflow: true, ..holding(1) }]);
    assert_eq!(setting.send(1).await, Ok(()));
    assert_eq!(setting.send(2).await, Err(RefusalKind::Timeout));
    assert_eq!(setting.drain(), [vec![1], vec![1]]);
}

#[tokio::test]
async fn a_batch_larger_than_every_queue_is_refused_for_good() {
    let items = QueueSettings { sizer: deferd_component::Sizer::Items, ..holding(5) };
    let setting = setting(&[items]);
    assert_eq!(setting.send(6).await, Err(RefusalKind::Invalid));
}

#[tokio::test]
async fn accepted_data_waits_until_there_is_room_and_is_not_lost_by_giving_up() {
    let setting = setting(&[holding(1)]);
    assert_eq!(setting.send(1).await, Ok(()));
    let mut waiting = Some(setting.delivery(2));
    let gave_up = tokio::time::timeout(PATIENCE, eventually(&setting.telemetry, &mut waiting)).await.is_err();
    assert!(gave_up && waiting.is_some(), "whoever stops waiting still has the data");
    let (waited, drained) = tokio::join!(eventually(&setting.telemetry, &mut waiting), async { setting.queues[0].next().await });
    assert_eq!(((), Some(1)), (waited, drained.map(|batch| batch.items())));
    assert_eq!(setting.drain(), [vec![2]]);
}

#[tokio::test]
async fn a_sender_that_waits_for_the_result_learns_what_the_waiting_exporter_said() {
    let setting = setting(&[holding(10), QueueSettings { wait_for_result: true, ..holding(10) }]);
    let (ack, waiter) = Ack::tracked();
    let mut delivery = setting.delivery(1);
    drop(delivery.batch.replace_ack(ack));
    all_or_none(&setting.telemetry, vec![delivery], PATIENCE).await.unwrap();
    drop(setting.queues[0].pop());
    let refused = Outcome::Refused(Refusal::new(RefusalKind::Invalid));
    setting.queues[1].pop().unwrap().resolve(refused);
    assert_eq!(waiter.outcome().await, refused);
}

#[tokio::test(start_paused = true)]
async fn what_a_queue_demands_is_asked_once_whatever_a_reload_changes_meanwhile() {
    for (before, after) in [(true, false), (false, true)] {
        let blocking = |block_on_overflow| QueueSettings { block_on_overflow, ..holding(10) };
        let setting = setting(&[blocking(before), QueueSettings { block_on_overflow: true, ..holding(1) }]);
        assert_eq!(setting.send(1).await, Ok(()));
        let reload = async {
            tokio::time::sleep(PATIENCE / 2).await;
            setting.queues[0].reconfigure(blocking(after));
            drop(setting.queues[1].pop());
        };
        let (sent, ()) = tokio::join!(setting.send(2), reload);
        assert_eq!(sent, Ok(()));
        assert_eq!(setting.drain(), [vec![1, 2], vec![2]], "demanding before: {before}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_runs_with_two_batches_for_one_blocking_queue_do_not_hold_each_other_up() {
    let setting = setting(&[QueueSettings { block_on_overflow: true, ..holding(2) }]);
    assert_eq!(setting.send(1).await, Ok(()));
    let run = || all_or_none(&setting.telemetry, vec![setting.delivery(3), setting.delivery(3)], PATIENCE);
    // The later run is asked first whenever there is room, so that it would get what the earlier one waits for.
    let later = async {
        tokio::time::sleep(PATIENCE / 20).await;
        run().await
    };
    let consumer = async {
        for _ in 0..3 {
            tokio::time::sleep(PATIENCE / 10).await;
            drop(setting.queues[0].pop());
        }
    };
    let (later, earlier, ()) = futures_util::future::join3(later, run(), consumer).await;
    assert_eq!((later, earlier), (Ok(()), Ok(())));
}

#[tokio::test]
async fn waiting_for_an_ordinary_queue_behind_one_that_never_fits_does_not_spin() {
    struct Count(std::sync::atomic::AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let never = QueueSettings { sizer: deferd_component::Sizer::Items, block_on_overflow: true, ..holding(5) };
    let setting = setting(&[never, holding(1)]);
    assert_eq!(setting.send(1).await, Ok(()));
    let count = Arc::new(Count(0.into()));
    let mut waiting = Some(setting.delivery(6));
    let mut future = Box::pin(eventually(&setting.telemetry, &mut waiting));
    let waker = Arc::clone(&count).into();
    assert!(future.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    // What a task asked for by yielding is done by the runtime at its next turn.
    tokio::task::yield_now().await;
    assert_eq!(count.0.load(std::sync::atomic::Ordering::Relaxed), 0, "nothing happened, so nothing is to be looked at again");
    drop(setting.queues[1].pop());
    future.await;
    assert_eq!(setting.drain()[1], [6]);
    assert_eq!(setting.dropped("exporters::x0"), 6);
}
