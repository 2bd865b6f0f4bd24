//! A certificate authority of one's own, and TLS servers, for the tests of clients; only with the feature `testing`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;

/// A failure to make what a test needs.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An authority that signs certificates, made anew for each test.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, for `ca_file`.
    pub pem: String,
    /// What it calls itself.
    pub name: String,
}

/// A certificate and its key, both PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// For `cert_file`.
    pub cert: String,
    /// For `key_file`.
    pub key: String,
}

impl Authority {
    /// A new authority, called like no other.
    pub fn new() -> Result<Self, Failure> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        Self::named(&format!("authority {}", MADE.fetch_add(1, Ordering::Relaxed)))
    }

    /// A new authority of that name.
    pub fn named(name: &str) -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem, name: name.to_owned() })
    }

    /// A certificate for `names` (host names and addresses), which is valid for an hour more.
    pub fn issue(&self, names: &[&str]) -> Result<Issued, Failure> {
        self.issue_until(names, OffsetDateTime::now_utc() + Duration::HOUR)
    }

    /// A certificate that expired an hour ago.
    pub fn issue_expired(&self, names: &[&str]) -> Result<Issued, Failure> {
        self.issue_until(names, OffsetDateTime::now_utc() - Duration::HOUR)
    }

    fn issue_until(&self, names: &[&str], end: OffsetDateTime) -> Result<Issued, Failure> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        params.not_before = end - Duration::DAY;
        params.not_after = end;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let cert = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { cert, key: key.serialize_pem() })
    }

    /// The server's side of TLS with that certificate. `asks` for certificates of this authority if set; offers the protocols `alpn`.
    pub fn acceptor(&self, with: &Issued, asks: bool, alpn: &[&[u8]]) -> Result<TlsAcceptor, Failure> {
        let provider = Arc::new(ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes())?)?;
            builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?)
        } else {
            builder.with_no_client_auth()
        };
        let chain = CertificateDer::pem_slice_iter(with.cert.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let mut config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(with.key.as_bytes())?)?;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
