//! TLS and tokens, as they change while the exporter runs.

use std::fs;

use deferd_net::testing::Authority;
use tokio::net::TcpListener;

use super::server::{EAGER, Running, Server};
use super::*;

#[tokio::test]
async fn an_expired_certificate_is_named_and_its_replacement_taken() {
    let authority = Authority::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    fs::write(&ca, &authority.pem).unwrap();
    let expired = authority.issue_expired(&["127.0.0.1"]).unwrap();
    let server = Server::with_tls(authority.acceptor(&expired, false, &[]).unwrap()).await;
    let address = server.address;
    let running = Running::new(&format!("{{endpoint: \"https://{address}\", tls: {{ca_file: {}}}, {EAGER}}}", ca.display()));
    running.export(&[LEAK]).await;
    running.complains("unreachable: https://127.0.0.1").await;
    running.complains("the certificate of 127.0.0.1 expired on 20").await;
    drop(server);
    let valid = authority.issue(&["127.0.0.1"]).unwrap();
    let listener = eventually("the port", || {
        let listener = std::net::TcpListener::bind(address).ok()?;
        listener.set_nonblocking(true).ok()?;
        TcpListener::from_std(listener).ok()
    });
    let server = Server::listen(listener.await, Some(authority.acceptor(&valid, false, &[]).unwrap()));
    running.recovers().await;
    assert_eq!(server.alerts().len(), 1);
}

#[tokio::test]
async fn a_new_authority_and_a_new_token_are_read_from_their_files() {
    let (old, new) = (Authority::new().unwrap(), Authority::new().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let (ca, token) = (directory.path().join("ca.pem"), directory.path().join("token"));
    fs::write(&ca, &old.pem).unwrap();
    fs::write(&token, "first\n").unwrap();
    let server = Server::with_tls(new.acceptor(&new.issue(&["127.0.0.1"]).unwrap(), false, &[]).unwrap()).await;
    let body = format!(
        "{{endpoint: \"https://{}\", tls: {{ca_file: {}, reload_interval: 10ms}}, auth: {{bearer_token_file: {}}}, {EAGER}}}",
        server.address,
        ca.display(),
        token.display()
    );
    let running = Running::new(&body);
    running.export(&[LEAK]).await;
    running.complains("is signed by nobody we trust").await;
    fs::write(&token, "second\n").unwrap();
    fs::write(&ca, &new.pem).unwrap();
    running.recovers().await;
    let mut number = 0;
    eventually("the new token", || {
        number += 1;
        let name = format!("alert_{number}");
        running.exporter.0.take(&[request(&[Point { name: &name, ..LEAK }])], Moment::now()).unwrap();
        server.heads().last()?.contains("authorization: Bearer second").then_some(())
    })
    .await;
}

#[test]
fn a_file_that_is_missing_is_a_problem_when_it_is_built() {
    let build = |body: &str| {
        let context = context(Kind::Exporter, &id(), &[Signal::Metrics]);
        Factory::build(decode(body).unwrap(), Arc::default(), &context).unwrap_err().to_string()
    };
    let text = build("{endpoint: \"https://a:1\", tls: {ca_file: /nowhere/ca.pem}}");
    assert_eq!(text, "tls::ca_file: /nowhere/ca.pem: cannot be opened: No such file or directory (os error 2)");
    let text = build("{auth: {basic: {username: u, password_file: /nowhere/p}}}");
    assert_eq!(text, "auth::basic::password_file: /nowhere/p: cannot be opened: No such file or directory (os error 2)");
    let text = build("{proxy_url: \"ftp://user:secret@proxy\"}");
    assert!(text.starts_with("proxy_url: \"proxy\" is no proxy that can be used"), "{text}");
}
