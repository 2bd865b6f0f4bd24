use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_component::{Issues, Validate};
use deferd_config::Secret;
use tempfile::TempDir;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::testing::{Authority, Issued};
use crate::tls::*;

struct Files {
    directory: TempDir,
    config: ServerConfig,
}

/// A server of `authority` that asks its clients for certificates of it, and looks at its files every minute.
fn files(authority: &Authority) -> Files {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let config = ServerConfig {
        client_ca_file: path("ca.pem"),
        cert_file: path("cert.pem"),
        key_file: path("key.pem"),
        reload_interval: deferd_config::Duration::from_secs(60),
        ..ServerConfig::default()
    };
    let files = Files { directory, config };
    files.write(&authority.issue(&["127.0.0.1"]).unwrap());
    fs::write(&files.config.client_ca_file, &authority.pem).unwrap();
    files
}

impl Files {
    fn write(&self, own: &Issued) {
        fs::write(&self.config.cert_file, &own.cert).unwrap();
        fs::write(&self.config.key_file, &own.key).unwrap();
    }
}

fn client(trusts: &Authority, own: Option<Issued>) -> Tls {
    let own = own.unwrap_or(Issued { cert: String::new(), key: String::new() });
    let ca_pem = trusts.pem.clone();
    let config = ClientConfig { ca_pem, cert_pem: own.cert, key_pem: Secret::new(own.key), ..ClientConfig::default() };
    Tls::new(&config, &[b"h2"]).unwrap()
}

/// What both sides say of a handshake: the protocol that they agreed on, or what went wrong on the server's.
async fn shake(server: Arc<rustls::ServerConfig>, client: &Tls) -> Result<Option<Vec<u8>>, String> {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let name = client.server_name("127.0.0.1").unwrap();
    let accept = TlsAcceptor::from(server).accept(ours);
    let connect = TlsConnector::from(client.current()).connect(name, theirs);
    let (accepted, _connected) = tokio::join!(accept, connect);
    accepted.map(|stream| stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_client_without_a_certificate_of_the_named_authority_does_not_come_in() {
    let authority = Authority::new().unwrap();
    let made = files(&authority);
    let server = TlsServer::new(&made.config, &[b"h2"]).unwrap();
    let known = client(&authority, Some(authority.issue(&["us"]).unwrap()));
    assert_eq!(shake(server.current(), &known).await.unwrap(), Some(b"h2".to_vec()));
    let error = shake(server.current(), &client(&authority, None)).await.unwrap_err();
    assert!(error.contains("no certificates"), "{error}");
    let stranger = Authority::new().unwrap().issue(&["us"]).unwrap();
    let error = shake(server.current(), &client(&authority, Some(stranger))).await.unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let expired = authority.issue_expired(&["us"]).unwrap();
    let error = shake(server.current(), &client(&authority, Some(expired))).await.unwrap_err();
    assert!(error.contains("expired"), "{error}");
}

#[tokio::test]
async fn a_client_that_speaks_other_protocols_only_is_refused() {
    let authority = Authority::new().unwrap();
    let mut made = files(&authority);
    made.config.client_ca_file.clear();
    let server = TlsServer::new(&made.config, &[b"http/1.1"]).unwrap();
    let error = shake(server.current(), &client(&authority, None)).await.unwrap_err();
    assert!(error.contains("any known protocol"), "{error}");
}

#[test]
fn a_changed_certificate_is_used_once_its_key_is_there_too() {
    let authority = Authority::new().unwrap();
    let made = files(&authority);
    let server = TlsServer::new(&made.config, &[]).unwrap();
    let start = Instant::now();
    let first = server.at(start);
    let next = authority.issue(&["127.0.0.1"]).unwrap();
    fs::write(&made.config.cert_file, &next.cert).unwrap();
    assert!(Arc::ptr_eq(&first, &server.at(start + Duration::from_secs(59))), "the interval has not passed");
    assert!(Arc::ptr_eq(&first, &server.at(start + Duration::from_secs(61))), "the new key is not there yet");
    fs::write(&made.config.key_file, &next.key).unwrap();
    let second = server.at(start + Duration::from_secs(122));
    assert!(!Arc::ptr_eq(&first, &second));
    fs::remove_file(&made.config.key_file).unwrap();
    assert!(Arc::ptr_eq(&second, &server.at(start + Duration::from_secs(190))));
}

#[tokio::test]
async fn the_authorities_of_clients_are_followed_only_if_that_is_asked_for() {
    let (old, new) = (Authority::new().unwrap(), Authority::new().unwrap());
    let start = Instant::now();
    for (follows, interval) in [(false, 60), (true, 60), (true, 0)] {
        let mut made = files(&old);
        made.config.client_ca_file_reload = follows;
        made.config.reload_interval = deferd_config::Duration::from_secs(interval);
        let server = TlsServer::new(&made.config, &[b"h2"]).unwrap();
        fs::write(&made.config.client_ca_file, &new.pem).unwrap();
        made.write(&old.issue(&["127.0.0.1"]).unwrap());
        let later = server.at(start + Duration::from_secs(70));
        let comes = shake(later, &client(&old, Some(new.issue(&["us"]).unwrap()))).await;
        assert_eq!(comes.is_ok(), follows, "{comes:?}");
    }
}

#[test]
fn a_certificate_is_read_once_if_only_the_authorities_are_to_be_followed() {
    let authority = Authority::new().unwrap();
    let mut made = files(&authority);
    made.config.client_ca_file_reload = true;
    made.config.reload_interval = deferd_config::Duration::default();
    let server = TlsServer::new(&made.config, &[]).unwrap();
    let start = Instant::now();
    let first = server.at(start);
    made.write(&authority.issue(&["127.0.0.1"]).unwrap());
    assert!(Arc::ptr_eq(&first, &server.at(start + Duration::from_secs(10))));
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_key() {
    let authority = Authority::new().unwrap();
    let made = files(&authority);
    let problem = |config: ServerConfig| TlsServer::new(&config, &[]).unwrap_err().to_string();
    let missing = made.directory.path().join("none.pem").to_str().unwrap().to_owned();
    let text = problem(ServerConfig { client_ca_file: missing.clone(), ..made.config.clone() });
    assert_eq!(text, format!("tls::client_ca_file: {missing}: cannot be opened: No such file or directory (os error 2)"));
    let text = problem(ServerConfig { client_ca_file: made.config.key_file.clone(), ..made.config.clone() });
    assert!(text.ends_with("key.pem: holds no certificate in PEM form"), "{text}");
    fs::write(&made.config.key_file, authority.issue(&["other"]).unwrap().key).unwrap();
    let text = problem(made.config.clone());
    assert!(text.contains("cert.pem: does not go with its key"), "{text}");
    let text = problem(ServerConfig::default());
    assert_eq!(text, "tls: a server needs a certificate and its key; set cert_file and key_file");
}

#[test]
fn a_server_without_a_certificate_is_refused_with_its_configuration() {
    let found = |config: ServerConfig| {
        let mut issues = Issues::default();
        config.validate(&mut issues);
        issues.into_vec().into_iter().map(|issue| issue.path.join("::")).collect::<Vec<_>>()
    };
    assert_eq!(found(ServerConfig::default()), ["cert_file"]);
    let half = ServerConfig { cert_file: "a".to_owned(), client_ca_file_reload: true, ..ServerConfig::default() };
    assert_eq!(found(half), ["key_file", "client_ca_file_reload"]);
    let whole = ServerConfig { cert_file: "a".to_owned(), key_file: "b".to_owned(), ..ServerConfig::default() };
    assert!(found(whole).is_empty());
}
