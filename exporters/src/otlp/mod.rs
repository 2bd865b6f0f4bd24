//! OTLP over gRPC: what any OpenTelemetry backend takes.
//!
//! A batch is sent as the bytes that it is: nothing is decoded, and without compression nothing is copied on the way to the socket. tonic
//! keeps the connection; request and answer are framed here, because its codecs copy every request, compress where nothing may block,
//! and panic on a malformed status.

mod answer;
mod config;
mod connect;
mod connection;
mod request;
mod status;
mod target;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use deferd_component::telemetry::Health;
use deferd_component::{
    Batch, BuildContext, BuildError, ExportError, Exporter, ExporterFactory, ExporterSettings, Metadata, Signal, Stability, Stop,
};
use deferd_net::client;
use deferd_net::tls::Tls;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, TE};
use hyper::{Request, Uri, Version};
use parking_lot::Mutex;
use tonic::body::Body;
use tonic::transport::Endpoint;

use answer::Taken;
pub use config::{Balancer, Compression, Config, Keepalive};
use connect::{Connector, Way};
use connection::{Connection, Unanswered};
use request::{MAX_REQUEST, Pieces};
use target::{Address, Target};

/// Between two looks for a connection, with `wait_for_ready`.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Longest time to connect: gRPC's own.
const CONNECT: Duration = Duration::from_secs(20);

/// What gRPC in Go makes of `keepalive::timeout: 0`.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What connecting may take of an attempt's time, so that it fails first and says why.
const PART_FOR_CONNECTING: f64 = 0.8;

/// Makes OTLP exporters.
pub struct Factory;

/// An OTLP exporter.
#[derive(Debug)]
pub struct Otlp {
    target: String,
    connection: Connection,
    compression: Compression,
    headers: HeaderMap,
    wait_for_ready: bool,
    component: String,
    health: Arc<Health>,
    /// The last warning of the server, so that it is logged once.
    warned: Mutex<String>,
}

impl ExporterFactory for Factory {
    type Config = Config;
    type State = ();
    type Exporter = Otlp;

    const METADATA: Metadata = Metadata {
        component_type: "otlp_grpc",
        summary: "sends to any OpenTelemetry backend, by gRPC",
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs, Signal::Profiles],
        stability: Stability::Beta,
    };

    fn settings(config: &Config) -> ExporterSettings {
        ExporterSettings {
            queue: config.sending_queue.clone(),
            retry: config.retry_on_failure.clone(),
            timeout: if config.timeout.is_zero() { Duration::MAX } else { config.timeout.get() },
        }
    }

    fn build(config: Config, _: Arc<()>, context: &BuildContext) -> Result<Otlp, BuildError> {
        let target = Target::new(&config.endpoint, &config.authority).map_err(unavailable)?;
        if config.balancer_name == Some(Balancer::RoundRobin) {
            let component = context.path();
            let text = "`balancer_name: round_robin` has no effect: one connection is kept, to the first address that answers";
            tracing::warn!(component, "{text}");
        }
        Ok(Otlp {
            target: target.to_string(),
            connection: connection(&config, target)?,
            compression: config.compression,
            headers: headers(&config),
            wait_for_ready: config.wait_for_ready,
            component: context.path(),
            health: Arc::clone(&context.health),
            warned: Mutex::default(),
        })
    }
}

