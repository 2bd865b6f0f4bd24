//! Requests over HTTP/1.1 to one server.
//!
//! Built on hyper-util's client with our own [`Connector`] and not on reqwest: reqwest follows redirects, decodes bodies without a
//! bound and brings a verifier of its own, and what remains once these are off is what stands here. A redirect is an answer like any
//! other; nothing, and no credentials, ever go to an address that is not configured.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use deferd_config::{Secret, one_line};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, PROXY_AUTHORIZATION, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::auth::{Auth, Credentials, CredentialsError, Headers, header_map};
use super::connector::{ConnectError, Connector};
use super::proxy::{Proxy, ProxyError};
use crate::tls::{self, Tls, TlsError, explain};

/// Most of an answer that is read, in bytes; the rest of a longer one is left unread and its connection closed.
const MAX_BODY: usize = 64 << 10;
/// Longest head of an answer, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// An idle connection is closed after this, the Collector's default.
const IDLE: Duration = Duration::from_secs(90);
/// Idle connections kept.
const MAX_IDLE: usize = 2;
/// Longest time for a connection, and again for its TLS handshake: a server that comes back is found sooner by asking again.
const CONNECT: Duration = Duration::from_secs(10);
const AGENT: &str = concat!("deferd/", env!("CARGO_PKG_VERSION"));

/// How a client reaches its server. Filled from the keys of a component, which the Collector has side by side with its own.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Longest time for a request and its answer, connecting included; zero is no limit.
    pub timeout: Duration,
    /// Sent with every request.
    pub headers: Headers,
    /// Used for `https`.
    pub tls: tls::ClientConfig,
    /// Who we are.
    pub auth: Auth,
    /// A proxy; if empty, that of the environment.
    pub proxy_url: Secret,
}

/// Why a client cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The address cannot be used.
    #[error("{0}")]
    Endpoint(String),
    /// TLS cannot be done as configured.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The token or password cannot be had.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The proxy cannot be used.
    #[error("proxy_url: {0}")]
    Proxy(#[from] ProxyError),
}

/// Why there is no answer. Trying again later may help with all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It took too long.
    #[error("{0} did not answer within {1:?}")]
    Timeout(String, Duration),
    /// The connection broke, or what came was no HTTP.
    #[error("{0}")]
    Broken(String),
    /// The token or password cannot be had any more.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

/// An answer, of whatever status.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// How long the server asks to be left alone, if it says so in seconds.
    pub retry_after: Option<Duration>,
    /// Where a redirect points.
    pub location: Option<String>,
    /// The first 64 KiB of its body.
    pub body: Bytes,
}

impl Response {
    /// The beginning of the body as one line that can be logged, `limit` characters at most.
    pub fn text(&self, limit: usize) -> String {
        let text: String = String::from_utf8_lossy(&self.body).trim().chars().take(limit).collect();
        one_line(&text)
    }
}

/// A client of one server. Keeps connections open between requests.
#[derive(Debug)]
pub struct Client {
    endpoint: Uri,
    host: String,
    pool: Pool<Connector, Full<Bytes>>,
    headers: HeaderMap,
    credentials: Credentials,
    timeout: Duration,
}

