use std::fs;
use std::time::Instant;

use deferd_component::Issues;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::client::{Basic, validate_headers};

/// Answers one request with `answer`, and returns its head.
async fn once(listener: TcpListener, answer: &'static str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut seen = vec![0; 8192];
    let length = stream.read(&mut seen).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&seen[..length]).into_owned()
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_its_address_gets_nothing() {
    let ((server, at), (other, elsewhere)) = (listener().await, listener().await);
    let answer: &'static str =
        format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{elsewhere}/x\r\nContent-Length: 0\r\n\r\n").leak();
    let auth = Auth { bearer_token: Secret::new("token"), ..Auth::default() };
    let settings = Settings { timeout: Duration::from_secs(5), auth, ..Settings::default() };
    let client = Client::new(&format!("http://{at}/base/"), &settings).unwrap();
    let (seen, answer) = tokio::join!(once(server, answer), client.post("/v1/x", "text/plain", Bytes::from_static(b"hi")));
    assert!(seen.starts_with("POST /base/v1/x HTTP/1.1\r\n") && seen.contains("authorization: Bearer token"), "{seen}");
    let answer = answer.unwrap();
    assert_eq!((answer.status.as_u16(), answer.location), (307, Some(format!("http://{elsewhere}/x"))));
    assert!(other.into_std().unwrap().accept().is_err(), "nobody connected there");
}

#[tokio::test]
async fn a_plain_request_is_handed_to_the_proxy_with_its_password() {
    let (proxy, at) = listener().await;
    let proxy_url = Secret::new(format!("http://user:secret@{at}"));
    let settings = Settings { timeout: Duration::from_secs(5), proxy_url, ..Settings::default() };
    let client = Client::new("http://alerts.example:9093", &settings).unwrap();
    let answer = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    let (seen, answer) = tokio::join!(once(proxy, answer), client.post("/x", "text/plain", Bytes::new()));
    assert!(seen.starts_with("POST http://alerts.example:9093/x HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("proxy-authorization: Basic dXNlcjpzZWNyZXQ="), "{seen}");
    assert_eq!(answer.unwrap().retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let (server, at) = listener().await;
    let settings = Settings { timeout: Duration::from_millis(100), ..Settings::default() };
    let client = Client::new(&format!("http://{at}"), &settings).unwrap();
    let error = client.post("/x", "text/plain", Bytes::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{at} did not answer within 100ms"));
    drop(server);
}

#[test]
fn only_addresses_of_servers_are_taken_and_no_password_is_shown() {
    for good in ["http://localhost:9093", "https://[::1]:1/below", "http://a"] {
        assert!(endpoint(good).is_ok(), "{good}");
    }
    for bad in ["", "localhost:9093", "/x", "ftp://a", "http://", "http://u:secret@a", "http://a/?q", "http://a b"] {
        let text = endpoint(bad).unwrap_err();
        assert!(text.contains("allowed: http://HOST:PORT") && !text.contains("secret"), "{text}");
    }
}

#[test]
fn a_token_is_read_again_when_its_file_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let auth = Auth { bearer_token_file: path.to_str().unwrap().to_owned(), ..Auth::default() };
    assert!(Credentials::new(&auth).unwrap_err().to_string().starts_with("auth::bearer_token_file: "));
    fs::write(&path, "one\r\n").unwrap();
    let credentials = Credentials::new(&auth).unwrap();
    let at = |seconds| credentials.at(Instant::now() + Duration::from_secs(seconds));
    assert_eq!(at(0).unwrap().unwrap(), "Bearer one");
    fs::write(&path, "two").unwrap();
    assert_eq!(at(2).unwrap().unwrap(), "Bearer two");
    fs::write(&path, "\u{1}").unwrap();
    assert!(at(4).unwrap_err().to_string().ends_with("holds characters that no header can have"));
    fs::write(&path, "x".repeat(70_000)).unwrap();
    assert!(at(6).unwrap_err().to_string().ends_with("is empty or larger than 64 KiB"));
}

#[test]
fn a_password_goes_into_the_header_and_nowhere_else() {
    let basic = Basic { username: "u".to_owned(), password: Secret::new("secret"), ..Basic::default() };
    let auth = Auth { basic: Some(basic), ..Auth::default() };
    let credentials = Credentials::new(&auth).unwrap();
    assert_eq!(credentials.authorization().unwrap().unwrap(), "Basic dTpzZWNyZXQ=");
    assert!(!format!("{credentials:?}").contains("secret") && !format!("{credentials:?}").contains("dTpzZWNyZXQ="));
}

#[test]
fn headers_that_cannot_be_sent_are_found_without_showing_their_values() {
    let pairs = [("a b", "v"), ("Host", "v"), ("x-bad", "secret\n"), ("x-good", "v")];
    let headers: Headers = pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    let mut issues = Issues::default();
    validate_headers(&headers, &mut issues);
    let auth = Auth { bearer_token: Secret::new("a\nb"), bearer_token_file: "f".to_owned(), basic: Some(Basic::default()) };
    issues.within("auth", &auth);
    let found = issues.into_vec();
    let paths: Vec<String> = found.iter().map(|issue| issue.path.join("::")).collect();
    assert_eq!(paths, ["headers::Host", "headers::a b", "headers::x-bad", "auth", "auth::bearer_token", "auth::basic::username"]);
    assert!(!format!("{found:?}").contains("secret"));
}
