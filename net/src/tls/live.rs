//! A configuration of rustls that follows its files.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_config::one_line;
use parking_lot::Mutex;
use rustls::pki_types::ServerName;

use super::config::ClientConfig;
use super::material::{Material, TlsError};

/// TLS as configured, for new connections. Cloning gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: ClientConfig,
    alpn: Vec<Vec<u8>>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    built: Arc<rustls::ClientConfig>,
    material: Material,
    looked: Instant,
    /// What is wrong with the files now, so that it is said once.
    complaint: Option<TlsError>,
}

impl Tls {
    /// Reads the files and makes a configuration that offers the protocols `alpn`, best first. Reads the system's authorities, which
    /// takes milliseconds, if no others are named.
    pub fn new(config: &ClientConfig, alpn: &[&[u8]]) -> Result<Self, TlsError> {
        let alpn: Vec<Vec<u8>> = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let material = Material::read(config)?;
        let built = Arc::new(material.build(config, &alpn)?);
        let current = Mutex::new(Current { built, material, looked: Instant::now(), complaint: None });
        Ok(Self(Arc::new(Shared { config: config.clone(), alpn, current })))
    }

    /// What a new connection uses. Reads files if `reload_interval` has passed since they were last looked at, so it may block.
    pub fn current(&self) -> Arc<rustls::ClientConfig> {
        self.at(Instant::now())
    }

    /// Whether [`current`](Self::current) would read files.
    pub fn is_due(&self) -> bool {
        self.due(self.0.current.lock().looked, Instant::now())
    }

    /// The name that a certificate must be for, if the endpoint's host is `host` (an IPv6 address with or without its brackets).
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        let over = &self.0.config.server_name_override;
        let name = if over.is_empty() { host.trim_start_matches('[').trim_end_matches(']') } else { over };
        ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))
    }

    fn due(&self, looked: Instant, now: Instant) -> bool {
        let interval: Duration = self.0.config.reload_interval.get();
        !interval.is_zero() && now.saturating_duration_since(looked) >= interval
    }

    pub(super) fn at(&self, now: Instant) -> Arc<rustls::ClientConfig> {
        let mut current = self.0.current.lock();
        if self.due(current.looked, now) {
            current.looked = now;
            self.look(&mut current);
        }
        Arc::clone(&current.built)
    }

    fn look(&self, current: &mut Current) {
        let read = Material::read(&self.0.config);
        if read.as_ref().is_ok_and(|material| *material == current.material) {
            current.complaint = None;
            return;
        }
        match read.and_then(|material| Ok((material.build(&self.0.config, &self.0.alpn)?, material))) {
            Ok((built, material)) => {
                tracing::info!("uses new TLS certificates for new connections");
                (current.built, current.material, current.complaint) = (Arc::new(built), material, None);
            }
            Err(error) => {
                if current.complaint.as_ref() != Some(&error) {
                    let error = one_line(&error.to_string());
                    tracing::warn!("keeps the TLS certificates it has, for those in its files cannot be used: {error}");
                }
                current.complaint = Some(error);
            }
        }
    }
}
