//! What went wrong in a handshake, for people.

use std::error::Error;
use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Causes of causes that are looked at. Chains of errors are short; one that is not may be a loop.
const MAX_DEPTH: usize = 16;

/// Says what a TLS error means that is anywhere among the causes of `error`; `None` if there is none. `host` is who we talk to.
pub fn explain(error: &(dyn Error + 'static), host: &str) -> Option<String> {
    let mut next = Some(error);
    for _ in 0..MAX_DEPTH {
        let error = next?;
        // The source of an I/O error is the source of what it wraps, not what it wraps.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = inner.and_then(|inner| inner.downcast_ref()).or_else(|| error.downcast_ref::<rustls::Error>());
        if let Some(tls) = tls {
            return Some(meaning(tls, host));
        }
        next = error.source();
    }
    None
}

fn meaning(error: &rustls::Error, host: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => certificate(reason, host),
        rustls::Error::AlertReceived(alert) => alerted(*alert, host),
        rustls::Error::InvalidMessage(_) => {
            format!("{host} does not speak TLS (if it is meant to be without: a scheme of http://, or tls::insecure: true)")
        }
        rustls::Error::PeerIncompatible(reason) => format!("{host} and we have no TLS version or cipher in common: {reason:?}"),
        rustls::Error::NoApplicationProtocol => format!("{host} does not speak the protocol we need (ALPN)"),
        other => format!("TLS with {host} failed: {other}"),
    }
}

fn certificate(reason: &CertificateError, host: &str) -> String {
    match reason {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate of {host} expired on {}", date(*not_after))
        }
        CertificateError::Expired => format!("the certificate of {host} has expired"),
        CertificateError::NotValidYetContext { not_before, time } => {
            format!("the certificate of {host} is not valid before {} (now: {})", date(*not_before), date(*time))
        }
        CertificateError::NotValidYet => format!("the certificate of {host} is not valid yet"),
        CertificateError::UnknownIssuer => {
            format!("the certificate of {host} is signed by nobody we trust; name its authority in tls::ca_file")
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
            format!("the certificate of {host} is for {names}, not for {}", expected.to_str())
        }
        CertificateError::BadSignature => {
            format!(
                "the certificate of {host} is not signed by the authority we know by that name (is tls::ca_file out of date?)"
            )
        }
        CertificateError::Revoked => format!("the certificate of {host} was revoked"),
        // What rustls wraps without a name of its own for it.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            format!(
                "the certificate of {host} is that of an authority, which a server must not use for itself; make another with \
                 basicConstraints=CA:FALSE (openssl req -x509 ... -addext basicConstraints=critical,CA:FALSE)"
            )
        }
        other => format!("the certificate of {host} cannot be used: {other}"),
    }
}

fn alerted(alert: AlertDescription, host: &str) -> String {
    match alert {
        AlertDescription::CertificateExpired => format!("{host} says that our certificate has expired (tls::cert_file)"),
        AlertDescription::UnknownCA => format!("{host} does not know who signed our certificate (tls::cert_file)"),
        AlertDescription::CertificateRequired => format!("{host} asks for a certificate; set tls::cert_file and tls::key_file"),
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown | AlertDescription::AccessDenied => {
            format!("{host} refuses our certificate (tls::cert_file): {alert:?}")
        }
        AlertDescription::ProtocolVersion => format!("{host} takes no version of TLS that we offer (tls::min_version)"),
        AlertDescription::UnrecognisedName => format!("{host} does not know that name (tls::server_name_override)"),
        other => format!("{host} ended the TLS handshake: {other:?}"),
    }
}

/// The name in `DnsName("name")`, which is how rustls lists the names of a certificate.
fn bare(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(presented).trim_matches('"')
}

fn date(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let text = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| format!("second {seconds} since 1970"))
}
