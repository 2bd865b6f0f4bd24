//! A real Prometheus, started for one test.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use deferd_fixtures::missing;
use serde_json::Value;

use crate::process::{Running, is_installed};
use crate::{http, port, wait};

/// The program, as Debian's package `prometheus` installs it.
const PROGRAM: &str = "prometheus";

/// Between two scrapes, and the longest that one may take.
pub const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);

/// A Prometheus with a data folder, a port and one scrape job of its own.
#[derive(Debug)]
pub struct Prometheus {
    running: Running,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// One series in the answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// All labels as the server gives them.
    pub labels: Value,
    /// The value now.
    pub value: f64,
}

/// What was scraped of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// All labels as the server gives them.
    pub labels: Value,
    /// Seconds since the epoch, and the value.
    pub values: Vec<(f64, f64)>,
}

impl Samples {
    /// The longest time between two samples, in seconds.
    pub fn longest_gap(&self) -> f64 {
        let pairs = self.values.iter().zip(self.values.iter().skip(1));
        pairs.map(|((earlier, _), (later, _))| later - earlier).fold(0.0, f64::max)
    }
}

impl Series {
    /// A label's value, empty if there is none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Prometheus {
    /// Starts one that scrapes a port on loopback, with the job that deferd's documentation gives. `None`, said loudly, where it is
    /// not installed.
    ///
    /// # Panics
    /// If it does not come up, and in CI if it is not installed.
    pub fn start(scraped: u16) -> Option<Self> {
        if !is_installed(PROGRAM) {
            missing::skip("Prometheus", "not installed (apt-get install prometheus)");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, configuration(scraped)).expect("the configuration");
        let address = SocketAddr::from(([127, 0, 0, 1], port::free()));
        let running = Running::start(command(&file, folder.path(), address));
        let mut prometheus = Self { running, address, _folder: folder };
        wait::until("Prometheus is ready", || {
            assert!(prometheus.running.is_running(), "Prometheus ended: {}", prometheus.running.stderr());
            http::get(address, "/-/ready").is_ok_and(|answer| answer.status == 200).then_some(())
        });
        Some(prometheus)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The answer to an instant query.
    ///
    /// # Panics
    /// If the server refuses it.
    pub fn query(&self, expression: &str) -> Vec<Series> {
        let answer = self.get(&format!("/api/v1/query?query={}", http::escape(expression)));
        let result = answer.pointer("/data/result").and_then(Value::as_array);
        result.expect("a result").iter().map(series).collect()
    }

    /// The samples of the last `seconds` of every series that a selector names, oldest first, as they were scraped.
    ///
    /// # Panics
    /// If the server refuses it.
    pub fn samples(&self, selector: &str, seconds: u64) -> Vec<Samples> {
        let answer = self.get(&format!("/api/v1/query?query={}", http::escape(&format!("{selector}[{seconds}s]"))));
        let result = answer.pointer("/data/result").and_then(Value::as_array);
        result.expect("a result").iter().map(samples).collect()
    }

    /// What it says about the scraped job: `up`, and the error of the last scrape.
    ///
    /// # Panics
    /// If the server does not answer.
    pub fn target_health(&self) -> (String, String) {
        let answer = self.get("/api/v1/targets");
        let text = |pointer| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/data/activeTargets/0/health"), text("/data/activeTargets/0/lastError"))
    }

    fn get(&self, path: &str) -> Value {
        let answer = http::get(self.address, path).expect("Prometheus answers");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }
}

fn series(result: &Value) -> Series {
    let value = result.pointer("/value/1").and_then(Value::as_str).and_then(|text| text.parse().ok());
    Series { labels: result.get("metric").cloned().unwrap_or_default(), value: value.expect("a value") }
}

fn samples(result: &Value) -> Samples {
    let pair = |pair: &Value| Some((pair.get(0)?.as_f64()?, pair.get(1)?.as_str()?.parse().ok()?));
    let values = result.get("values").and_then(Value::as_array).expect("samples");
    Samples {
        labels: result.get("metric").cloned().unwrap_or_default(),
        values: values.iter().map(|value| pair(value).expect("a time and a value")).collect(),
    }
}

fn configuration(scraped: u16) -> String {
    let seconds = SCRAPE_INTERVAL.as_secs();
    format!(
        "global: {{scrape_interval: {seconds}s, scrape_timeout: {seconds}s}}
scrape_configs:
  - job_name: deferd
    honor_labels: true
    static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]
"
    )
}

fn command(file: &Path, folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"));
    command
}
