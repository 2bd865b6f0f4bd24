//! `deferd reload`: from the command line to the running service and back.

use std::net::TcpListener;

use crate::admin::administered;
use crate::support::{ConfigFile, QUIET, Service, output};

/// Runs `deferd reload` with more arguments against a service.
fn reload(service: &Service, config: &ConfigFile, more: &[&str]) -> (i32, String, String) {
    let (endpoint, path) = (service.admin().to_string(), config.path());
    let mut arguments = vec!["reload", "--endpoint", &endpoint, "--config", path.to_str().unwrap()];
    arguments.extend(more);
    let (code, stdout, stderr) = output(&arguments);
    (code, stdout, stderr.replace(path.to_str().unwrap(), "FILE"))
}

#[test]
fn a_reload_shows_the_plan_and_a_dry_run_only_shows_it() {
    let config = ConfigFile::new(&administered("token: t"));
    let mut service = Service::start(&config);
    let nothing = "  kept     receivers::godefer\n  kept     exporters::debug for metrics\n";
    let (code, stdout, stderr) = reload(&service, &config, &[]);
    assert_eq!((code, stdout, stderr.as_str()), (0, format!("applied: nothing has changed\n{nothing}"), ""));
    config.write(&administered("token: t").replace("interval: 5s", "interval: 1s"));
    let plan = "  changed  receivers::godefer: rebuilt over its state, which is kept\n  kept     exporters::debug for metrics\n";
    for _ in 0..2 {
        let (code, stdout, _) = reload(&service, &config, &["--dry-run"]);
        assert_eq!((code, stdout), (0, format!("would apply\n{plan}")));
    }
    let (code, stdout, _) = reload(&service, &config, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &report["result"], &report["plan"]["changed"][0]), (0, &"applied".into(), &"receivers::godefer".into()));
    service.line("changed: receivers::godefer");
    assert_eq!(reload(&service, &config, &["--dry-run"]).1, format!("would apply: nothing would change\n{nothing}"));
}

#[test]
fn problems_are_told_as_validate_tells_them() {
    let config = ConfigFile::new(&administered("token: t"));
    let service = Service::start(&config);
    let broken = administered("token: t").replace("interval: 5s", "intervl: 5s").replace("[debug]", "[debg]");
    config.write(&broken);
    let (_, _, expected) = output(&["validate", "--config", config.path().to_str().unwrap()]);
    let expected = expected.replace(config.path().to_str().unwrap(), "FILE");
    assert_eq!(expected.lines().count(), 2);
    for more in [&[][..], &["--dry-run"]] {
        let (code, stdout, stderr) = reload(&service, &config, more);
        assert_eq!((code, stdout.as_str(), stderr), (1, "rejected: nothing has changed\n", expected.clone()));
    }
    config.write_beside("new.yaml", &broken);
    config.write(&administered("token: t"));
    let new = config.beside("new.yaml");
    let (code, _, stderr) = reload(&service, &config, &["--dry-run", "--candidate", new.to_str().unwrap()]);
    assert_eq!((code, stderr.replace(new.to_str().unwrap(), "FILE")), (1, expected));
}

#[test]
fn another_file_can_be_planned_without_being_put_in_place() {
    let config = ConfigFile::new(&administered("token: t"));
    let service = Service::start(&config);
    config.write_beside("new.yaml", &QUIET.replace("[debug]", "[debug, nop]").replace("debug:\n", "debug:\n  nop:\n"));
    let new = config.beside("new.yaml");
    let (code, stdout, _) = reload(&service, &config, &["--dry-run", "--candidate", new.to_str().unwrap()]);
    assert_eq!(code, 0);
    for line in [
        "  changed  service::pipelines::metrics",
        "  added    exporters::nop for metrics",
        "  removed  service::admin",
        "  kept     receivers::godefer",
    ] {
        assert!(stdout.lines().any(|found| found == line), "{line} is not in {stdout}");
    }
    assert!(reload(&service, &config, &["--dry-run"]).1.starts_with("would apply: nothing would change"));
}

#[test]
fn a_wrong_token_no_service_and_no_way_are_each_told() {
    let config = ConfigFile::new(&administered("token: t"));
    let service = Service::start(&config);
    config.write_beside("token", "wrong\n");
    let token = config.beside("token");
    let (code, stdout, stderr) = reload(&service, &config, &["--token-file", token.to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("refuses the token"), "{stderr}");

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let told = |arguments: &[&str]| {
        let (code, stdout, stderr) = output(arguments);
        assert_eq!((code, stdout.as_str(), stderr.lines().count()), (1, "", 1), "{arguments:?}: {stderr}");
        stderr
    };
    let token = token.to_str().unwrap();
    assert!(told(&["reload", "--endpoint", &free, "--token-file", token]).contains("cannot reach the service at"));
    let own = service.metrics.to_string();
    assert!(told(&["reload", "--endpoint", &own, "--token-file", token]).contains("answers 404: is another program"));
    assert!(told(&["reload"]).contains("--token-file FILE, or --config FILE"));
    assert!(told(&["reload", "--config", config.path().to_str().unwrap()]).contains("means a free port"));
    let plain = ConfigFile::new(QUIET);
    assert!(told(&["reload", "--config", plain.path().to_str().unwrap()]).contains("no usable section service::admin"));
    for (text, why) in [(String::new(), "empty"), ("#".repeat((4 << 20) + 1), "larger than 4194304 bytes")] {
        config.write_beside("new.yaml", &text);
        let new = config.beside("new.yaml");
        let (code, _, stderr) = reload(&service, &config, &["--dry-run", "--candidate", new.to_str().unwrap()]);
        assert!(code == 1 && stderr.contains("new.yaml") && stderr.contains(why), "{stderr}");
    }
    let (code, _, stderr) = output(&["reload", "--candidate", "x.yaml"]);
    assert_eq!(code, 2, "{stderr}");
}

#[test]
fn two_files_are_compared_without_a_service() {
    let config = ConfigFile::new(QUIET);
    config.write_beside("new.yaml", &QUIET.replace("interval: 5s", "interval: 1s"));
    let (old, new) = (config.path(), config.beside("new.yaml"));
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let (code, stdout, stderr) = output(&["reload", "--config", new, "--against", old]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("would apply\n  changed  receivers::godefer: rebuilt"), "{stdout}");
    config.write_beside("new.yaml", "receivers: 7\n");
    let (code, stdout, stderr) = output(&["reload", "--config", new, "--against", old]);
    assert_eq!((code, stdout.as_str()), (1, "rejected: nothing has changed\n"));
    assert!(stderr.starts_with(&format!("Error: {new}:1:1")), "{stderr}");
}

#[test]
fn the_help_teaches() {
    let (code, stdout, _) = output(&["reload", "--help"]);
    assert_eq!(code, 0);
    for taught in ["Exit codes:", "--dry-run", "admin: { token_file:", "--against"] {
        assert!(stdout.contains(taught), "{taught} is not in {stdout}");
    }
}