fn connection(config: &Config, target: Target) -> Result<Connection, BuildError> {
    let encrypted = target.is_encrypted(config.tls.insecure);
    let endpoint = Endpoint::new(target.uri(encrypted).map_err(unavailable)?).map_err(unavailable)?;
    let endpoint = endpoint.origin(target.origin(encrypted).map_err(unavailable)?);
    let own = format!("deferd/{} ({}/{})", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let user_agent = if config.user_agent.is_empty() { own } else { config.user_agent.clone() };
    let endpoint = endpoint.user_agent(user_agent).map_err(unavailable)?;
    let Keepalive { time, timeout, permit_without_stream } = config.keepalive;
    let endpoint = if time.is_zero() {
        endpoint
    } else {
        let timeout = if timeout.is_zero() { PING_TIMEOUT } else { timeout.get() };
        let pinged = endpoint.http2_keep_alive_interval(time.get()).keep_alive_timeout(timeout);
        pinged.keep_alive_while_idle(permit_without_stream)
    };
    let tls = if encrypted { Some(tls(config)?) } else { None };
    let way = match target.address {
        Address::Unix(path) => Way::Unix(path),
        Address::Tcp(_) => {
            let limit = if config.timeout.is_zero() { CONNECT } else { config.timeout.get().mul_f64(PART_FOR_CONNECTING) };
            Way::Net(client::Connector::new(tls).with_timeout(limit.min(CONNECT)))
        }
    };
    let limit = (!config.timeout.is_zero()).then(|| config.timeout.get());
    Ok(Connection::new(endpoint, Connector::new(way), limit))
}

fn tls(config: &Config) -> Result<Tls, BuildError> {
    let mut tls = config.tls.clone();
    if tls.server_name_override.is_empty() {
        // As in Go, the authority is the name that the certificate must have.
        let host = config.authority.rsplit_once(':').map_or(config.authority.as_str(), |(host, _port)| host);
        host.clone_into(&mut tls.server_name_override);
    }
    Tls::new(&tls, &[b"h2"]).map_err(unavailable)
}

fn unavailable(error: impl Error + 'static) -> BuildError {
    BuildError::Unavailable(answer::causes(&error))
}

/// The headers of every request.
fn headers(config: &Config) -> HeaderMap {
    let mut headers: HeaderMap = config.header_values().into_iter().collect();
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-accept-encoding", HeaderValue::from_static("identity,gzip"));
    if config.compression == Compression::Gzip {
        headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
    }
    // At most eight digits.
    let milliseconds = config.timeout.get().as_millis();
    if let (1..=99_999_999, Ok(value)) = (milliseconds, HeaderValue::from_str(&format!("{milliseconds}m"))) {
        headers.insert("grpc-timeout", value);
    }
    headers
}

const fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Profiles => "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
    }
}

impl Exporter for Otlp {
    async fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        if batch.bytes() == 0 {
            return Ok(());
        }
        let body = Pieces::new(batch, self.compression).await.map_err(|error| self.unsendable(batch, &error))?;
        loop {
            match self.connection.send(self.request(batch.signal(), body.clone())).await {
                Ok(response) => return self.account(batch, answer::read(response, &self.target).await?),
                Err(Unanswered::NotConnected(error)) if self.wait_for_ready => {
                    let message = error.to_string();
                    if self.health.degrade(&self.component, "export_failing", &message) {
                        tracing::warn!(component = self.component, error = message, "Waiting for a connection.");
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Err(unanswered) => return Err(unanswered.failure(&self.target)),
            }
        }
    }

    async fn run(&self, stop: Stop) {
        stop.wait().await;
        self.connection.close().await;
    }
}

impl Otlp {
    fn request(&self, signal: Signal, body: Pieces) -> Request<Body> {
        let mut request = Request::new(Body::new(body));
        *request.method_mut() = hyper::Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = Uri::from_static(method(signal));
        *request.headers_mut() = self.headers.clone();
        request
    }

    fn unsendable(&self, batch: &Batch, error: &io::Error) -> ExportError {
        ExportError::permanent(if error.kind() == io::ErrorKind::FileTooLarge {
            format!("{}: a request of {} bytes is not sent; OTLP allows {MAX_REQUEST}", self.target, batch.bytes())
        } else {
            format!("{}: the request could not be compressed: {error}", self.target)
        })
    }

    /// The request was taken: whole, with a warning, or without some of its items.
    fn account(&self, batch: &Batch, Taken { rejected, message }: Taken) -> Result<(), ExportError> {
        if rejected == 0 {
            let mut warned = self.warned.lock();
            if !message.is_empty() && *warned != message {
                tracing::warn!(component = self.component, message, "The destination took the data with a warning.");
                *warned = message;
            }
            return Ok(());
        }
        let rejected = usize::try_from(rejected).unwrap_or(usize::MAX).min(batch.items());
        Err(ExportError::Partial { rejected, message: format!("{}: partial success: {message}", self.target) })
    }
}
