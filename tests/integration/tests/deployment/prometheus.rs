//! The scrape jobs and the rules, read by `promtool`.

use deferd_integration::config::Watch;
use deferd_integration::deferd::Service;

use crate::shipped::{self, has, succeed};

fn file(name: &str) -> String {
    shipped::path(&format!("deploy/prometheus/{name}")).display().to_string()
}

#[test]
fn prometheus_takes_the_scrape_jobs() {
    if has("promtool", "prometheus") {
        succeed("promtool", &["check", "config", &file("scrape.yaml")]);
    }
}

/// Debian's Prometheus is built without Kubernetes: its discovery is replaced, and the rest is checked.
#[test]
fn prometheus_takes_the_jobs_for_pods_but_for_their_discovery() {
    if !has("promtool", "prometheus") {
        return;
    }
    let text = shipped::text("deploy/prometheus/scrape-kubernetes.yaml");
    let discovery = "    kubernetes_sd_configs:\n      - role: pod\n";
    assert_eq!(text.matches(discovery).count(), 2);
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(file("rules.yaml"), folder.path().join("rules.yaml")).unwrap();
    let copy = folder.path().join("scrape.yaml");
    std::fs::write(&copy, text.replace(discovery, "    static_configs: []\n")).unwrap();
    succeed("promtool", &["check", "config", copy.to_str().unwrap()]);
}

#[test]
fn every_rule_fires_when_it_should_and_only_then() {
    if has("promtool", "prometheus") {
        succeed("promtool", &["check", "rules", &file("rules.yaml")]);
        succeed("promtool", &["test", "rules", &file("rules_test.yaml")]);
    }
}

/// A rule over a metric that does not exist never fires, and nothing says so.
#[test]
fn the_rules_ask_for_metrics_that_deferd_has() {
    let watch = Watch::pids(&[std::process::id()]);
    let service = Service::start(&watch.yaml(), watch.ports);
    service.reload("receivers: [");
    let rejected = || (service.own_metrics().value("deferd_config_last_reload_successful", &[]) == Some(0.0)).then_some(());
    deferd_integration::wait::until("the reload is rejected", rejected);
    let shown = service.own_metrics();
    let rejected = [("component", "deferd"), ("reason", "config_rejected")];
    assert_eq!(shown.value("deferd_health", &rejected), Some(0.0), "what DeferdDegraded leaves to DeferdConfigRejected");
    let rules = shipped::text("deploy/prometheus/rules.yaml");
    let words = rules
        .lines()
        .filter(|line| line.contains("deferd_"))
        .flat_map(|line| line.split(|c: char| !(c.is_ascii_lowercase() || c == '_')));
    let asked: std::collections::BTreeSet<&str> = words.filter(|word| word.starts_with("deferd_")).collect();
    // Shown from the first drop on.
    let later = ["deferd_dropped_items"];
    for name in asked {
        assert!(later.contains(&name) || shown.names().contains(name), "{name} is not among deferd's own metrics");
    }
    assert_eq!(service.stop().code, Some(0));
}