/// The address of a server: `http://HOST:PORT` or `https://HOST:PORT`, and a path if what is asked for is below one.
pub fn endpoint(text: &str) -> Result<Uri, String> {
    let refused = |what: &str| {
        let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
        format!("{shown:?} {what}; allowed: http://HOST:PORT or https://HOST:PORT, and a path")
    };
    let uri: Uri = text.parse().map_err(|_| refused("is no address"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => {}
        _ => return Err(refused("is no address of a server")),
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(refused("comes with a user, who belongs into auth::basic"));
    }
    if uri.query().is_some() || text.contains('#') {
        return Err(refused("has a query or a fragment"));
    }
    Ok(uri)
}

impl Client {
    /// A client of the server at `address`. Reads the files of TLS and authentication.
    pub fn new(address: &str, settings: &Settings) -> Result<Self, ClientError> {
        let endpoint = endpoint(address).map_err(ClientError::Endpoint)?;
        let secure = endpoint.scheme_str() == Some("https");
        let tls = if secure { Some(Tls::new(&settings.tls, &[b"http/1.1"])?) } else { None };
        let proxy =
            if settings.proxy_url.is_empty() { Proxy::from_environment() } else { Proxy::fixed(settings.proxy_url.expose())? };
        let mut headers = header_map(&settings.headers);
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        // In a tunnel the request is the server's; without one the proxy reads it too.
        if let Some(authorization) = proxy.toward(&endpoint).and_then(|via| via.authorization).filter(|_| !secure) {
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        let patience = if settings.timeout.is_zero() { CONNECT } else { settings.timeout.min(CONNECT) };
        let connector = Connector::new(tls).with_proxy(proxy).forwarding().with_timeout(patience);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_buf_size(MAX_HEAD)
            .build(connector);
        Ok(Self {
            host: endpoint.authority().map_or_else(String::new, ToString::to_string),
            credentials: Credentials::new(&settings.auth)?,
            endpoint,
            pool,
            headers,
            timeout: settings.timeout,
        })
    }

    /// Posts `body` to `path` below the address, and reads the answer.
    pub async fn post(&self, path: &str, content_type: &'static str, body: Bytes) -> Result<Response, RequestError> {
        let request = self.request(path, content_type, body)?;
        if self.timeout.is_zero() {
            return self.exchange(request).await;
        }
        let late = || RequestError::Timeout(self.host.clone(), self.timeout);
        tokio::time::timeout(self.timeout, self.exchange(request)).await.unwrap_or_else(|_| Err(late()))
    }

    fn request(&self, path: &str, content_type: &'static str, body: Bytes) -> Result<Request<Full<Bytes>>, RequestError> {
        let mut parts = self.endpoint.clone().into_parts();
        let below = format!("{}/{}", self.endpoint.path().trim_end_matches('/'), path.trim_start_matches('/'));
        let unusable = |error: hyper::http::Error| RequestError::Broken(format!("cannot ask for {below}: {error}"));
        parts.path_and_query = Some(below.parse().map_err(|error| unusable(hyper::http::Error::from(error)))?);
        let uri = Uri::from_parts(parts).map_err(|error| unusable(error.into()))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(authorization) = self.credentials.authorization()? {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        Ok(request)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response, RequestError> {
        let answer = self.pool.request(request).await.map_err(|error| self.failure(&error))?;
        let (head, body) = answer.into_parts();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let location = header(LOCATION).map(|text| one_line(&text.chars().take(256).collect::<String>()));
        // The status says enough; a body that breaks off is an answer still.
        let body = beginning(body).await;
        Ok(Response { status: head.status, retry_after, location, body })
    }

    fn failure(&self, error: &PoolError) -> RequestError {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(connect) = error.downcast_ref::<ConnectError>() {
                return RequestError::Connect(connect.clone());
            }
            cause = error.source();
        }
        let host = &self.host;
        if let Some(text) = explain(error, host) {
            return RequestError::Broken(text);
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        let mut text = format!("{host} broke the connection");
        while let Some(error) = cause {
            if let Some(http) = error.downcast_ref::<hyper::Error>() {
                if http.is_parse() {
                    return RequestError::Broken(format!("{host} answered what is no HTTP: {http}"));
                }
                if http.is_incomplete_message() {
                    return RequestError::Broken(format!("{host} closed the connection without an answer"));
                }
            }
            text = format!("{host} broke the connection: {error}");
            cause = error.source();
        }
        RequestError::Broken(text)
    }
}

async fn beginning(mut body: Incoming) -> Bytes {
    let mut read = BytesMut::new();
    while read.len() < MAX_BODY {
        let Some(Ok(frame)) = body.frame().await else { break };
        if let Ok(data) = frame.into_data() {
            let room = MAX_BODY.saturating_sub(read.len());
            read.extend_from_slice(data.get(..room).unwrap_or(&data));
        }
    }
    read.freeze()
}

#[cfg(test)]
mod tests;
