//! The server's side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::server::WebPkiClientVerifier;

use super::config::ServerConfig;
use super::live::{Live, Recipe};
use super::material::{Material, TlsError, part};

/// How often the authorities of clients are looked at if `client_ca_file_reload` asks for it; the Collector watches the file.
const LOOK: Duration = Duration::from_secs(5);

/// TLS as configured, for new connections. Cloning gives another handle to the same.
#[derive(Debug, Clone)]
pub struct TlsServer(Arc<Live<Server>>);

#[derive(Debug)]
struct Server {
    config: ServerConfig,
    alpn: Vec<Vec<u8>>,
}

impl TlsServer {
    /// Reads the files and makes a configuration that speaks the protocols `alpn`, best first. A client that offers others only is
    /// refused; one that offers none is not.
    pub fn new(config: &ServerConfig, alpn: &[&[u8]]) -> Result<Self, TlsError> {
        let common = config.common();
        if !common.ca_file.is_empty() || !common.ca_pem.is_empty() {
            tracing::warn!("tls::ca_file has no effect on a server; clients are verified with tls::client_ca_file");
        }
        let alpn = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Self(Arc::new(Live::new(Server { config: config.clone(), alpn })?)))
    }

    /// What a new connection uses. Reads files if it is time to look at them again, so it may block.
    pub fn current(&self) -> Arc<rustls::ServerConfig> {
        self.at(Instant::now())
    }

    /// Whether [`current`](Self::current) would read files.
    pub fn is_due(&self) -> bool {
        self.0.is_due(Instant::now())
    }

    pub(super) fn at(&self, now: Instant) -> Arc<rustls::ServerConfig> {
        self.0.at(now)
    }
}

impl Recipe for Server {
    type Built = rustls::ServerConfig;

    fn interval(&self) -> Duration {
        let own = self.config.reload_interval.get();
        match (own.is_zero(), self.config.client_ca_file_reload) {
            (_, false) => own,
            (true, true) => LOOK,
            (false, true) => own.min(LOOK),
        }
    }

    fn read(&self, before: Option<&Material>) -> Result<Material, TlsError> {
        let kept = before.filter(|_| !self.config.client_ca_file_reload);
        let ca = match kept {
            Some(kept) => kept.ca.clone(),
            None => part(("client_ca_file", &self.config.client_ca_file), ("client_ca_file", ""))?,
        };
        match before.filter(|_| self.config.reload_interval.get().is_zero()) {
            Some(kept) => Ok(kept.with_authorities(ca)),
            None => Material::read(&self.config.common(), ca),
        }
    }

    fn build(&self, material: &Material) -> Result<rustls::ServerConfig, TlsError> {
        let common = self.config.common();
        let provider = Arc::new(common.provider());
        let unusable = |error: &dyn std::fmt::Display| TlsError::Settings(error.to_string());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(common.versions())
            .map_err(|error| unusable(&error))?;
        let builder = if material.ca.is_some() {
            let authorities = Arc::new(material.authorities()?);
            let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(&error))?)
        } else {
            builder.with_no_client_auth()
        };
        let built = material.own(|cert, key| builder.with_single_cert(cert, key))?;
        let mut built = built.ok_or_else(|| {
            TlsError::Settings("a server needs a certificate and its key; set cert_file and key_file".to_owned())
        })?;
        built.alpn_protocols.clone_from(&self.alpn);
        Ok(built)
    }
}
