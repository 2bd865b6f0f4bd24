use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_component::{Issues, Validate};
use deferd_config::Secret;
use tempfile::TempDir;

use crate::testing::{Authority, Issued};
use crate::tls::*;

struct Files {
    directory: TempDir,
    config: ClientConfig,
}

fn files(authority: &Authority, own: &Issued) -> Files {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let config = ClientConfig {
        ca_file: path("ca.pem"),
        cert_file: path("cert.pem"),
        key_file: path("key.pem"),
        reload_interval: deferd_config::Duration::from_secs(60),
        ..ClientConfig::default()
    };
    fs::write(&config.ca_file, &authority.pem).unwrap();
    fs::write(&config.cert_file, &own.cert).unwrap();
    fs::write(&config.key_file, &own.key).unwrap();
    Files { directory, config }
}

fn problem(config: &ClientConfig) -> String {
    Tls::new(config, &[]).unwrap_err().to_string()
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_key_and_the_reason() {
    let authority = Authority::new().unwrap();
    let made = files(&authority, &authority.issue(&["us"]).unwrap());
    let missing = made.directory.path().join("none.pem").to_str().unwrap().to_owned();
    let text = problem(&ClientConfig { ca_file: missing.clone(), ..made.config.clone() });
    assert_eq!(text, format!("tls::ca_file: {missing}: cannot be opened: No such file or directory (os error 2)"));
    let text = problem(&ClientConfig { ca_file: made.config.key_file.clone(), ..made.config.clone() });
    assert!(text.ends_with("key.pem: holds no certificate in PEM form"), "{text}");
    let text = problem(&ClientConfig { key_file: made.config.ca_file.clone(), ..made.config.clone() });
    assert!(text.ends_with("ca.pem: holds no private key in PEM form (an encrypted one cannot be used)"), "{text}");
    fs::write(&made.config.key_file, authority.issue(&["other"]).unwrap().key).unwrap();
    let text = problem(&made.config);
    assert!(text.contains("cert.pem: does not go with its key"), "{text}");
    let text = problem(&ClientConfig { ca_pem: "nothing".to_owned(), ..ClientConfig::default() });
    assert_eq!(text, "tls::ca_pem: holds no certificate in PEM form");
}

#[test]
fn a_key_never_shows_in_what_is_printed() {
    let authority = Authority::new().unwrap();
    let own = authority.issue(&["us"]).unwrap();
    let key = own.key.lines().nth(1).unwrap().to_owned();
    let config =
        ClientConfig { cert_pem: own.cert, key_pem: Secret::new(own.key), ca_pem: authority.pem, ..ClientConfig::default() };
    assert!(!format!("{config:?} {:?}", Tls::new(&config, &[]).unwrap()).contains(&key));
}

#[test]
fn changed_files_are_used_once_the_interval_has_passed_and_unusable_ones_never() {
    let authority = Authority::new().unwrap();
    let made = files(&authority, &authority.issue(&["us"]).unwrap());
    let tls = Tls::new(&made.config, &[b"h2"]).unwrap();
    let start = Instant::now();
    let first = tls.at(start);
    assert_eq!(first.alpn_protocols, [b"h2".to_vec()]);
    assert!(Arc::ptr_eq(&first, &tls.at(start + Duration::from_secs(61))), "nothing has changed");

    let next = authority.issue(&["us"]).unwrap();
    fs::write(&made.config.cert_file, &next.cert).unwrap();
    assert!(Arc::ptr_eq(&first, &tls.at(start + Duration::from_secs(62))), "the interval has not passed");
    assert!(Arc::ptr_eq(&first, &tls.at(start + Duration::from_secs(130))), "the new key is not there yet");
    fs::write(&made.config.key_file, &next.key).unwrap();
    let second = tls.at(start + Duration::from_secs(200));
    assert!(!Arc::ptr_eq(&first, &second));
    fs::remove_file(&made.config.ca_file).unwrap();
    assert!(Arc::ptr_eq(&second, &tls.at(start + Duration::from_mins(5))));
}

#[test]
fn files_are_read_once_if_no_interval_is_set() {
    let authority = Authority::new().unwrap();
    let mut made = files(&authority, &authority.issue(&["us"]).unwrap());
    made.config.reload_interval = deferd_config::Duration::default();
    let tls = Tls::new(&made.config, &[]).unwrap();
    fs::write(&made.config.ca_file, Authority::new().unwrap().pem).unwrap();
    let now = Instant::now();
    assert!(Arc::ptr_eq(&tls.at(now), &tls.at(now + Duration::from_hours(24))));
}

#[test]
fn settings_that_exclude_each_other_are_all_found() {
    let config = ClientConfig {
        ca_file: "a".to_owned(),
        ca_pem: "b".to_owned(),
        cert_file: "c".to_owned(),
        min_version: Version::V1_3,
        max_version: Some(Version::V1_2),
        cipher_suites: vec!["TLS_RSA_WITH_RC4_128_SHA".to_owned(), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()],
        ..ClientConfig::default()
    };
    let mut issues = Issues::default();
    config.validate(&mut issues);
    let paths: Vec<String> = issues.into_vec().into_iter().map(|issue| issue.path.join("::")).collect();
    assert_eq!(paths, ["ca_pem", "key_file", "max_version", "cipher_suites::0"]);
}
