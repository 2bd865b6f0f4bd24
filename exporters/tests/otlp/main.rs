//! The OTLP exporter behind its queue: nothing is lost, doubled or uncounted, whatever the backend does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test says what is wrong by panicking")]

mod collector;
mod service;

use std::time::{Duration, Instant};

use deferd_component::RefusalKind;
use deferd_integration::otlp_sink::{Answer, Sink, retry_info};
use service::{Service, until};

/// Retries soon, so that tests do not wait for the default's five seconds.
const SOON: &str = "retry_on_failure: {initial_interval: 50ms, max_interval: 200ms, max_elapsed_time: 0}";

fn to(sink: &Sink, keys: &str) -> String {
    format!("{{endpoint: \"http://{}\", {SOON}, {keys}}}", sink.endpoint())
}

fn points(sink: &Sink) -> usize {
    sink.look(|received| received.points)
}

#[tokio::test]
async fn a_backend_that_is_down_for_a_while_gets_everything_once_it_is_back() {
    let mut sink = Sink::start();
    let mut service = Service::start("down", &[("otlp", &to(&sink, ""))]).await;
    for _ in 0..20 {
        service.send(10).await.unwrap();
    }
    until("the first points are delivered", || service.sent("otlp") == 200).await;
    sink.down();
    for _ in 0..100 {
        service.send(10).await.unwrap();
    }
    let refused = format!("cannot connect to {}: Connection refused (os error 111)", sink.endpoint());
    until("health says what is wrong", || service.complaints("exporters::otlp").get("export_failing") == Some(&refused)).await;
    let begin = Instant::now();
    until("two seconds have passed", || begin.elapsed() > Duration::from_secs(2)).await;
    assert_eq!((points(&sink), service.sent("otlp")), (200, 200));
    sink.up();
    until("everything has arrived", || service.sent("otlp") == 1200).await;
    until("health is good again", || service.complaints("exporters::otlp").is_empty()).await;
    assert_eq!((points(&sink), sink.received().duplicates()), (1200, vec![]));
    assert_eq!(service.stop().await.undelivered, 0);
}

#[tokio::test]
async fn what_overflows_the_queue_is_counted_exactly() {
    let mut sink = Sink::start();
    sink.down();
    let small = to(&sink, "sending_queue: {queue_size: 5, num_consumers: 2}");
    // Beside another exporter that takes everything, what finds no room is dropped for this one alone.
    let mut service = Service::start("overflow", &[("otlp", &small), ("nop", "")]).await;
    for _ in 0..40 {
        service.send(7).await.unwrap();
    }
    let dropped = service.dropped("queue_full");
    assert!((33 * 7..=35 * 7).contains(&dropped), "five wait and up to two are under way, not {dropped} dropped of 280");
    sink.up();
    until("the rest is delivered", || service.sent("otlp") + dropped == 280).await;
    assert_eq!((points(&sink) as u64, service.sent("nop")), (280 - dropped, 280));
    assert_eq!((sink.received().duplicates(), service.dropped("queue_full")), (vec![], dropped));
}

