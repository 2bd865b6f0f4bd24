//! An Alertmanager that misbehaves as it is told, and an exporter at work.

use std::net::SocketAddr;

use deferd_component::Stopper;
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// With these bytes, and then the connection is closed.
    Bytes(String),
    /// Not at all.
    Silence,
    /// With a body that never ends.
    Endless,
    /// With 400 if an alert has this severity, else with 200.
    RefusesSeverity(&'static str),
}

impl Answer {
    pub(super) fn status(line: &str) -> Self {
        Self::Bytes(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    }
}

#[derive(Debug)]
struct Seen {
    answer: Answer,
    heads: Vec<String>,
    requests: Vec<Json>,
}

/// The server. Ends with the test.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.unwrap(), None)
    }

    pub(super) async fn with_tls(acceptor: TlsAcceptor) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.unwrap(), Some(acceptor))
    }

    pub(super) fn listen(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen { answer: Answer::status("200 OK"), heads: Vec::new(), requests: Vec::new() }));
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, tls) = (Arc::clone(&shared), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => converse(stream, &seen).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                converse(stream, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn answers(&self, answer: Answer) {
        self.seen.lock().answer = answer;
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.seen.lock().heads.clone()
    }

    /// Every alert of every request that was answered or would have been: name, severity, and whether it ends in the future.
    pub(super) fn alerts(&self) -> Vec<(String, String, bool)> {
        let text = |alert: &Json, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        let now = alert::rfc3339(Moment::now().wall);
        let seen = self.seen.lock();
        let alerts = seen.requests.iter().flat_map(|request| request.as_array().unwrap());
        alerts
            .map(|alert| {
                let fires = alert["endsAt"].as_str().is_none_or(|ends| ends > now.as_str());
                (text(alert, "alertname"), text(alert, "severity"), fires)
            })
            .collect()
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Mutex<Seen>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length =
                head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            break (head, end + 4 + length.unwrap_or(0));
        }
    };
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let body: Json = serde_json::from_slice(&bytes[length - (length - head.len() - 4)..length]).unwrap();
    let answer = {
        let mut seen = seen.lock();
        seen.heads.push(head);
        seen.requests.push(body.clone());
        seen.answer.clone()
    };
    let _ = reply(&mut stream, answer, &body).await;
    let _ = stream.shutdown().await;
}

async fn reply(stream: &mut (impl AsyncWrite + Unpin), answer: Answer, body: &Json) -> std::io::Result<()> {
    match answer {
        Answer::Bytes(text) => stream.write_all(text.as_bytes()).await,
        Answer::Silence => std::future::pending().await,
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            loop {
                stream.write_all(b"5\r\nnever\r\n").await?;
            }
        }
        Answer::RefusesSeverity(severity) => {
            let bad = body.as_array().unwrap().iter().any(|alert| alert["labels"]["severity"] == severity);
            let text =
                if bad { "400 Bad Request\r\nContent-Length: 3\r\n\r\nbad" } else { "200 OK\r\nContent-Length: 0\r\n\r\n" };
            stream.write_all(format!("HTTP/1.1 {text}").as_bytes()).await
        }
    }
}

/// An exporter whose loops run. Ends with the test.
pub(super) struct Running {
    pub(super) exporter: Alertmanager,
    stopper: Stopper,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    pub(super) fn new(body: &str) -> Self {
        Self::of(build(body, Signal::Metrics))
    }

    pub(super) fn of(exporter: Alertmanager) -> Self {
        let stopper = Stopper::new();
        let (working, stop) = (exporter.clone(), stopper.listener());
        Self { exporter, stopper, task: tokio::spawn(async move { working.run(stop).await }) }
    }

    pub(super) async fn export(&self, points: &[Point<'_>]) {
        let batch = Batch::new(Signal::Metrics, request(points), points.len());
        self.exporter.export(&batch).await.unwrap();
    }

    /// What is degraded, `reason: message`.
    pub(super) fn complaints(&self) -> Vec<String> {
        let degraded = self.exporter.0.context.health.degraded();
        degraded.into_iter().map(|(_, degraded)| format!("{}: {}", degraded.reason, degraded.message)).collect()
    }

    /// Waits for a complaint with that text.
    pub(super) async fn complains(&self, text: &str) -> String {
        eventually(text, || self.complaints().into_iter().find(|complaint| complaint.contains(text))).await
    }

    pub(super) async fn recovers(&self) {
        eventually("no complaints", || self.complaints().is_empty().then_some(())).await;
    }

    pub(super) fn count(&self, result: &str) -> u64 {
        self.exporter.0.telemetry().total("deferd_alertmanager_notifications", ("result", result))
    }

    pub(super) async fn stop(mut self) {
        self.stopper.stop();
        tokio::time::timeout(Duration::from_secs(10), &mut self.task).await.unwrap().unwrap();
    }
}

/// Keys that make an exporter try again soon.
pub(super) const EAGER: &str = "retry_on_failure: {initial_interval: 10ms, max_interval: 100ms}";
