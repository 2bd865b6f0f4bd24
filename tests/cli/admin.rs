//! The admin address: who may ask, what is answered, and that a question changes nothing.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{ConfigFile, QUIET, Service, ask, exchange, output};

const TOKEN: &str = "open-sesame";

/// [`QUIET`] with an admin address.
pub(crate) fn administered(rest: &str) -> String {
    let admin = format!("service:\n  admin: {{ endpoint: \"127.0.0.1:0\", {rest} }}\n");
    QUIET.replace("service:\n", &admin)
}

fn with_token() -> String {
    administered(&format!("token: {TOKEN}"))
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// The reasons why the service itself is degraded.
fn own_health(health: &Value) -> Value {
    let own = health["components"].as_array().unwrap().iter().find(|one| one["component"] == "deferd").unwrap();
    let reasons: Vec<Value> = own["reasons"].as_array().unwrap().iter().map(|reason| reason["reason"].clone()).collect();
    assert_eq!(own["status"], if reasons.is_empty() { "ok" } else { "degraded" });
    reasons.into()
}

#[test]
fn only_the_token_opens_and_only_what_is_there() {
    let mut service = Service::start(&ConfigFile::new(&with_token()));
    for token in ["", "open-sesam", "open-sesame2", "OPEN-SESAME"] {
        for line in ["GET /config", "GET /health", "POST /reload", "POST /reload?dry_run=true", "GET /nothing"] {
            let (status, body) = service.ask(line, token, "");
            assert_eq!(status, 401, "{line} with {token:?}");
            assert!(body["error"].as_str().unwrap().starts_with("the token of service::admin is needed"), "{body}");
        }
    }
    service.metric("deferd_admin_unauthorized_requests 20");
    for (line, status, error) in [
        ("GET /reload", 405, "only POST"),
        ("POST /config", 405, "only GET"),
        ("DELETE /health", 405, "only GET"),
        ("GET /nothing", 404, "not found; there is POST /reload, GET /config, GET /health"),
        ("POST /reload?dryrun=true", 400, "unknown parameter \"dryrun=true\"; allowed: dry_run=true, dry_run=false"),
    ] {
        let (found, body) = service.ask(line, TOKEN, "");
        assert_eq!((found, body["error"].as_str().unwrap()), (status, error), "{line}");
    }
    let (status, body) = service.ask("POST /reload", TOKEN, QUIET);
    assert_eq!(status, 400, "{body}");
    assert_eq!(service.ask("GET /config", TOKEN, "").1["last_reload"], Value::Null, "nothing was reloaded");
    service.signal(Signal::TERM);
    assert!(!service.whole_log().contains(TOKEN));
}

#[test]
fn a_reload_is_answered_with_its_plan_or_its_problems() {
    let config = ConfigFile::new(&with_token());
    let mut service = Service::start(&config);
    let (status, body) = service.ask("POST /reload", TOKEN, "");
    assert_eq!((status, &body["result"]), (200, &"applied".into()), "{body}");
    assert_eq!(names(&body["plan"]["kept"]), ["receivers::godefer", "exporters::debug for metrics"]);

    config.write(&with_token().replace("interval: 5s", "interval: 1s").replace("[debug]", "[debug, debug/two]"));
    let (status, body) = service.ask("POST /reload", TOKEN, "");
    assert_eq!((status, &body["result"]), (422, &"rejected".into()), "{body}");
    let problem = &body["problems"][0];
    assert_eq!(problem["source"], config.path().to_str().unwrap());
    assert_eq!((&problem["line"], &problem["column"]), (&11.into(), &57.into()), "{problem}");
    assert_eq!(problem["message"], "references exporter \"debug/two\" which is not configured");

    config.write(
        &with_token().replace("interval: 5s", "interval: 1s").replace("debug:\n", "debug:\n  nop:\n").replace("[debug]", "[nop]"),
    );
    let (status, body) = service.ask("POST /reload", TOKEN, "");
    assert_eq!(status, 200, "{body}");
    let plan = &body["plan"];
    assert_eq!(names(&plan["changed"]), ["receivers::godefer", "service::pipelines::metrics"]);
    assert_eq!(names(&plan["added"]), ["exporters::nop for metrics"]);
    assert_eq!(names(&plan["removed"]), ["exporters::debug for metrics"]);
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"api\"} 2");
    service.metric("deferd_config_reloads{result=\"rejected\",trigger=\"api\"} 1");
    service.line("added: exporters::nop for metrics");
    let text = service.scrape();
    let at = text.lines().find_map(|line| line.strip_prefix("deferd_config_last_reload_timestamp_seconds ")).unwrap();
    assert!(at.parse::<f64>().unwrap() > 1.7e9, "{at}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let config = ConfigFile::new(&with_token());
    let service = Service::start(&config);
    let before = service.ask("GET /config", TOKEN, "").1;
    let other = with_token().replace("interval: 5s", "interval: 1s").replace("shutdown_timeout", "");
    let other = other.replace("  admin:", "  shutdown_timeout: 3s\n  admin:");
    for body in [other.as_str(), ""] {
        config.write(if body.is_empty() { &other } else { QUIET });
        let (status, answer) = service.ask("POST /reload?dry_run=true", TOKEN, body);
        assert_eq!((status, &answer["result"]), (200, &"would_apply".into()), "{answer}");
        assert_eq!(names(&answer["plan"]["changed"]), ["receivers::godefer", "service::shutdown_timeout"]);
    }
    let (status, answer) = service.ask("POST /reload?dry_run=true", TOKEN, "receivers: [\n");
    assert_eq!((status, &answer["problems"][0]["source"]), (422, &"request".into()), "{answer}");
    assert_eq!(service.ask("GET /config", TOKEN, "").1, before);
    let metrics = service.scrape();
    let counts: Vec<&str> = metrics.lines().filter(|line| line.starts_with("deferd_config_reloads{")).collect();
    assert!(counts.len() == 6 && counts.iter().all(|line| line.ends_with(" 0")), "{counts:?}");
}

#[test]
fn a_text_that_was_sent_cannot_read_files() {
    let config = ConfigFile::new(&with_token());
    let service = Service::start(&config);
    config.write_beside("secret", "- hunter2\n");
    let secret = config.beside("secret");
    let text = QUIET.replace("interval: 5s", &format!("interval: \"${{file:{}}}\"", secret.display()));
    let (status, body) = service.ask("POST /reload?dry_run=true", TOKEN, &text);
    assert_eq!(status, 422);
    let text = body.to_string();
    assert!(text.contains("is not read here") && !text.contains("hunter2"), "{text}");
}

#[test]
fn reloads_that_are_asked_for_at_once_are_done_one_by_one() {
    let config = ConfigFile::new(&with_token());
    let service = Service::start(&config);
    let admin = service.admin();
    let statuses = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..20).map(|_| scope.spawn(|| ask(admin, "POST /reload", TOKEN, ""))).collect();
        asking.into_iter().map(|asked| asked.join().unwrap().0).collect::<Vec<_>>()
    });
    // More than wait at once are refused, and then nothing was done for them.
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    let applied = statuses.iter().filter(|status| **status == 200).count();
    service.metric(&format!("deferd_config_reloads{{result=\"applied\",trigger=\"api\"}} {applied}"));
}