#[tokio::test]
async fn alone_a_full_queue_refuses_and_the_sender_keeps_its_data() {
    let mut sink = Sink::start();
    sink.down();
    let small = to(&sink, "sending_queue: {queue_size: 3, num_consumers: 1}");
    let mut service = Service::start("full", &[("otlp", &small)]).await;
    let mut refused = 0;
    for _ in 0..20 {
        match service.send(1).await {
            Ok(()) => {}
            Err(RefusalKind::QueueFull) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused >= 16, "three wait and one is under way: {refused}");
    sink.up();
    until("the rest is delivered", || service.sent("otlp") + refused == 20).await;
    assert_eq!((service.stop().await.undelivered, points(&sink) as u64), (0, 20 - refused));
}

#[tokio::test]
async fn a_reload_that_changes_something_else_keeps_the_connection() {
    let sink = Sink::start();
    let exporter = to(&sink, "");
    let mut service = Service::start("kept", &[("otlp", &exporter), ("nop", "")]).await;
    service.send(1).await.unwrap();
    until("the first point is there", || points(&sink) == 1).await;
    for round in 2..=10 {
        let other = if round % 2 == 0 { "debug/other" } else { "nop/other" };
        service.reload(&[("otlp", &exporter), (other, "{}")]);
        service.send(1).await.unwrap();
        until("the next point is there", || points(&sink) == round).await;
    }
    assert_eq!(sink.connections(), 1);
    // This exporter's own keys make another connection, and the old one ends.
    service.reload(&[("otlp", &to(&sink, "compression: none"))]);
    service.send(1).await.unwrap();
    until("the last point is there", || points(&sink) == 11).await;
    assert_eq!((sink.connections(), sink.received().duplicates()), (2, vec![]));
    until("the old connection has ended", || sink.open_connections() == 1).await;
    service.stop().await;
    until("the new one has ended too", || sink.open_connections() == 0).await;
}

#[tokio::test]
async fn a_request_under_way_when_its_exporter_changes_ends_where_it_began() {
    let (old, new) = (Sink::start(), Sink::start());
    old.answer(Answer::Hang);
    let mut service = Service::start("under_way", &[("otlp", &to(&old, "timeout: 30s"))]).await;
    service.send(4).await.unwrap();
    until("the request is under way", || old.open_connections() == 1).await;
    service.reload(&[("otlp", &to(&new, "timeout: 30s"))]);
    service.send(3).await.unwrap();
    until("the new one has the next", || points(&new) == 3).await;
    assert_eq!(points(&old), 0, "it hangs still");
    old.answer(Answer::Accept);
    until("the old one has the first", || service.sent("otlp") == 7).await;
    assert_eq!((points(&old), points(&new)), (4, 3));
    until("the old connection has ended", || old.open_connections() == 0).await;
}

#[tokio::test]
async fn another_endpoint_takes_over_the_queue_without_loss_or_duplicate() {
    let (mut old, new) = (Sink::start(), Sink::start());
    let mut service = Service::start("moved", &[("otlp", &to(&old, ""))]).await;
    service.send(3).await.unwrap();
    until("the old one has the first", || service.sent("otlp") == 3).await;
    old.down();
    for _ in 0..50 {
        service.send(3).await.unwrap();
    }
    service.reload(&[("otlp", &to(&new, ""))]);
    for _ in 0..10 {
        service.send(3).await.unwrap();
    }
    until("the new one has the rest", || service.sent("otlp") == 183).await;
    assert_eq!((points(&old), points(&new)), (3, 180));
    assert_eq!(new.received().duplicates(), []);
    assert_eq!((service.stop().await.undelivered, new.connections()), (0, 1));
}

#[tokio::test]
async fn stopping_delivers_what_is_queued() {
    let sink = Sink::start();
    sink.answer(Answer::Slow(Duration::from_millis(20)));
    let slow = to(&sink, "sending_queue: {num_consumers: 1}");
    let mut service = Service::start("drained", &[("otlp", &slow)]).await;
    for _ in 0..40 {
        service.send(5).await.unwrap();
    }
    assert!(points(&sink) < 200, "the test must stop it before it is done");
    assert_eq!(service.stop().await.undelivered, 0);
    // `Slow` is kept as `Accept` once its time has passed.
    assert_eq!((points(&sink), sink.received().duplicates()), (200, vec![]));
}

#[tokio::test]
async fn a_backend_that_hangs_is_given_up_and_said() {
    let sink = Sink::start();
    sink.answer(Answer::Hang);
    let mut service = Service::start("hung", &[("otlp", &to(&sink, "timeout: 200ms"))]).await;
    service.send(5).await.unwrap();
    let text = "no answer within 200ms".to_owned();
    until("health says it", || service.complaints("exporters::otlp").get("export_failing") == Some(&text)).await;
    sink.answer(Answer::Accept);
    until("it is delivered in the end", || service.sent("otlp") == 5).await;
    assert_eq!(sink.connections(), 1, "a request that hangs is no reason to connect again");
}

#[tokio::test]
async fn what_a_backend_rejects_is_counted_apart_and_not_sent_again() {
    let sink = Sink::start();
    sink.answer_next([Answer::Partial { rejected: 4, message: "out of order".into() }, Answer::status(3), Answer::Accept]);
    let mut service = Service::start("partial", &[("otlp", &to(&sink, "sending_queue: {num_consumers: 1}"))]).await;
    service.send(10).await.unwrap();
    until("the partial success is counted", || service.dropped("rejected") == 4).await;
    let said = service.complaints("exporters::otlp");
    assert_eq!(said["partial_success"], format!("{}: partial success: out of order", sink.endpoint()));
    service.send(10).await.unwrap();
    until("the refusal is counted", || service.dropped("rejected") == 14).await;
    service.send(10).await.unwrap();
    until("the rest is delivered", || service.sent("otlp") == 16).await;
    until("health is good again", || service.complaints("exporters::otlp").is_empty()).await;
    assert_eq!(sink.look(|received| received.requests.len()), 3);
}

#[tokio::test]
async fn the_delay_that_a_backend_asks_for_is_waited() {
    let sink = Sink::start();
    let delay = Duration::from_millis(700);
    let details = Some(retry_info(8, delay));
    sink.answer_next([Answer::Status { code: 8, message: String::new(), details }]);
    let mut service = Service::start("throttled", &[("otlp", &to(&sink, ""))]).await;
    service.send(1).await.unwrap();
    until("it is delivered", || service.sent("otlp") == 1).await;
    let times: Vec<Instant> = sink.look(|received| received.requests.iter().map(|request| request.at).collect());
    assert!(times[1] - times[0] >= delay, "{:?}", times[1] - times[0]);
}

#[tokio::test]
async fn without_a_queue_the_sender_learns_the_result() {
    let mut sink = Sink::start();
    sink.answer_next([Answer::status(3)]);
    let none = to(&sink, "sending_queue: {enabled: false}");
    let mut service = Service::start("unqueued", &[("otlp_grpc", &none)]).await;
    assert_eq!(service.send(1).await, Err(RefusalKind::Invalid));
    service.send(1).await.unwrap();
    assert_eq!(points(&sink), 1, "accepted means delivered");
    sink.down();
    let health = service.health();
    let sending = tokio::spawn(async move {
        let result = service.send(1).await;
        (service, result)
    });
    until("sending has failed once", || health.is_degraded("exporters::otlp_grpc", "export_failing")).await;
    assert!(!sending.is_finished(), "it waits");
    sink.up();
    let (service, result) = sending.await.unwrap();
    assert_eq!((result, points(&sink), service.sent("otlp_grpc")), (Ok(()), 2, 2));
}
