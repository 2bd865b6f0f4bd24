//! The distribution as its users run it.

use std::process::Command;

use deferd_integration::config::Watch;
use deferd_integration::deferd::Service;
use deferd_integration::process::{self, Ended};
use deferd_integration::programs::Leaky;
use deferd_integration::wait;

fn shopd() -> Command {
    Command::new(env!("CARGO_BIN_EXE_shopd"))
}

fn run(arguments: &[&str]) -> Ended {
    let mut command = shopd();
    command.args(arguments);
    process::run(command)
}

/// A configuration that watches these processes, with the component in its pipeline.
fn configuration(watch: &Watch, body: &str) -> String {
    let pipeline = "      receivers: [godefer]\n";
    let text = watch.yaml().replace(pipeline, &format!("{pipeline}      processors: [only_services]\n"));
    text.replace("exporters:\n  prometheus:", &format!("processors:\n  only_services: {body}\nexporters:\n  prometheus:"))
}

#[test]
fn its_component_is_listed_beside_all_of_deferd_s() {
    let listing = run(&["components"]).stdout;
    assert!(listing.contains("    - name: only_services\n"), "{listing}");
    assert!(listing.contains("    - name: godefer\n") && listing.contains("    - name: filter\n"), "{listing}");
}

#[test]
fn a_wrong_key_of_its_component_is_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shopd.yaml");
    let text = configuration(&Watch::pids(&[1]), "\n    prefix: [shop]");
    std::fs::write(&file, &text).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("prefix:")).unwrap();
    let ended = run(&["validate", "--config", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let place = format!("Error: {}:{line}:5: processors::only_services::prefix: unknown key \"prefix\"", file.display());
    assert!(ended.stderr.contains(&place) && ended.stderr.contains("did you mean \"prefixes\"?"), "{}", ended.stderr);
}

#[test]
fn data_passes_through_its_component_and_a_reload_changes_what() {
    let [shop, till] = ["shop", "till"].map(|name| Leaky::start_as(100, &[("OTEL_SERVICE_NAME", name)]));
    let watch = Watch::pids(&[shop.pid(), till.pid()]);
    let service = Service::start_by(shopd(), &configuration(&watch, "{prefixes: [shop]}"), watch.ports);
    let seen = |job| !service.scrape().all("go_defer_pending", &[("job", job)]).is_empty();
    wait::until("the shop is shown", || seen("shop").then_some(()));
    let dropped = || {
        let labels = [("component", "processors::only_services"), ("reason", "filtered")];
        service.own_metrics().value("deferd_dropped_items", &labels).filter(|items| *items > 0.0)
    };
    wait::until("what the till holds is dropped and counted", dropped);
    assert!(!seen("till"), "the till is somebody else's");

    service.reload(&configuration(&watch, "{prefixes: [shop, till]}"));
    wait::until("the till is shown too", || seen("till").then_some(()));
    assert_eq!(service.stop().code, Some(0));
}
