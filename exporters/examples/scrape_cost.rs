//! What a scrape of many series costs: `cargo run --release -p deferd-exporters --example scrape_cost -- 100000`.
//!
//! Prints the time to take the series for the first time, to update them, and to scrape them over a socket, and how long an async task was
//! kept waiting meanwhile.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use deferd_component::testing::{context, document};
use deferd_component::{Batch, Exporter, ExporterFactory, Kind, Signal, Stopper};
use deferd_exporters::prometheus::Factory;
use deferd_pdata::build::{MetricsBuilder, NumberPoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Points per request, about what a receiver sends at once.
const BATCH: usize = 1_000;

fn requests(series: usize, time: u64) -> Vec<Bytes> {
    let batch = |first: usize| {
        let mut request = MetricsBuilder::default();
        let service =
            [("service.name", "shop".into()), ("service.instance.id", "8f1c2d3e".into()), ("host.name", "node-1".into())];
        request.resource(&service, |resource| {
            resource.scope("deferd/godefer", "0.1.0", |scope| {
                scope.gauge("go.defer.pending", "Pending deferred calls", "{defer}", |points| {
                    for number in first..first + BATCH {
                        let path = format!("/src/service/handlers/file{}.go", number / 100);
                        let site = [
                            ("code.file.path", path.as_str().into()),
                            ("code.line.number", i64::try_from(number).unwrap_or_default().into()),
                            ("code.function.name", "example.com/shop/handlers.(*Server).Serve".into()),
                            ("go.defer.callee", "os.(*File).Close".into()),
                            ("go.defer.kind", "heap".into()),
                        ];
                        points.add(&NumberPoint::new(&site, time, 41_203));
                    }
                });
            });
        });
        request.finish()
    };
    (0..series).step_by(BATCH).map(batch).collect()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn Error>> {
    let series = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let id = "prometheus".parse()?;
    // A port that is free now; the exporter does not tell which one it takes.
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config = document(Kind::Exporter, &id, &format!("{{endpoint: \"{address}\"}}")).decode(Kind::Exporter, &id);
    let config = config.map_err(|problems| format!("{problems:?}"))?;
    let exporter = Arc::new(Factory::build(config, Arc::default(), &context(Kind::Exporter, &id, &[Signal::Metrics]))?);
    let stopper = Stopper::new();
    let (running, stop) = (Arc::clone(&exporter), stopper.listener());
    let server = tokio::spawn(async move { running.run(stop).await });
    let longest = watch_for_delays();
    let mut out = std::io::stdout().lock();
    for (what, time) in [("first", 1), ("update", 2)] {
        let requests = requests(series, time);
        let begun = Instant::now();
        for request in requests {
            exporter.export(&Batch::new(Signal::Metrics, request, BATCH)).await?;
        }
        writeln!(out, "{what}: {series} series in {:?}", begun.elapsed())?;
    }
    for _ in 0..3 {
        longest.store(0, Ordering::Relaxed);
        let begun = Instant::now();
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let delay = Duration::from_micros(longest.load(Ordering::Relaxed));
        writeln!(out, "scrape: {} bytes in {:?}; an async task waited {delay:?} at most", answer.len(), begun.elapsed())?;
    }
    stopper.stop();
    server.await?;
    Ok(())
}

/// Wakes every millisecond and notes the longest delay, in microseconds.
fn watch_for_delays() -> Arc<AtomicU64> {
    let longest = Arc::new(AtomicU64::new(0));
    let noted = Arc::clone(&longest);
    tokio::spawn(async move {
        loop {
            let wanted = tokio::time::Instant::now() + Duration::from_millis(1);
            tokio::time::sleep_until(wanted).await;
            let late = wanted.elapsed().as_micros();
            noted.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    });
    longest
}
