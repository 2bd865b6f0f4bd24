//! The Alertmanager file, read by `amtool` and by a real Alertmanager.

use std::process::Command;

use deferd_integration::process::{Running, is_installed};
use deferd_integration::{http, port, wait};
use serde_json::Value;

use crate::shipped::{self, has, succeed};

fn file() -> String {
    shipped::path("deploy/alertmanager/alertmanager.yml").display().to_string()
}

#[test]
fn each_severity_goes_where_it_should() {
    if !has("amtool", "prometheus-alertmanager") {
        return;
    }
    succeed("amtool", &["check-config", &file()]);
    let config = format!("--config.file={}", file());
    for (severity, receiver) in [("critical", "page"), ("high", "chat"), ("medium", "record"), ("", "chat")] {
        let severity = format!("severity={severity}");
        let labels = ["alertname=PendingGrowth", &severity, "service=shop", "site=main.go:33"];
        let answer = succeed("amtool", &[&["config", "routes", "test", &config], labels.as_slice()].concat());
        assert_eq!(answer.trim(), receiver, "{severity}");
    }
}

#[test]
fn what_is_told_of_a_site_silences_lesser_news_of_it_alone() {
    // Debian renames the program.
    let program = if is_installed("alertmanager") { "alertmanager" } else { "prometheus-alertmanager" };
    if !has(program, "prometheus-alertmanager") || !has("amtool", "prometheus-alertmanager") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = port::free();
    let address = ([127, 0, 0, 1], port).into();
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", file())).arg(format!("--storage.path={}", folder.path().display()));
    command.args([&format!("--web.listen-address=127.0.0.1:{port}"), "--cluster.listen-address="]);
    let mut running = Running::start(command);
    wait::until("Alertmanager is ready", || {
        assert!(running.is_running(), "Alertmanager ended: {}", running.stderr());
        http::get(address, "/-/ready").is_ok_and(|answer| answer.status == 200).then_some(())
    });

    let url = format!("--alertmanager.url=http://127.0.0.1:{port}");
    for (name, severity, service, instance, site) in [
        ("Leak", "critical", "shop", "a", "main.go:33"),
        ("Growth", "high", "shop", "a", "main.go:33"),
        ("Chain", "medium", "shop", "a", "main.go:33"),
        ("OtherSite", "high", "shop", "a", "main.go:90"),
        ("OtherService", "high", "till", "a", "main.go:33"),
        ("NoSite", "high", "shop", "a", ""),
        ("OpenFilesGrow", "high", "shop", "a", "main.go:50"),
        ("DescriptorsGrow", "high", "shop", "a", ""),
        ("DescriptorsGrow", "high", "shop", "b", ""),
    ] {
        let labels = [
            format!("alertname={name}"),
            format!("severity={severity}"),
            format!("service={service}"),
            format!("instance={instance}"),
            format!("site={site}"),
        ];
        let labels = labels.each_ref().map(String::as_str);
        succeed("amtool", &[&["alert", "add", &url], labels.as_slice()].concat());
    }
    let (silenced, _) = wait::until("all nine are there", || {
        let answer: Value = serde_json::from_str(&http::get(address, "/api/v2/alerts").ok()?.body).ok()?;
        let alerts = answer.as_array().filter(|alerts| alerts.len() == 9)?;
        let inhibited = |alert: &&Value| alert["status"]["inhibitedBy"].as_array().is_some_and(|by| !by.is_empty());
        let mut names: Vec<String> = alerts.iter().filter(inhibited).map(|alert| named(&alert["labels"])).collect();
        names.sort();
        Some(names)
    });
    assert_eq!(silenced, ["Chain of a", "DescriptorsGrow of a", "Growth of a"]);
}

fn named(labels: &Value) -> String {
    let text = |key: &str| labels[key].as_str().unwrap_or_default();
    format!("{} of {}", text("alertname"), text("instance"))
}
