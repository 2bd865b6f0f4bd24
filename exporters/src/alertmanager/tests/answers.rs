//! Servers that are down, slow, wrong, and back again.

use tokio::net::TcpListener;

use super::server::{Answer, EAGER, Running, Server};
use super::*;

fn fires(severity: &str) -> (String, String, bool) {
    ("defer_leak".to_owned(), severity.to_owned(), true)
}

fn ended(severity: &str) -> (String, String, bool) {
    ("defer_leak".to_owned(), severity.to_owned(), false)
}

async fn arrive(server: &Server, count: usize) -> Vec<(String, String, bool)> {
    let alerts = || Some(server.alerts()).filter(|alerts| alerts.len() >= count);
    eventually("alerts", alerts).await
}

#[tokio::test]
async fn an_alert_is_posted_as_alertmanager_wants_it() {
    let server = Server::start().await;
    let body = "headers: {X-Tenant: t}, auth: {basic: {username: u, password: p}}";
    let running = Running::new(&format!("{{endpoint: \"{}/below\", {body}}}", server.url()));
    running.export(&[LEAK]).await;
    assert_eq!(arrive(&server, 1).await, [fires("high")]);
    let head = server.heads()[0].clone();
    assert!(head.starts_with("POST /below/api/v2/alerts HTTP/1.1\r\n"), "{head}");
    for line in ["content-type: application/json", "x-tenant: t", "authorization: Basic dTpw"] {
        assert!(head.contains(line), "{line} in {head}");
    }
    running.export(&[Point { firing: false, ..LEAK }, Point { severity: "critical", ..LEAK }]).await;
    assert_eq!(arrive(&server, 3).await[1..], [ended("high"), fires("critical")]);
    assert_eq!(server.heads().len(), 2, "both in one post");
    running.stop().await;
}

#[tokio::test]
async fn an_alert_raised_while_alertmanager_is_down_arrives_once_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let running = Running::new(&format!("{{endpoint: \"http://{address}\", {EAGER}}}"));
    running.export(&[LEAK, Point { name: "gone", ..LEAK }]).await;
    running.complains("unreachable: http://127.0.0.1").await;
    running.complains("Connection refused").await;
    running.export(&[Point { name: "gone", firing: false, ..LEAK }]).await;
    let server = Server::listen(TcpListener::bind(address).await.unwrap(), None);
    let begin = Instant::now();
    let mut alerts = arrive(&server, 2).await;
    alerts.sort();
    assert_eq!(alerts, [fires("high"), ("gone".to_owned(), "high".to_owned(), false)]);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    running.recovers().await;
    assert!(running.count("failed") > 0 && running.count("sent") == 2);
}

#[tokio::test]
async fn one_alertmanager_that_is_silent_delays_none_of_the_others() {
    let (silent, good) = (Server::start().await, Server::start().await);
    silent.answers(Answer::Silence);
    let body = format!("{{endpoints: [\"{}\", \"{}\"], timeout: 200ms, {EAGER}}}", silent.url(), good.url());
    let running = Running::new(&body);
    running.export(&[LEAK]).await;
    running.complains("did not answer within 200ms").await;
    running.export(&[Point { firing: false, ..LEAK }]).await;
    assert_eq!(arrive(&good, 2).await, [fires("high"), ended("high")]);
    silent.answers(Answer::status("200 OK"));
    running.recovers().await;
    assert_eq!(silent.alerts().last(), Some(&ended("high")));
    running.stop().await;
}

#[tokio::test]
async fn what_is_wrong_for_a_while_is_tried_again() {
    let server = Server::start().await;
    let cases = [
        (Answer::status("503 Service Unavailable"), "it answers 503 Service Unavailable"),
        (Answer::status("429 Too Many Requests"), "it answers 429 Too Many Requests"),
        (Answer::Bytes("\u{1}nonsense\r\n\r\n".to_owned()), "answered what is no HTTP"),
        (Answer::Bytes(String::new()), "closed the connection without an answer"),
    ];
    let running = Running::new(&format!("{{endpoint: \"{}\", {EAGER}}}", server.url()));
    server.answers(cases[0].0.clone());
    running.export(&[LEAK]).await;
    for (answer, text) in cases {
        server.answers(answer);
        assert!(running.complains(text).await.starts_with("unreachable: "), "{text}");
    }
    server.answers(Answer::status("200 OK"));
    running.recovers().await;
    running.stop().await;
}

