//! Alertmanager itself, as Debian packages it.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::Running;
use super::*;

/// A running Alertmanager. Ends with the test.
struct Real {
    process: Child,
    address: SocketAddr,
    directory: TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts one on that port; `None`, and said, if there is none here.
async fn start(port: u16) -> Option<Real> {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
    let address: SocketAddr = format!("127.0.0.1:{port}").parse().unwrap();
    let log = std::fs::File::create(directory.path().join("log")).unwrap();
    let spawn = |name: &str| {
        Command::new(name)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .ok()
    };
    let Some(process) = ["prometheus-alertmanager", "alertmanager"].into_iter().find_map(spawn) else {
        deferd_fixtures::missing::skip("Alertmanager itself", "install the Debian package prometheus-alertmanager");
        return None;
    };
    let real = Real { process, address, directory };
    let deadline = Instant::now() + Duration::from_secs(20);
    while alerts(real.address).await.is_none() {
        let log = std::fs::read_to_string(real.directory.path().join("log")).unwrap();
        assert!(Instant::now() < deadline, "Alertmanager does not answer within 20 s:\n{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Some(real)
}

/// A port that nobody had a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What fires there: name and severity, sorted.
async fn alerts(address: SocketAddr) -> Option<Vec<Json>> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(b"GET /api/v2/alerts HTTP/1.0\r\n\r\n").await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    let (_, body) = text.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

async fn shows(address: SocketAddr, expected: &[&str]) -> Vec<Json> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let alerts = alerts(address).await.unwrap_or_default();
        let text = |alert: &Json, label: &str| alert["labels"][label].as_str().unwrap_or_default().to_owned();
        let mut found: Vec<String> =
            alerts.iter().map(|alert| format!("{} {}", text(alert, "alertname"), text(alert, "severity"))).collect();
        found.sort();
        if found == expected {
            return alerts;
        }
        assert!(Instant::now() < deadline, "{found:?} instead of {expected:?} after 20 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn alertmanager_shows_what_fires_and_no_longer_what_has_ended() {
    let Some(real) = start(free_port()).await else { return };
    let running = Running::new(&format!("{{endpoint: \"http://{}\", generator_url: \"http://deferd/\"}}", real.address));
    running.export(&[LEAK, Point { name: "other", severity: "medium", ..LEAK }]).await;
    let alerts = shows(real.address, &["defer_leak high", "other medium"]).await;
    assert_eq!(alerts[0]["labels"]["site"], "main.go:42");
    assert_eq!(alerts[0]["generatorURL"], "http://deferd/");
    assert_eq!(alerts[0]["startsAt"], "2023-11-14T22:12:50.000Z");
    running.export(&[Point { firing: false, ..LEAK }, Point { severity: "critical", ..LEAK }]).await;
    shows(real.address, &["defer_leak critical", "other medium"]).await;
    running.export(&[Point { name: "other", severity: "medium", firing: false, ..LEAK }]).await;
    shows(real.address, &["defer_leak critical"]).await;
    assert_eq!(running.complaints(), [""; 0]);
    running.stop().await;
    shows(real.address, &["defer_leak critical"]).await;
}

#[tokio::test]
async fn an_alertmanager_that_was_restarted_and_is_empty_hears_again_of_what_fires() {
    let port = free_port();
    let Some(real) = start(port).await else { return };
    let address = real.address;
    let running = Running::new(&format!("{{endpoint: \"http://{address}\", refresh_interval: 1s}}"));
    running.export(&[LEAK]).await;
    shows(address, &["defer_leak high"]).await;
    drop(real);
    running.complains("unreachable").await;
    running.export(&[Point { name: "meanwhile", ..LEAK }]).await;
    let Some(_real) = start(port).await else { return };
    shows(address, &["defer_leak high", "meanwhile high"]).await;
    running.recovers().await;
}

#[tokio::test]
async fn an_event_is_shown_with_an_end_that_alertmanager_chose() {
    let Some(real) = start(free_port()).await else { return };
    let running = Running::of(build(&format!("{{endpoint: \"http://{}\"}}", real.address), Signal::Logs));
    let panicked = record(&[(contract::NAME, "go_panic".into()), (contract::SEVERITY, "high".into())]);
    running.exporter.export(&Batch::new(Signal::Logs, panicked, 1)).await.unwrap();
    let alerts = shows(real.address, &["go_panic high"]).await;
    assert!(alerts[0]["endsAt"].as_str().unwrap() > alert::rfc3339(Moment::now().wall).as_str());
    running.stop().await;
}
