//! TLS: on unless it is turned off, and clear about what is wrong.

use deferd_component::{ExportError, Exporter as _};
use deferd_integration::otlp_sink::Sink;
use deferd_net::testing::{Authority, Issued};

use super::{batch, exporter};

fn sink(authority: &Authority, certificate: &Issued, asks: bool) -> Sink {
    Sink::start_with(Some(authority.acceptor(certificate, asks, &[b"h2"]).unwrap()))
}

fn indented(pem: &str) -> String {
    serde_json::to_string(pem).unwrap()
}

/// What an exporter that trusts `authority` makes of the sink; `endpoint` is a template with the port in place of `PORT`.
async fn trusting(sink: &Sink, authority: &Authority, endpoint: &str, keys: &str) -> Result<(), ExportError> {
    let endpoint = endpoint.replace("PORT", &sink.port().to_string());
    let body = format!("{{endpoint: \"{endpoint}\", tls: {{ca_pem: {}, {keys}}}}}", indented(&authority.pem));
    exporter(&body).export(&batch(1, 5)).await
}

#[tokio::test]
async fn a_backend_with_a_certificate_we_trust_gets_the_data() {
    let authority = Authority::new().unwrap();
    let sink = sink(&authority, &authority.issue(&["localhost"]).unwrap(), false);
    trusting(&sink, &authority, "localhost:PORT", "").await.unwrap();
    // A scheme decides over `insecure`.
    trusting(&sink, &authority, "https://localhost:PORT", "insecure: true").await.unwrap();
    trusting(&sink, &authority, "127.0.0.1:PORT", "server_name_override: localhost").await.unwrap();
    assert_eq!(sink.look(|received| received.points), 15);
}

#[tokio::test]
async fn a_certificate_that_is_wrong_is_named_and_nothing_is_sent() {
    let (ours, theirs) = (Authority::new().unwrap(), Authority::new().unwrap());
    let cases = [
        (
            ours.issue(&["elsewhere.example"]).unwrap(),
            &ours,
            "the certificate of localhost is for elsewhere.example, not for localhost",
        ),
        (ours.issue_expired(&["localhost"]).unwrap(), &ours, "the certificate of localhost expired on "),
        (theirs.issue(&["localhost"]).unwrap(), &theirs, "the certificate of localhost is signed by nobody we trust"),
    ];
    for (certificate, authority, what) in cases {
        let sink = sink(authority, &certificate, false);
        let error = trusting(&sink, &ours, "localhost:PORT", "").await.unwrap_err();
        let ExportError::Retryable { message, .. } = error else { panic!("{error:?}") };
        assert!(message.contains(what), "{message}, not {what}");
        assert_eq!(sink.look(|received| received.requests.len()), 0);
    }
}

#[tokio::test]
async fn our_own_certificate_is_shown_to_a_backend_that_asks() {
    let authority = Authority::new().unwrap();
    let sink = sink(&authority, &authority.issue(&["localhost"]).unwrap(), true);
    let own = authority.issue(&["deferd"]).unwrap();
    let keys = format!("cert_pem: {}, key_pem: {}", indented(&own.cert), indented(&own.key));
    trusting(&sink, &authority, "localhost:PORT", &keys).await.unwrap();
    assert_eq!(sink.look(|received| received.points), 5);
    assert!(matches!(trusting(&sink, &authority, "localhost:PORT", "").await, Err(ExportError::Retryable { .. })));
}

#[tokio::test]
async fn encryption_is_on_without_a_tls_block_and_off_when_said() {
    let sink = Sink::start();
    let port = sink.port();
    for endpoint in [format!("localhost:{port}"), format!("https://localhost:{port}")] {
        let error = exporter(&format!("{{endpoint: \"{endpoint}\"}}")).export(&batch(1, 5)).await.unwrap_err();
        assert!(error.to_string().contains("TLS"), "{error}");
    }
    exporter(&format!("{{endpoint: \"localhost:{port}\", tls: {{insecure: true}}}}")).export(&batch(1, 5)).await.unwrap();
    exporter(&format!("{{endpoint: \"http://localhost:{port}\"}}")).export(&batch(1, 5)).await.unwrap();
    assert_eq!(sink.look(|received| received.points), 10);
}