#[tokio::test]
async fn an_alert_that_is_refused_is_not_posted_again_and_the_answer_is_shown_safely() {
    let body = "x".repeat(100_000);
    let long = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: 100000\r\n\r\na\nb\u{1b}[31m{body}");
    let cases = [
        (Answer::Bytes(long), "it answers 400 Bad Request: a\\nb\\u{1b}[31mxxx"),
        (Answer::Endless, "it answers 400 Bad Request: nevernever"),
    ];
    for (answer, text) in cases {
        let server = Server::start().await;
        server.answers(answer);
        let running = Running::new(&format!("{{endpoint: \"{}\", {EAGER}, refresh_interval: 1s}}", server.url()));
        running.export(&[LEAK]).await;
        let complaint = running.complains(text).await;
        assert!(complaint.starts_with("rejected: ") && complaint.len() < 500, "{complaint}");
        assert_eq!((server.heads().len(), running.count("rejected")), (1, 1));
        server.answers(Answer::status("200 OK"));
        running.export(&[Point { name: "other", ..LEAK }]).await;
        running.recovers().await;
        assert_eq!(server.alerts().len(), 2, "the rejected one is not posted again");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_wants_nothing_from_us_is_asked_again_with_the_next_refresh() {
    let cases = [
        (Answer::status("401 Unauthorized"), "it answers 401 Unauthorized"),
        (
            Answer::Bytes("HTTP/1.1 302 Found\r\nLocation: http://other/login\r\nContent-Length: 0\r\n\r\n".to_owned()),
            "it redirects to http://other/login (302 Found), which is not followed",
        ),
    ];
    for (answer, text) in cases {
        let server = Server::start().await;
        server.answers(answer);
        let running = Running::new(&format!("{{endpoint: \"{}\", {EAGER}, refresh_interval: 1s}}", server.url()));
        let begin = Instant::now();
        running.export(&[LEAK]).await;
        assert!(running.complains(text).await.starts_with("rejected: "));
        running.export(&[Point { name: "other", ..LEAK }]).await;
        assert!(server.heads().len() == 1 || begin.elapsed() >= Duration::from_secs(1), "asked again at once");
        server.answers(Answer::status("200 OK"));
        running.recovers().await;
        assert!(server.alerts().contains(&fires("high")), "once somebody has mended it");
        running.stop().await;
    }
}

#[tokio::test]
async fn one_bad_alert_does_not_keep_the_good_ones_back() {
    let server = Server::start().await;
    server.answers(Answer::RefusesSeverity("bad"));
    let running = Running::new(&format!("{{endpoint: \"{}\", {EAGER}}}", server.url()));
    let mut points: Vec<Point<'_>> = (1..=20).map(|line| Point { line, ..LEAK }).collect();
    points[7].severity = "bad";
    running.export(&points).await;
    running.complains("rejected: ").await;
    eventually("the good ones", || (running.count("sent") == 19).then_some(())).await;
    assert_eq!(running.count("rejected"), 1);
}

#[tokio::test]
async fn stopping_resolves_nothing_and_tells_the_latest() {
    let server = Server::start().await;
    let running = Running::new(&format!("{{endpoint: \"{}\"}}", server.url()));
    running.export(&[LEAK]).await;
    arrive(&server, 1).await;
    running.export(&[Point { name: "late", ..LEAK }]).await;
    running.stop().await;
    let alerts = server.alerts();
    assert!(alerts.iter().all(|(_, _, fires)| *fires) && alerts.iter().any(|(name, ..)| name == "late"), "{alerts:?}");
    let known = alerts.iter().filter(|alert| **alert == fires("high")).count();
    assert_eq!(known, 2, "what was told before is told to last until the next process has found it: {alerts:?}");
}

#[tokio::test]
async fn a_reload_neither_posts_again_nor_forgets() {
    let server = Server::start().await;
    let state = Arc::default();
    let body = |timeout: &str| format!("{{endpoint: \"{}\", timeout: {timeout}}}", server.url());
    let before = Running::of(build_over(&body("5s"), Signal::Metrics, &state));
    before.export(&[LEAK]).await;
    // Its arrival is not enough: what was posted and not yet answered is posted again by whoever comes next.
    eventually("the answer", || (before.count("sent") == 1).then_some(())).await;
    let after = Running::of(build_over(&body("6s"), Signal::Metrics, &state));
    before.stop().await;
    after.export(&[LEAK]).await;
    after.export(&[Point { firing: false, ..LEAK }]).await;
    assert_eq!(arrive(&server, 2).await, [fires("high"), ended("high")]);
    after.stop().await;
}
