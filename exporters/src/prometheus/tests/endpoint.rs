//! Over a real socket.

use deferd_component::Stopper;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;

struct Running {
    stopper: Stopper,
    task: JoinHandle<()>,
}

impl Running {
    fn start(exporter: &Prometheus) -> Self {
        let (stopper, exporter) = (Stopper::new(), exporter.clone());
        let stop = stopper.listener();
        Self { stopper, task: tokio::spawn(async move { exporter.run(stop).await }) }
    }

    async fn stop(self) {
        self.stopper.stop();
        tokio::time::timeout(Duration::from_secs(10), self.task).await.unwrap().unwrap();
    }
}

async fn scrape(address: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the port is open");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    answer
}

fn one() -> Batch {
    Batch::new(Signal::Metrics, gauge(|points| points.add(&NumberPoint::new(&[], TIME, 1))), 1)
}

#[tokio::test]
async fn a_scrape_gets_what_was_exported() {
    let exporter = build("{endpoint: \"127.0.0.1:0\"}");
    let running = Running::start(&exporter);
    exporter.export(&one()).await.unwrap();
    let answer = scrape(exporter.listener.address()).await;
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
    assert!(answer.ends_with("g{job=\"shop\",instance=\"1\"} 1\n"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_reload_keeps_port_and_series_and_applies_the_new_names() {
    let (state, sockets) = (Arc::default(), Arc::new(Claims::default()));
    let old = build_over("{endpoint: \"127.0.0.1:0\"}", &state, &sockets);
    let address = old.listener.address();
    let running = Running::start(&old);
    old.export(&one()).await.unwrap();
    for generation in 0..20 {
        // As the engine does it: claim and build, start the new, stop the old.
        let next = Arc::new(sockets.carry_over(|_| false));
        let new = build_over(&format!("{{endpoint: \"127.0.0.1:0\", namespace: n{generation}}}"), &state, &next);
        assert_eq!(new.listener.address(), address);
        let replacing = Running::start(&new);
        assert!(scrape(address).await.contains("g{job=\"shop\""), "while both run");
        replacing.stop().await;
    }
    let last = build_over("{endpoint: \"127.0.0.1:0\", namespace: last}", &state, &sockets);
    let replacing = Running::start(&last);
    running.stop().await;
    let answer = scrape(address).await;
    assert!(answer.ends_with("last_g{job=\"shop\",instance=\"1\"} 1\n"), "{answer}");
    replacing.stop().await;
}

#[tokio::test]
async fn texts_in_memory_are_bounded() {
    let exporter = build("{endpoint: \"127.0.0.1:0\"}");
    let page = || scrape::page(exporter.clone());
    let held = [page().await, page().await, page().await, page().await];
    let fifth = tokio::spawn(page());
    assert!(!fifth.is_finished());
    drop(held);
    let fifth = tokio::time::timeout(Duration::from_secs(5), fifth).await.unwrap().unwrap();
    assert_eq!(fifth.status, deferd_net::http::StatusCode::OK);
}
