//! One request to the admin address, with hyper's connection: a client with pools, proxies and TLS has nothing to do on a loopback
//! address.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use deferd_config::{Endpoint, Secret};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::service::Report;

/// Longest answer, in bytes: a plan of some hundred thousand instances.
const MAX_ANSWER: usize = 16 << 20;

/// What is asked.
pub(super) struct Asked<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) token: &'a Secret,
    /// With its query.
    pub(super) path: &'a str,
    pub(super) body: Vec<u8>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("cannot reach the service at {endpoint}: {source}; it listens there if its configuration has service::admin")]
    Unreachable { endpoint: Endpoint, source: io::Error },
    #[error("{endpoint} does not answer as a service does: {message}")]
    Broken { endpoint: Endpoint, message: String },
    #[error("no answer from {endpoint} within {} s", .patience.as_secs())]
    Slow { endpoint: Endpoint, patience: Duration },
    #[error("the service at {endpoint} refuses the token: its configuration has another one in service::admin")]
    Unauthorized { endpoint: Endpoint },
    #[error("the service at {endpoint} answers {status}: {message}")]
    Refused { endpoint: Endpoint, status: u16, message: String },
}

/// Asks, and waits for the report.
pub(super) async fn post(asked: Asked<'_>, patience: Duration) -> Result<Report, ClientError> {
    let endpoint = asked.endpoint.clone();
    let answer = tokio::time::timeout(patience, exchange(asked)).await;
    answer.unwrap_or(Err(ClientError::Slow { endpoint, patience }))
}

async fn exchange(asked: Asked<'_>) -> Result<Report, ClientError> {
    let Asked { endpoint, token, path, body } = asked;
    let broken = |error: &dyn std::fmt::Display| ClientError::Broken { endpoint: endpoint.clone(), message: error.to_string() };
    let host = if endpoint.host().is_empty() { "localhost" } else { endpoint.host() };
    let connected = TcpStream::connect((host, endpoint.port())).await;
    let stream = connected.map_err(|source| ClientError::Unreachable { endpoint: endpoint.clone(), source })?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| broken(&error))?;
    let request = Request::post(path)
        .header(HOST, endpoint.to_string())
        .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
        .header(CONTENT_TYPE, "application/yaml")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| broken(&error))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| broken(&error))?;
        understood(endpoint, status, &body.to_bytes())
    };
    tokio::pin!(answered);
    // The connection has to be driven until the answer is whole.
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        _ = connection => answered.await,
    }
}

/// What is sent where there is no report.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

fn understood(endpoint: &Endpoint, status: StatusCode, body: &[u8]) -> Result<Report, ClientError> {
    let endpoint = endpoint.clone();
    match status {
        StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY => serde_json::from_slice(body)
            .map_err(|error| ClientError::Broken { endpoint, message: format!("its answer is no report: {error}") }),
        StatusCode::UNAUTHORIZED => Err(ClientError::Unauthorized { endpoint }),
        _ => {
            let refusal = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error);
            let message = refusal.unwrap_or_else(|_| "is another program".to_owned());
            Err(ClientError::Refused { endpoint, status: status.as_u16(), message })
        }
    }
}
