use std::net::SocketAddr;
use std::time::Duration;

use deferd_config::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_service::Service as _;

use super::*;
use crate::testing::{Authority, Issued};
use crate::tls::{ClientConfig, Tls, Version};

/// Ends its task with the test.
struct Server(SocketAddr, JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.1.abort();
    }
}

/// A TLS server that answers what it is sent with `ok`.
async fn tls_server(authority: &Authority, with: &Issued, asks: bool) -> Server {
    let acceptor = authority.acceptor(with, asks, &[b"h2", b"http/1.1"]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Server(
        address,
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"ok").await;
                    let _ = stream.shutdown().await;
                }
            }
        }),
    )
}

fn trusting(authority: &Authority) -> ClientConfig {
    ClientConfig { ca_pem: authority.pem.clone(), ..ClientConfig::default() }
}

async fn connect(config: &ClientConfig, url: String) -> Result<Stream, String> {
    let tls = Tls::new(config, &[b"h2"]).unwrap();
    let mut connector = Connector::new(Some(tls)).with_timeout(Duration::from_secs(5));
    connector.call(url.parse().unwrap()).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_server_whose_authority_is_named_is_trusted_and_speaks_what_we_offer() {
    let authority = Authority::new().unwrap();
    let server = tls_server(&authority, &authority.issue(&["127.0.0.1"]).unwrap(), false).await;
    let stream = connect(&trusting(&authority), format!("https://{}", server.0)).await.unwrap();
    assert_eq!(stream.alpn(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn versions_and_suites_are_those_that_are_asked_for() {
    let authority = Authority::new().unwrap();
    let server = tls_server(&authority, &authority.issue(&["127.0.0.1"]).unwrap(), false).await;
    let suite = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
    let old = ClientConfig { max_version: Some(Version::V1_2), cipher_suites: vec![suite.to_owned()], ..trusting(&authority) };
    let new = ClientConfig { min_version: Version::V1_3, ..trusting(&authority) };
    for (config, version, expected) in [(old, "TLSv1_2", suite), (new, "TLSv1_3", "TLS13_")] {
        let stream = connect(&config, format!("https://{}", server.0)).await.unwrap();
        let stream::Io::Tls(tls) = &stream.io else { panic!("no TLS") };
        let agreed = tls.inner().get_ref().1;
        assert_eq!(format!("{:?}", agreed.protocol_version().unwrap()), version);
        assert!(format!("{:?}", agreed.negotiated_cipher_suite().unwrap().suite()).starts_with(expected));
    }
}

#[test]
fn a_certificate_can_be_for_a_name_or_an_address() {
    let tls = Tls::new(&ClientConfig { insecure_skip_verify: true, ..ClientConfig::default() }, &[]).unwrap();
    for (host, name) in [("[::1]", "::1"), ("127.0.0.1", "127.0.0.1"), ("a.example", "a.example")] {
        assert_eq!(tls.server_name(host).unwrap().to_str(), name);
    }
    assert!(tls.server_name("not a name").unwrap_err().to_string().contains("tls::server_name_override"));
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said() {
    let authority = Authority::new().unwrap();
    let server = tls_server(&authority, &authority.issue_expired(&["127.0.0.1"]).unwrap(), false).await;
    let url = format!("https://{}", server.0);
    let text = connect(&trusting(&authority), url.clone()).await.unwrap_err();
    assert!(text.starts_with("the certificate of 127.0.0.1 expired on 20"), "{text}");
    let skipping = ClientConfig { insecure_skip_verify: true, ..ClientConfig::default() };
    connect(&skipping, url).await.unwrap();

    let server = tls_server(&authority, &authority.issue(&["elsewhere.example"]).unwrap(), false).await;
    let url = format!("https://{}", server.0);
    let text = connect(&trusting(&authority), url.clone()).await.unwrap_err();
    assert_eq!(text, "the certificate of 127.0.0.1 is for elsewhere.example, not for 127.0.0.1");
    let renamed = ClientConfig { server_name_override: "elsewhere.example".to_owned(), ..trusting(&authority) };
    connect(&renamed, url.clone()).await.unwrap();
    let text = connect(&trusting(&Authority::new().unwrap()), url.clone()).await.unwrap_err();
    assert_eq!(text, "the certificate of 127.0.0.1 is signed by nobody we trust; name its authority in tls::ca_file");
    let namesake = Authority::named(&authority.name).unwrap();
    let text = connect(&trusting(&namesake), url).await.unwrap_err();
    assert!(text.ends_with("not signed by the authority we know by that name (is tls::ca_file out of date?)"), "{text}");
}

#[tokio::test]
async fn our_own_certificate_is_shown_to_servers_that_ask() {
    let authority = Authority::new().unwrap();
    let server = tls_server(&authority, &authority.issue(&["127.0.0.1"]).unwrap(), true).await;
    let url = format!("https://{}", server.0);
    let own = authority.issue(&["us"]).unwrap();
    let config = ClientConfig { cert_pem: own.cert, key_pem: Secret::new(own.key), ..trusting(&authority) };
    assert_eq!(read(&config, &url).await.unwrap(), "ok");
    let text = read(&trusting(&authority), &url).await.unwrap_err();
    assert_eq!(text, "127.0.0.1 asks for a certificate; set tls::cert_file and tls::key_file");
    let old = authority.issue_expired(&["us"]).unwrap();
    let config = ClientConfig { cert_pem: old.cert, key_pem: Secret::new(old.key), ..trusting(&authority) };
    let text = read(&config, &url).await.unwrap_err();
    assert_eq!(text, "127.0.0.1 says that our certificate has expired (tls::cert_file)");
}

/// In TLS 1.3 a server refuses our certificate only after the handshake, so the answer has to be read.
async fn read(config: &ClientConfig, url: &str) -> Result<String, String> {
    let stream = connect(config, url.to_owned()).await?;
    let mut text = String::new();
    let read = hyper_util::rt::TokioIo::new(stream).read_to_string(&mut text).await;
    read.map_err(|error| crate::tls::explain(&error, "127.0.0.1").unwrap())?;
    Ok(text)
}

#[tokio::test]
async fn a_server_without_tls_and_one_that_is_silent_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let silent = listener.accept().await.unwrap();
        (stream, silent)
    });
    let authority = Authority::new().unwrap();
    let text = connect(&trusting(&authority), url.clone()).await.unwrap_err();
    assert_eq!(text, "127.0.0.1 does not speak TLS (if it is meant to be without: a scheme of http://, or tls::insecure: true)");
    let tls = Tls::new(&trusting(&authority), &[]).unwrap();
    let mut connector = Connector::new(Some(tls)).with_timeout(Duration::from_millis(100));
    let text = connector.call(url.parse().unwrap()).await.unwrap_err().to_string();
    assert_eq!(text, "127.0.0.1 did not answer the TLS handshake within 100ms");
    plain.abort();
}

#[tokio::test]
async fn nobody_there_and_no_tls_set_up_are_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut connector = Connector::new(None);
    let text = connector.call(format!("http://{address}").parse().unwrap()).await.unwrap_err().to_string();
    assert_eq!(text, format!("cannot connect to {address}: Connection refused (os error 111)"));
    let text = connector.call(format!("https://{address}").parse().unwrap()).await.unwrap_err().to_string();
    assert_eq!(text, format!("https://{address}/ asks for TLS, which is not set up for it"));
}

#[tokio::test]
async fn a_proxy_gives_a_tunnel_or_its_refusal_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://user:secret@{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut seen = Vec::new();
        for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n\r\n"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            seen.push(String::from_utf8_lossy(&head[..length]).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        seen
    });
    let mut connector = Connector::new(None).with_proxy(Proxy::fixed(&proxy).unwrap());
    connector.call("http://backend.example:4317".parse().unwrap()).await.unwrap();
    let text = connector.call("http://backend.example:4317".parse().unwrap()).await.unwrap_err().to_string();
    assert!(text.contains("gives no connection to backend.example:4317") && !text.contains("secret"), "{text}");
    let seen = serving.await.unwrap();
    assert!(seen[0].starts_with("CONNECT backend.example:4317 HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(seen[0].to_lowercase().contains("proxy-authorization: basic "), "{}", seen[0]);
    let text = Proxy::fixed("socks5://user:secret@127.0.0.1:1").unwrap_err().to_string();
    assert!(text.contains("is no proxy that can be used") && !text.contains("secret"), "{text}");
}