#[test]
fn a_token_file_that_cannot_be_read_refuses_start_and_reload() {
    let config = ConfigFile::new(&administered("token_file: /none/token"));
    let (code, _, stderr) = output(&["--config", config.path().to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(stderr.contains("Error: service::admin: token_file /none/token: No such file"), "{stderr}");
    config.write(&with_token());
    let mut service = Service::start(&config);
    config.write(&administered("token_file: /none/token"));
    service.signal(Signal::HUP);
    let told = service.line("token_file /none/token");
    assert!(told.contains("config.yaml:8:10: service::admin: "), "{told}");
    assert_eq!(service.ask("GET /health", TOKEN, "").0, 200, "the address and token before are in use");
}

#[test]
fn a_request_that_announces_too_much_is_refused_before_it_is_sent() {
    let service = Service::start(&ConfigFile::new(&with_token()));
    let head = format!("POST /reload?dry_run=true HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 4194305\r\n\r\n");
    let answer = exchange(service.admin(), &head);
    assert!(answer.starts_with("HTTP/1.0 413") && answer.contains("the body is larger than 4194304 bytes"), "{answer}");
}

#[test]
fn the_configuration_in_force_is_shown_without_secrets_and_with_its_history() {
    let config = ConfigFile::new("");
    config.write_beside("token", &format!("{TOKEN}\n"));
    config.write_beside("five", "5s\n");
    let text = administered(&format!("token_file: {}", config.beside("token").display()))
        .replace("interval: 5s", &format!("interval: \"${{file:{}}}\"", config.beside("five").display()))
        .replace("telemetry: {", "telemetry: { resource: { api_key: hunter2, rack: 7 },");
    config.write(&text);
    let mut service = Service::start(&config);
    let shown = service.ask("GET /config", TOKEN, "").1;
    assert_eq!(shown["applied"]["trigger"], "start");
    assert_eq!(shown["config"]["service"]["telemetry"]["resource"], serde_json::json!({ "api_key": "[REDACTED]", "rack": 7 }));
    assert_eq!(shown["config"]["service"]["pipelines"]["metrics"]["receivers"][0], "godefer");
    assert_eq!(names(&shown["files"]), [config.path().to_str().unwrap(), config.beside("five").to_str().unwrap()]);

    config.write(&text.replace("snapshot:", "snapshoot:"));
    service.signal(Signal::HUP);
    service.line("Configuration rejected");
    let rejected = service.ask("GET /config", TOKEN, "").1;
    assert_eq!(rejected["config"], shown["config"]);
    assert_eq!((&rejected["last_reload"]["result"], &rejected["last_reload"]["trigger"]), (&"rejected".into(), &"sighup".into()));
    assert_eq!(rejected["last_reload"]["problems"][0]["suggestion"], "snapshot");
    let health = service.ask("GET /health", TOKEN, "").1;
    assert_eq!(health["status"], "degraded");
    assert_eq!(own_health(&health), serde_json::json!(["config_rejected"]));

    config.write_beside("token", "another\n");
    config.write(&text);
    assert_eq!(service.ask("POST /reload", TOKEN, "").1["result"], "applied");
    assert_eq!(service.ask("GET /config", TOKEN, "").0, 401, "the token was replaced");
    let shown = service.ask("GET /config", "another", "").1;
    assert_eq!(shown["applied"]["trigger"], "api");
    for hidden in ["hunter2", TOKEN, "another"] {
        assert!(!shown.to_string().contains(hidden), "{hidden} in {shown}");
    }
    assert_eq!(own_health(&service.ask("GET /health", "another", "").1), serde_json::json!([]));
}

#[test]
fn an_admin_address_without_token_or_for_everybody_is_a_problem() {
    let told = |admin: &str| {
        let config = ConfigFile::new(&QUIET.replace("service:\n", &format!("service:\n  admin: {admin}\n")));
        let (code, _, stderr) = output(&["validate", "--config", config.path().to_str().unwrap()]);
        (code, stderr.replace(config.path().to_str().unwrap(), "FILE"))
    };
    let missing = "service::admin::token: is missing: who may reload the service must prove it; allowed: token or token_file\n";
    assert_eq!(told(""), (1, format!("Error: FILE:8:8: {missing}")));
    assert_eq!(told("{ endpoint: \"127.0.0.1:1\" }"), (1, format!("Error: FILE:8:10: {missing}")));
    assert_eq!(
        told("{ token: a, token_file: b }").1,
        "Error: FILE:8:34: service::admin::token_file: is given beside token; allowed: one of the two\n"
    );
    let (code, stderr) = told("{ token: hunter two }");
    assert!(code == 1 && stderr.contains("cannot be sent in a header") && !stderr.contains("hunter"), "{stderr}");
    for remote in ["0.0.0.0:1", ":1", "192.0.2.1:1", "example.com:1", "[::]:1"] {
        let (code, stderr) = told(&format!("{{ token: a, endpoint: \"{remote}\" }}"));
        assert!(code == 1 && stderr.contains("can be reached from other machines; allowed: a loopback address"), "{stderr}");
        assert_eq!(told(&format!("{{ token: a, allow_remote: true, endpoint: \"{remote}\" }}")).0, 0);
    }
    for local in ["localhost:1", "127.0.0.2:1", "[::1]:1"] {
        assert_eq!(told(&format!("{{ token: a, endpoint: \"{local}\" }}")), (0, String::new()));
    }
}
