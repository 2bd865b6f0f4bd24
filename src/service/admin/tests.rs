use deferd_component::Registry;
use deferd_component::telemetry::Gauge;
use deferd_config::{Document, Source};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::report::Report;
use super::super::request::Trigger;
use super::*;

/// An admin address whose requests nobody answers but the test.
struct Served {
    admin: Admin,
    requests: mpsc::Receiver<Request>,
}

fn served() -> Served {
    let (sender, requests) = mpsc::channel(1);
    let document = Document::examine(&[Source::Yaml("{}".to_owned())], &|_| None).document;
    let status = Arc::new(Status::new(&Registry::default(), &document, &Gauge::default()));
    let doors = Doors { requests: sender, status, health: Arc::default() };
    let mut admin = Admin::new(doors, Arc::default(), Arc::default());
    let section =
        service::Admin { endpoint: "127.0.0.1:0".parse().unwrap(), token: Secret::new("t"), ..service::Admin::default() };
    let staged = admin.stage(Some(&section)).unwrap();
    admin.commit(staged);
    Served { admin, requests }
}

async fn post(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("POST {path} HTTP/1.0\r\nauthorization: bearer t\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

impl Served {
    /// Asks from another task.
    fn post(&self, path: &'static str) -> tokio::task::JoinHandle<String> {
        let serving = self.admin.serving.as_ref().unwrap();
        tokio::spawn(post(serving.address, path))
    }
}

#[tokio::test]
async fn one_request_more_than_can_wait_is_refused_at_once() {
    let mut served = served();
    let waiting = served.post("/reload");
    while served.requests.is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = served.post("/reload").await.unwrap();
    assert!(refused.starts_with("HTTP/1.0 503"), "{refused}");
    let Some(Request::Reload(Trigger::Api, Some(reply))) = served.requests.recv().await else { panic!("a reload was asked for") };
    reply.send(Report::rejected(&[])).unwrap();
    assert!(waiting.await.unwrap().starts_with("HTTP/1.0 422"));
}

#[tokio::test]
async fn a_service_that_ends_says_so() {
    let mut served = served();
    let waiting = served.post("/reload?dry_run");
    let request = served.requests.recv().await;
    assert!(matches!(request, Some(Request::Plan(None, _))), "{request:?}");
    drop(request);
    let answer = waiting.await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 503") && answer.contains("the service ends"), "{answer}");
}

#[tokio::test]
async fn an_answer_under_way_is_given_when_the_address_goes() {
    let mut served = served();
    let waiting = served.post("/reload");
    let Some(Request::Reload(_, Some(reply))) = served.requests.recv().await else { panic!("a reload was asked for") };
    let nothing = served.admin.stage(None).unwrap();
    served.admin.commit(nothing);
    reply.send(Report::rejected(&[])).unwrap();
    assert!(waiting.await.unwrap().starts_with("HTTP/1.0 422"));
}

#[test]
fn a_token_is_a_line_that_fits_a_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let of = |text: &[u8]| {
        std::fs::write(&path, text).unwrap();
        token_from(path.to_str().unwrap()).map(|token| token.expose().to_owned()).map_err(|error| error.to_string())
    };
    assert_eq!(of(b"s3cret/+=\n"), Ok("s3cret/+=".to_owned()));
    assert_eq!(of(b"s3cret\r\n"), Ok("s3cret".to_owned()));
    assert_eq!(of(&[b'x'; 4096]).map(|token| token.len()), Ok(4096));
    for bad in [&b""[..], b"\n", b"two words", b"two\nlines", "t\u{e4}".as_bytes(), &[b'x'; 4097]] {
        assert!(of(bad).unwrap_err().contains("holds no token"), "{bad:?}");
    }
    assert!(of(b"\xff").unwrap_err().contains("UTF-8"));
    assert!(token_from("/none/token").unwrap_err().to_string().starts_with("token_file /none/token: No such file"));
    assert!(token(&service::Admin { token: Secret::new("a b"), ..service::Admin::default() }).is_err());
}
