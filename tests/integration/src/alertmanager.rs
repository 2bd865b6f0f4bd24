//! A real Alertmanager, started for one test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use deferd_fixtures::missing;
use serde::Deserialize;

use crate::process::{Running, is_installed};
use crate::webhook::Recorder;
use crate::{http, port, wait};

/// The program: as Debian's package `prometheus-alertmanager` installs it, and as its makers do.
const PROGRAMS: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];

/// Names and values of an alert.
pub type Labels = BTreeMap<String, String>;

/// An Alertmanager with a data folder and a port of its own, which tells a recorder everything at once.
#[derive(Debug)]
pub struct Alertmanager {
    running: Running,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// An alert that it holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The identity: a digest of the labels.
    pub fingerprint: String,
    /// The labels.
    pub labels: Labels,
    /// What is said about it.
    pub annotations: Labels,
    /// When it began, as RFC 3339.
    pub starts_at: String,
    /// When it ends if nothing more is heard, as RFC 3339.
    pub ends_at: String,
}

impl Alert {
    /// A label's value, empty if there is none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

impl Alertmanager {
    /// Whether it is installed; said loudly where it is not.
    ///
    /// # Panics
    /// In CI, if it is not.
    pub fn is_here() -> bool {
        let here = program().is_some();
        if !here {
            missing::skip("Alertmanager", "not installed (apt-get install prometheus-alertmanager)");
        }
        here
    }

    /// Starts an empty one on a port of 127.0.0.1 and waits until it is ready.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(port: u16, recorder: &Recorder) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, configuration(recorder)).expect("the configuration");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut command = Command::new(program().expect("Alertmanager is installed"));
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            // One alone: no port for others.
            .arg("--cluster.listen-address=");
        let mut alertmanager = Self { running: Running::start(command), address, _folder: folder };
        wait::until("Alertmanager is ready", || {
            assert!(alertmanager.running.is_running(), "Alertmanager ended: {}", alertmanager.running.stderr());
            http::get(address, "/-/ready").is_ok_and(|answer| answer.status == 200).then_some(())
        });
        alertmanager
    }

    /// [`Alertmanager::start`] on a free port; that port too.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_anywhere(recorder: &Recorder) -> (Self, u16) {
        let port = port::free();
        (Self::start(port, recorder), port)
    }

    /// The alerts that fire now.
    ///
    /// # Panics
    /// If it does not answer as the API's second version says.
    pub fn alerts(&self) -> Vec<Alert> {
        let answer = http::get(self.address, "/api/v2/alerts").expect("Alertmanager answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
    }

    /// Kills it and waits until it is gone; what it knew is lost.
    pub fn kill(self) {
        self.running.kill();
    }
}

fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| is_installed(program))
}

/// Every alert is a group of its own and is told at once; nothing is told twice within a test.
fn configuration(recorder: &Recorder) -> String {
    format!(
        "route:
  receiver: recorder
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 12h
receivers:
  - name: recorder
    webhook_configs: [{{url: '{}', send_resolved: true}}]
",
        recorder.url()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_is_posted_is_held_and_told_once_until_it_ends() {
        if !Alertmanager::is_here() {
            return;
        }
        let recorder = Recorder::start();
        let (alertmanager, _) = Alertmanager::start_anywhere(&recorder);
        assert_eq!(alertmanager.alerts(), []);
        let post = |body: &str| {
            let answer = http::post_json(alertmanager.address, "/api/v2/alerts", body).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
        };
        post(r#"[{"labels":{"alertname":"a","severity":"high"},"annotations":{"summary":"s"}}]"#);
        let (alerts, _) = wait::until("it is held", || Some(alertmanager.alerts()).filter(|alerts| alerts.len() == 1));
        assert_eq!(alerts.first().map(|alert| alert.label("severity")), Some("high"));
        wait::until("it is told", || (recorder.counts() == (1, 0)).then_some(()));
        post(r#"[{"labels":{"alertname":"a","severity":"high"},"endsAt":"2020-01-01T00:00:00Z"}]"#);
        wait::until("its end is told", || (recorder.counts() == (1, 1)).then_some(()));
        assert_eq!(alertmanager.alerts(), []);
    }
}
