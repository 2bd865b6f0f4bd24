//! Configurations that cannot run: said in one line each, exit code 1, nothing started.

use std::net::TcpListener;

use deferd_integration::config::Watch;
use deferd_integration::deferd;
use deferd_integration::process::Ended;

/// Runs the service with a configuration that it cannot run.
fn refused(text: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deferd.yaml");
    std::fs::write(&file, text).unwrap();
    let ended = deferd::run(["--config".as_ref(), file.as_os_str()]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
    ended
}

fn errors(ended: &Ended) -> Vec<&str> {
    ended.stderr.lines().filter(|line| line.starts_with("Error: ")).collect()
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_name() {
    let text = Watch::pids(&[1]).yaml().replace("targets:", "target:");
    let ended = refused(&text);
    let errors = errors(&ended);
    let [line] = errors.as_slice() else { panic!("one line each: {}", ended.stderr) };
    assert!(line.contains("deferd.yaml:3:5: receivers::godefer::target: unknown key \"target\""), "{line}");
    assert!(line.contains("did you mean \"targets\"?"), "{line}");
}

#[test]
fn a_missing_reference_is_named_with_its_place() {
    let text = Watch::pids(&[1]).yaml().replace("exporters: [prometheus]", "exporters: [prometheus/eu]");
    let ended = refused(&text);
    let errors = errors(&ended);
    let [line] = errors.as_slice() else { panic!("one line each: {}", ended.stderr) };
    let row = 1 + text.lines().position(|line| line.contains("prometheus/eu")).unwrap();
    assert!(line.contains(&format!("deferd.yaml:{row}:")), "{line}");
    assert!(line.contains("service::pipelines::metrics") && line.contains("prometheus/eu"), "{line}");
}

#[test]
fn all_problems_are_told_at_once() {
    let text = Watch::pids(&[1]).yaml().replace("targets:", "target:").replace("interval: 200ms", "interval: 5");
    let ended = refused(&text);
    let errors = errors(&ended);
    assert!(errors.len() >= 2, "{errors:?}");
    assert!(errors.iter().any(|line| line.contains("unknown key \"target\"")), "{errors:?}");
    assert!(errors.iter().any(|line| line.contains("expected a duration")), "{errors:?}");
}

#[test]
fn a_port_in_use_is_named_with_its_component() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let watch = Watch::pids(&[1]);
    for (free, key) in [(watch.ports.exporter, "exporters::prometheus"), (watch.ports.own_metrics, "service::telemetry::metrics")]
    {
        let ended = refused(&watch.yaml().replace(&free.to_string(), &port.to_string()));
        let errors = errors(&ended);
        let [line] = errors.as_slice() else { panic!("one line: {}", ended.stderr) };
        assert!(line.contains(key) && line.contains(&format!("127.0.0.1:{port}")), "{line}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ended = deferd::run(["--config", "no-such-folder/deferd.yaml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("no-such-folder/deferd.yaml"), "{}", ended.stderr);
}
