//! From files and texts to a configuration of rustls.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::config::{ClientConfig, Version};
use super::unverified::Unverified;

/// Longest file that is read, in bytes. All authorities of a system are a quarter of that.
const MAX_FILE: u64 = 1 << 20;

/// Why TLS cannot be done as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error("tls::{key}: {path}: {reason}")]
    File {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text in the configuration cannot be used.
    #[error("tls::{key}: {reason}")]
    Text {
        /// The key.
        key: &'static str,
        /// What is wrong with it. Never holds the text, which may be a key.
        reason: String,
    },
    /// Nobody is trusted.
    #[error("no CA certificates are installed in this system; name those of the server in tls::ca_file")]
    NoAuthorities,
    /// The settings exclude each other.
    #[error("tls: {0}")]
    Settings(String),
    /// No certificate could be for that name.
    #[error("{0:?} is no host name and no address; set tls::server_name_override")]
    ServerName(String),
}

/// What the files and texts hold, to see whether they have changed.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Material {
    ca: Option<Part>,
    cert: Option<Part>,
    key: Option<Part>,
}

/// A private key must not come into a log by way of `{:?}`.
impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Part {
    key: &'static str,
    path: Option<String>,
    bytes: Vec<u8>,
}

impl Part {
    fn error(&self, reason: impl Into<String>) -> TlsError {
        fail(self.key, self.path.as_deref(), reason.into())
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let certificates: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        let certificates = certificates.map_err(|error| self.error(format!("is damaged: {error}")))?;
        if certificates.is_empty() { Err(self.error("holds no certificate in PEM form")) } else { Ok(certificates) }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            PemError::NoItemsFound => self.error("holds no private key in PEM form (an encrypted one cannot be used)"),
            other => self.error(format!("is damaged: {other}")),
        })
    }
}

fn fail(key: &'static str, path: Option<&str>, reason: String) -> TlsError {
    match path {
        Some(path) => TlsError::File { key, path: path.to_owned(), reason },
        None => TlsError::Text { key, reason },
    }
}

impl Material {
    /// Reads what the configuration names.
    pub(super) fn read(config: &ClientConfig) -> Result<Self, TlsError> {
        Ok(Self {
            ca: part(("ca_file", &config.ca_file), ("ca_pem", &config.ca_pem))?,
            cert: part(("cert_file", &config.cert_file), ("cert_pem", &config.cert_pem))?,
            key: part(("key_file", &config.key_file), ("key_pem", config.key_pem.expose()))?,
        })
    }

    /// Makes rustls' configuration of it.
    pub(super) fn build(&self, config: &ClientConfig, alpn: &[Vec<u8>]) -> Result<rustls::ClientConfig, TlsError> {
        let provider = Arc::new(provider(config));
        let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions(config))
            .map_err(|error| TlsError::Settings(error.to_string()))?;
        let builder = if config.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        } else {
            builder.with_root_certificates(self.authorities(config)?)
        };
        let mut built = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => builder
                .with_client_auth_cert(cert.certificates()?, key.private_key()?)
                .map_err(|error| cert.error(format!("does not go with its key: {error}")))?,
            _ => builder.with_no_client_auth(),
        };
        built.alpn_protocols = alpn.to_vec();
        Ok(built)
    }

    fn authorities(&self, config: &ClientConfig) -> Result<RootCertStore, TlsError> {
        let mut store = RootCertStore::empty();
        if let Some(ca) = &self.ca {
            for certificate in ca.certificates()? {
                store.add(certificate).map_err(|error| ca.error(format!("holds an unusable certificate: {error}")))?;
            }
        }
        if self.ca.is_none() || config.include_system_ca_certs_pool {
            // Single certificates of a system's store may be too old to be read; the others are still good.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if store.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(store) }
    }
}

/// One part, from its file or its text; which keys may be given together was checked with the configuration.
fn part(file: (&'static str, &str), text: (&'static str, &str)) -> Result<Option<Part>, TlsError> {
    if !text.1.is_empty() {
        return Ok(Some(Part { key: text.0, path: None, bytes: text.1.as_bytes().to_vec() }));
    }
    if file.1.is_empty() {
        return Ok(None);
    }
    let failed = |reason: String| fail(file.0, Some(file.1), reason);
    let mut bytes = Vec::new();
    let opened = File::open(file.1).map_err(|error| failed(format!("cannot be opened: {error}")))?;
    opened.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| failed(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed("is larger than 1 MiB".to_owned()));
    }
    Ok(Some(Part { key: file.0, path: Some(file.1.to_owned()), bytes }))
}

fn provider(config: &ClientConfig) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !config.cipher_suites.is_empty() {
        let named = |suite: &rustls::SupportedCipherSuite| config.cipher_suites.contains(&format!("{:?}", suite.suite()));
        provider.cipher_suites.retain(|suite| suite.tls13().is_some() || named(suite));
    }
    provider
}

fn versions(config: &ClientConfig) -> &'static [&'static rustls::SupportedProtocolVersion] {
    static ONLY_1_2: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
    static ONLY_1_3: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
    match (config.min_version, config.max_version) {
        (Version::V1_3, _) => ONLY_1_3,
        (Version::V1_2, Some(Version::V1_2)) => ONLY_1_2,
        (Version::V1_2, _) => rustls::ALL_VERSIONS,
    }
}
