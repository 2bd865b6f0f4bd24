use deferd_component::{Claims, Stopper};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;

struct Server {
    address: std::net::SocketAddr,
    telemetry: Arc<Telemetry>,
    stopper: Stopper,
    task: JoinHandle<()>,
}

impl Server {
    fn start(pages: impl Handler) -> Self {
        let listener = Claims::default().listen("test", "127.0.0.1:0").unwrap();
        let (address, telemetry, stopper) = (listener.address(), Arc::new(Telemetry::default()), Stopper::new());
        let (shared, stop) = (Arc::clone(&telemetry), stopper.listener());
        let task = tokio::spawn(async move { serve(listener, Arc::new(pages), &shared, stop).await });
        Self { address, telemetry, stopper, task }
    }

    /// What the server says until it closes the connection; what a reset cuts off is missing.
    async fn ask(&self, request: &str) -> String {
        String::from_utf8(self.ask_bytes(request).await).unwrap()
    }

    async fn ask_bytes(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut answer = Vec::new();
        if stream.write_all(request.as_bytes()).await.is_ok() {
            let _ = stream.read_to_end(&mut answer).await;
        }
        answer
    }

    fn rejected(&self) -> u64 {
        self.telemetry.total("deferd_http_rejected_connections", ("address", &self.address.to_string()))
    }
}

fn pages() -> Pages {
    Pages::new().page("/metrics", || async { Page::ok("text/plain", "up 1\n") })
}

#[tokio::test]
async fn pages_are_given_by_path_and_method() {
    let server = Server::start(pages());
    let ask = |line: &'static str| {
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let server = &server;
        async move { server.ask(&request).await }
    };
    let found = ask("GET /metrics?x=1").await;
    assert!(found.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"), "{found}");
    assert!(found.ends_with("\r\n\r\nup 1\n"), "{found}");
    let head = ask("HEAD /metrics").await;
    assert!(head.contains("content-length: 5\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let missing = ask("GET /").await;
    assert!(missing.starts_with("HTTP/1.1 404") && missing.ends_with("not found; there is /metrics\n"), "{missing}");
    let refused = ask("POST /metrics").await;
    assert!(refused.starts_with("HTTP/1.1 405") && refused.contains("allow: GET, HEAD\r\n"), "{refused}");
}

#[tokio::test]
async fn garbage_and_endless_heads_end_only_their_connection() {
    let server = Server::start(pages());
    assert!(server.ask("\u{1}\u{2} nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    let endless = format!("GET /metrics HTTP/1.1\r\nx: {}", "y".repeat(MAX_HEAD));
    assert!(server.ask(&endless).await.starts_with("HTTP/1.1 431"));
    assert!(server.ask("GET /metrics HTTP/1.0\r\n\r\n").await.ends_with("up 1\n"));
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let server = Server::start(pages());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"up 1\n") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed after {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_counted() {
    let server = Server::start(pages());
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        open.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut one_more = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(one_more.read(&mut [0]).await.unwrap_or(0), 0);
    assert_eq!(server.rejected(), 1);
    drop(open);
    // The loop notices closed connections as it goes; until then newcomers are rejected.
    let answered = async { while !server.ask("GET /metrics HTTP/1.0\r\n\r\n").await.ends_with("up 1\n") {} };
    tokio::time::timeout(Duration::from_secs(10), answered).await.unwrap();
}

#[tokio::test]
async fn a_long_page_is_compressed_for_who_asks() {
    use std::io::Read as _;

    let long = "up 1\n".repeat(1_000);
    let page = long.clone();
    let server = Server::start(Pages::new().page("/metrics", move || std::future::ready(Page::ok("text/plain", page.clone()))));
    let answer = server.ask_bytes("GET /metrics HTTP/1.0\r\naccept-encoding: br;q=1, gzip;q=0.5\r\n\r\n").await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let (head, body) = answer.split_at(end);
    assert!(String::from_utf8_lossy(head).contains("content-encoding: gzip\r\n"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(body).read_to_string(&mut text).unwrap();
    assert!(text == long && body.len() < 200, "{} bytes", body.len());
    for header in ["", "accept-encoding: identity\r\n", "accept-encoding: gzip;q=0\r\n"] {
        let answer = server.ask(&format!("GET /metrics HTTP/1.0\r\n{header}\r\n")).await;
        assert!(answer.ends_with(&long) && !answer.contains("content-encoding"), "{header}");
    }
}

#[tokio::test]
async fn a_panic_in_a_handler_ends_only_its_connection() {
    let server = Server::start(pages().page("/panic", || async { panic!("handler") }));
    assert_eq!(server.ask("GET /panic HTTP/1.0\r\n\r\n").await, "");
    assert!(server.ask("GET /metrics HTTP/1.0\r\n\r\n").await.ends_with("up 1\n"));
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way_and_closes_the_rest() {
    let (release, released) = tokio::sync::watch::channel(false);
    let (arrived, mut arrivals) = tokio::sync::mpsc::channel(1);
    let slow = move || {
        let (mut released, arrived) = (released.clone(), arrived.clone());
        async move {
            arrived.send(()).await.unwrap();
            released.wait_for(|released| *released).await.unwrap();
            Page::ok("text/plain", "late\n")
        }
    };
    let server = Server::start(Pages::new().page("/slow", slow));
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    arrivals.recv().await.unwrap();
    server.stopper.stop();
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0, "an idle connection is closed");
    assert!(!server.task.is_finished());
    release.send(true).unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("late\n"), "{answer}");
    tokio::time::timeout(GRACE, server.task).await.unwrap().unwrap();
}

/// Says what came of reading a body of at most 8 bytes.
struct Reader;

impl Handler for Reader {
    async fn handle(&self, request: Request<Body>) -> Response<Full<Bytes>> {
        let read = body::read(request.into_body(), 8, Duration::from_millis(50)).await;
        Page::text(StatusCode::OK, format!("{read:?}")).into_response()
    }
}

#[tokio::test]
async fn a_body_is_read_within_its_bounds() {
    let server = Server::start(Reader);
    for (request, expected) in [
        ("content-length: 8\r\n\r\n12345678", "Ok(b\"12345678\")"),
        ("\r\n", "Ok(b\"\")"),
        ("content-length: 9\r\n\r\n123456789", "Err(TooLarge(8))"),
        ("content-length: 9\r\n\r\n1", "Err(TooLarge(8))"),
        ("content-length: 5\r\n\r\n1", "Err(Slow(50ms))"),
        ("transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n", "Err(TooLarge(8))"),
        ("transfer-encoding: chunked\r\n\r\nx\r\n", "Err(Broken)"),
    ] {
        let answer = server.ask(&format!("POST / HTTP/1.1\r\nconnection: close\r\n{request}")).await;
        assert!(answer.ends_with(expected), "{request:?}: {answer}");
    }
}
