//! What the files and texts of a configuration hold, read within bounds.

use std::fmt;
use std::fs::File;
use std::io::Read as _;

use rustls::RootCertStore;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::common::Common;

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
    /// Those who vouch for the other side.
    pub(super) ca: Option<Part>,
    cert: Option<Part>,
    key: Option<Part>,
}

/// A private key must not come into a log by way of `{:?}`.
impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

/// A file or a text of the configuration.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Part {
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
    /// Reads what both sides name. The authorities are those that vouch for the other side.
    pub(super) fn read(common: &Common<'_>, ca: Option<Part>) -> Result<Self, TlsError> {
        Ok(Self {
            ca,
            cert: part(("cert_file", common.cert_file), ("cert_pem", common.cert_pem))?,
            key: part(("key_file", common.key_file), ("key_pem", common.key_pem))?,
        })
    }

    /// The same certificate and key, and other authorities.
    pub(super) fn with_authorities(&self, ca: Option<Part>) -> Self {
        Self { ca, cert: self.cert.clone(), key: self.key.clone() }
    }

    /// What `used` makes of our own certificate and key; `None` if we have none.
    pub(super) fn own<T>(
        &self,
        used: impl FnOnce(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) -> Result<T, rustls::Error>,
    ) -> Result<Option<T>, TlsError> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else { return Ok(None) };
        let used = used(cert.certificates()?, key.private_key()?);
        used.map(Some).map_err(|error| cert.error(format!("does not go with its key: {error}")))
    }

    /// The authorities that were named; empty if none were.
    pub(super) fn authorities(&self) -> Result<RootCertStore, TlsError> {
        let mut store = RootCertStore::empty();
        if let Some(ca) = &self.ca {
            for certificate in ca.certificates()? {
                store.add(certificate).map_err(|error| ca.error(format!("holds an unusable certificate: {error}")))?;
            }
        }
        Ok(store)
    }
}

/// One part, from its file or its text; which keys may be given together was checked with the configuration.
pub(super) fn part(file: (&'static str, &str), text: (&'static str, &str)) -> Result<Option<Part>, TlsError> {
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
