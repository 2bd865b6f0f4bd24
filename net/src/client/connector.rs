//! Connecting: name lookup, TCP, a proxy if one is set, TLS. Each with a deadline, each with an error that says which it was.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::proxy::{Proxy, Via};
use super::stream::{Io, Stream};
use crate::tls::{Tls, TlsError, explain};

/// Time for name lookup and TCP, and again for the TLS handshake, unless set otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Idle time after which the kernel asks whether the other side still lives.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Connects to `http` and `https` addresses. Cloning gives another handle to the same one.
#[derive(Debug, Clone)]
pub struct Connector {
    tcp: HttpConnector,
    tls: Option<Tls>,
    proxy: Option<Proxy>,
    forwards: bool,
    timeout: Duration,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address names no host.
    #[error("{0:?} is no address of the form http://HOST:PORT")]
    Address(String),
    /// Nobody answers there.
    #[error("cannot connect to {to}: {reason}")]
    Unreachable {
        /// The server or the proxy.
        to: String,
        /// The system's reason.
        reason: String,
    },
    /// It took too long.
    #[error("{to} did not answer {step} within {after:?}")]
    Timeout {
        /// The server or the proxy.
        to: String,
        /// `the connection attempt`, for instance.
        step: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// The proxy does not connect us.
    #[error("the proxy {proxy} gives no connection to {to}: {reason}")]
    Proxy {
        /// The proxy.
        proxy: String,
        /// The server.
        to: String,
        /// What it answered.
        reason: String,
    },
    /// TLS failed; the text says what is wrong with whose certificate.
    #[error("{0}")]
    Handshake(String),
    /// TLS is not configured as it would have to be.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address asks for TLS and none was set up.
    #[error("{0} asks for TLS, which is not set up for it")]
    NoTls(String),
}

impl Connector {
    /// A connector. `tls` is needed for `https` addresses only, and says which protocols are offered in the handshake.
    pub fn new(tls: Option<Tls>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        Self { tcp, tls, proxy: None, forwards: false, timeout: TIMEOUT }.with_timeout(TIMEOUT)
    }

    /// Bounds name lookup with TCP, and the TLS handshake, by `timeout` each.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        // Divided among the addresses of a name; the whole is bounded below.
        self.tcp.set_connect_timeout(Some(timeout));
        self.timeout = timeout;
        self
    }

    /// Reaches servers through proxies, by a tunnel (`CONNECT`) whatever the scheme.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Hands requests for `http` servers to the proxy itself instead of asking it for a tunnel, as HTTP/1.1 clients do.
    #[must_use]
    pub fn forwarding(mut self) -> Self {
        self.forwards = true;
        self
    }

    async fn connect(self, to: Uri) -> Result<Stream, ConnectError> {
        let (Some(host), Some(scheme)) = (to.host(), to.scheme_str()) else {
            return Err(ConnectError::Address(to.to_string()));
        };
        let secure = scheme == "https";
        if secure && self.tls.is_none() {
            return Err(ConnectError::NoTls(to.to_string()));
        }
        let via = self.proxy.as_ref().and_then(|proxy| proxy.toward(&to));
        let forwarded = via.is_some() && self.forwards && !secure;
        let tcp = match via {
            Some(via) if forwarded => self.reach(&via.uri).await?,
            Some(via) => self.tunnel(via, &to).await?,
            None => self.reach(&to).await?,
        };
        let io = match &self.tls {
            Some(tls) if secure => Io::Tls(Box::new(TokioIo::new(self.handshake(tls, host, tcp).await?))),
            _ => Io::Plain(TokioIo::new(tcp)),
        };
        Ok(Stream { io, forwarded })
    }

    async fn reach(&self, to: &Uri) -> Result<TcpStream, ConnectError> {
        match timeout(self.timeout, self.tcp.clone().call(to.clone())).await {
            Ok(Ok(stream)) => Ok(stream.into_inner()),
            Ok(Err(error)) => Err(ConnectError::Unreachable { to: authority(to), reason: innermost(&error) }),
            Err(_) => {
                let step = "the connection attempt";
                Err(ConnectError::Timeout { to: authority(to), step, after: self.timeout })
            }
        }
    }

    async fn tunnel(&self, via: Via, to: &Uri) -> Result<TcpStream, ConnectError> {
        let (proxy, server) = (authority(&via.uri), authority(to));
        let mut tunnel = Tunnel::new(via.uri, self.tcp.clone());
        if let Some(authorization) = via.authorization {
            tunnel = tunnel.with_auth(authorization);
        }
        match timeout(self.timeout, tunnel.call(to.clone())).await {
            Ok(Ok(stream)) => Ok(stream.into_inner()),
            Ok(Err(error)) => Err(ConnectError::Proxy { proxy, to: server, reason: innermost(&error) }),
            Err(_) => Err(ConnectError::Timeout { to: proxy, step: "the request for a tunnel", after: self.timeout }),
        }
    }

    async fn handshake(
        &self,
        tls: &Tls,
        host: &str,
        tcp: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ConnectError> {
        let name = tls.server_name(host)?;
        let config = if tls.is_due() {
            let reading = tls.clone();
            let read = tokio::task::spawn_blocking(move || reading.current()).await;
            read.map_err(|error| ConnectError::Handshake(format!("cannot read the TLS files: {error}")))?
        } else {
            tls.current()
        };
        match timeout(self.timeout, TlsConnector::from(config).connect(name, tcp)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                let text = explain(&error, host).unwrap_or_else(|| format!("{host} ended the TLS handshake: {error}"));
                Err(ConnectError::Handshake(text))
            }
            Err(_) => Err(ConnectError::Timeout { to: host.to_owned(), step: "the TLS handshake", after: self.timeout }),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

fn authority(uri: &Uri) -> String {
    uri.authority().map_or_else(|| uri.to_string(), |authority| authority.as_str().to_owned())
}

/// The last cause: what the system said. Those before it only say which library asked.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
