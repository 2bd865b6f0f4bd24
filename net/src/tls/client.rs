//! The client's side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::RootCertStore;
use rustls::pki_types::ServerName;

use super::config::ClientConfig;
use super::live::{Live, Recipe};
use super::material::{Material, TlsError, part};
use super::unverified::Unverified;

/// TLS as configured, for new connections. Cloning gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Live<Client>>);

#[derive(Debug)]
struct Client {
    config: ClientConfig,
    alpn: Vec<Vec<u8>>,
}

impl Tls {
    /// Reads the files and makes a configuration that offers the protocols `alpn`, best first. Reads the system's authorities, which
    /// takes milliseconds, if no others are named.
    pub fn new(config: &ClientConfig, alpn: &[&[u8]]) -> Result<Self, TlsError> {
        let alpn = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Self(Arc::new(Live::new(Client { config: config.clone(), alpn })?)))
    }

    /// What a new connection uses. Reads files if `reload_interval` has passed since they were last looked at, so it may block.
    pub fn current(&self) -> Arc<rustls::ClientConfig> {
        self.at(Instant::now())
    }

    /// Whether [`current`](Self::current) would read files.
    pub fn is_due(&self) -> bool {
        self.0.is_due(Instant::now())
    }

    /// The name that a certificate must be for, if the endpoint's host is `host` (an IPv6 address with or without its brackets).
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        let over = &self.0.recipe().config.server_name_override;
        let name = if over.is_empty() { host.trim_start_matches('[').trim_end_matches(']') } else { over };
        ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))
    }

    pub(super) fn at(&self, now: Instant) -> Arc<rustls::ClientConfig> {
        self.0.at(now)
    }
}

impl Recipe for Client {
    type Built = rustls::ClientConfig;

    fn interval(&self) -> Duration {
        self.config.reload_interval.get()
    }

    fn read(&self, _: Option<&Material>) -> Result<Material, TlsError> {
        let common = self.config.common();
        Material::read(&common, part(("ca_file", common.ca_file), ("ca_pem", common.ca_pem))?)
    }

    fn build(&self, material: &Material) -> Result<rustls::ClientConfig, TlsError> {
        let common = self.config.common();
        let provider = Arc::new(common.provider());
        let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(common.versions())
            .map_err(|error| TlsError::Settings(error.to_string()))?;
        let builder = if self.config.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        } else {
            builder.with_root_certificates(self.authorities(material)?)
        };
        let own = material.own(|cert, key| builder.clone().with_client_auth_cert(cert, key))?;
        let mut built = own.unwrap_or_else(|| builder.with_no_client_auth());
        built.alpn_protocols.clone_from(&self.alpn);
        Ok(built)
    }
}

impl Client {
    fn authorities(&self, material: &Material) -> Result<RootCertStore, TlsError> {
        let mut store = material.authorities()?;
        if material.ca.is_none() || self.config.include_system_ca_certs_pool {
            // Single certificates of a system's store may be too old to be read; the others are still good.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if store.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(store) }
    }
}
