//! What becomes of data that the backend does not take, or not in time.

use std::time::Duration;

use deferd_component::{Batch, ExportError, Exporter as _, Signal};
use deferd_integration::otlp_sink::{Answer, Sink, retry_info};

use super::{after, batch, exporter, exporter_to, exporter_with_health};
use crate::otlp::request::MAX_REQUEST;

/// OTLP's table: whether a client sends again, by status, without a delay and with one.
const TABLE: [(u32, &str, bool, bool); 16] = [
    (1, "CANCELLED", true, true),
    (2, "UNKNOWN", false, false),
    (3, "INVALID_ARGUMENT", false, false),
    (4, "DEADLINE_EXCEEDED", true, true),
    (5, "NOT_FOUND", false, false),
    (6, "ALREADY_EXISTS", false, false),
    (7, "PERMISSION_DENIED", false, false),
    (8, "RESOURCE_EXHAUSTED", false, true),
    (9, "FAILED_PRECONDITION", false, false),
    (10, "ABORTED", true, true),
    (11, "OUT_OF_RANGE", true, true),
    (12, "UNIMPLEMENTED", false, false),
    (13, "INTERNAL", false, false),
    (14, "UNAVAILABLE", true, true),
    (15, "DATA_LOSS", true, true),
    (16, "UNAUTHENTICATED", false, false),
];

#[tokio::test]
async fn every_row_of_the_retry_table_holds() {
    let sink = Sink::start();
    let exporter = exporter_to(&sink, "");
    for (code, name, plain, delayed) in TABLE {
        for (details, retryable) in [(None, plain), (Some(retry_info(code, Duration::from_millis(1500))), delayed)] {
            let asked = details.as_ref().map(|_| Duration::from_millis(1500));
            sink.answer_next([Answer::Status { code, message: "no%21".into(), details }]);
            let message = format!("{}: {name}: no!", sink.endpoint());
            let expected =
                if retryable { ExportError::Retryable { message, after: asked } } else { ExportError::Permanent { message } };
            assert_eq!(exporter.export(&batch(1, 5)).await, Err(expected), "{name} {asked:?}");
        }
    }
    assert_eq!(sink.look(|received| (received.requests.len(), received.points)), (32, 0));
    assert_eq!(sink.connections(), 1, "a status is no reason to connect again");
}

#[tokio::test]
async fn partial_success_says_how_many_items_were_not_taken() {
    let message = "bad name\nsecond line".to_owned();
    let Err(ExportError::Partial { rejected, message }) = after(Answer::Partial { rejected: 2, message }).await else {
        panic!("not partial")
    };
    assert_eq!(rejected, 2);
    assert!(message.ends_with(": partial success: bad name\\nsecond line"), "{message}");
    let beyond = after(Answer::Partial { rejected: i64::MAX, message: String::new() }).await;
    assert!(matches!(beyond, Err(ExportError::Partial { rejected: 5, .. })), "{beyond:?}");
    for rejected in [0, -1, i64::MIN] {
        assert_eq!(after(Answer::Partial { rejected, message: "a warning".into() }).await, Ok(()));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_otlp_is_permanent_and_says_what_it_is() {
    let garbage = [
        (Answer::Garbage(vec![], "identity"), "not one whole gRPC message"),
        (Answer::Garbage(vec![0, 0, 0, 0, 1, 0xff], "identity"), "the field is cut off"),
        (Answer::Garbage(vec![1, 0, 0, 0, 1, 0xff], "gzip"), "not readable as gzip"),
        (Answer::Garbage(vec![1, 0, 0, 0, 1, 0xff], "br"), "compressed in an unknown way"),
        (Answer::Garbage(vec![0; (4 << 20) + 6], "identity"), "the answer is larger than 4194304 bytes"),
        (Answer::Http(404), "UNIMPLEMENTED: answered with HTTP status 404 Not Found instead of gRPC"),
        (Answer::Http(200), "not a gRPC server: it answered with content type \"text/html\""),
        (Answer::status(99), "UNKNOWN: as told"),
    ];
    for (answer, what) in garbage {
        match after(answer).await {
            Err(ExportError::Permanent { message }) => assert!(message.contains(what), "{message}, not {what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_malformed_status_neither_panics_nor_delays() {
    let details = Some("%%% not base64 %%%".to_owned());
    let error = after(Answer::Status { code: 14, message: "%FF%00%zz".into(), details }).await.unwrap_err();
    let ExportError::Retryable { message, after: None } = error else { panic!("{error:?}") };
    assert!(message.ends_with("UNAVAILABLE: \u{fffd}\\u{0}%zz"), "{message}");
}

#[tokio::test]
async fn what_broke_before_a_status_came_is_sent_again() {
    for (answer, what) in [(Answer::Cut, "ended without a status"), (Answer::Http(503), "HTTP status 503")] {
        match after(answer).await {
            Err(ExportError::Retryable { message, .. }) => assert!(message.contains(what), "{message}, not {what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_request_over_64_mib_is_not_sent() {
    let sink = Sink::start();
    let exporter = exporter_to(&sink, "compression: none");
    let large = Batch::new(Signal::Metrics, vec![0; MAX_REQUEST + 1].into(), 1);
    let error = exporter.export(&large).await.unwrap_err();
    let text = format!("{}: a request of 67108865 bytes is not sent; OTLP allows 67108864", sink.endpoint());
    assert_eq!(error, ExportError::permanent(text));
    assert_eq!(exporter.export(&Batch::empty(Signal::Metrics)).await, Ok(()), "an empty one need not be");
    assert_eq!(sink.connections(), 0);
}

#[tokio::test]
async fn nobody_there_is_one_clear_line_and_no_storm_of_attempts() {
    let mut sink = Sink::start();
    sink.down();
    let exporter = exporter_to(&sink, "");
    let expected = format!("cannot connect to {}: Connection refused (os error 111)", sink.endpoint());
    for _ in 0..3 {
        assert_eq!(exporter.export(&batch(1, 1)).await, Err(ExportError::retryable(&*expected)));
    }
    sink.up();
    // Within the pause after a failure nothing is tried, so this takes a moment.
    while let Err(error) = exporter.export(&batch(1, 1)).await {
        assert_eq!(error, ExportError::retryable(&*expected));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(sink.connections(), 1);
    let nowhere = super::exporter("{endpoint: \"http://no-such-host.invalid:4317\"}").export(&batch(1, 1)).await.unwrap_err();
    assert!(
        nowhere.to_string().starts_with("cannot connect to no-such-host.invalid:4317: failed to lookup address"),
        "{nowhere}"
    );
}

#[tokio::test]
async fn an_http_1_server_is_not_mistaken_for_a_backend() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let error = exporter(&format!("{{endpoint: \"http://{endpoint}\"}}")).export(&batch(1, 1)).await.unwrap_err();
    assert!(matches!(error, ExportError::Retryable { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!("{endpoint}: ")), "{error}");
    drop(server.await);
}

#[tokio::test]
async fn wait_for_ready_waits_for_the_backend_and_says_so() {
    let mut sink = Sink::start();
    sink.down();
    let body = format!("{{endpoint: \"http://{}\", wait_for_ready: true}}", sink.endpoint());
    let (exporter, health) = exporter_with_health(&body);
    let sent = tokio::spawn(async move { exporter.export(&batch(1, 3)).await });
    while !health.is_degraded("exporters::otlp", "export_failing") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sink.up();
    assert_eq!(sent.await.unwrap(), Ok(()));
    assert_eq!(sink.look(|received| received.points), 3);
}
