//! Every way in which a file can be broken: the old configuration serves on, and the message names file and line.

use rustix::process::Signal;

use crate::support::{ConfigFile, QUIET, Service};

/// The place of a problem, `FILE:line`, and a part of what is said there.
type Expected = (&'static str, &'static str);

/// What `config.yaml` holds, what `part.yaml` beside it does, and what is told.
fn cases() -> Vec<(String, &'static str, Expected)> {
    let part = || QUIET.replace("{ interval: 5s }", "\"${file:PART}\"");
    let changed = |from: &str, to: &str| QUIET.replace(from, to);
    vec![
        (changed("  debug:", "  debug: ["), "", ("FILE:", "YAML syntax")),
        (changed("receivers:", "\treceivers:"), "", ("FILE:", "YAML syntax")),
        (
            changed("exporters:\n", "receivers:\nexporters:\n"),
            "",
            ("FILE:5:1", "mapping key \"receivers\" already defined at line 1"),
        ),
        (String::new(), "", ("FILE", "empty configuration file")),
        ("7\n".to_owned(), "", ("FILE:1:1", "a configuration is a map, got integer")),
        (changed("service:", "servise:"), "", ("FILE:7:1", "invalid keys: servise")),
        (changed("interval: 5s", "intervl: 5s"), "", ("FILE:4:17", "unknown key \"intervl\"")),
        (changed("interval: 5s", "interval: soon"), "", ("FILE:4:27", "expected a duration")),
        (changed("interval: 5s", "interval: [5s]"), "", ("FILE:4:27", "got list")),
        (changed("  godefer:", "  godefr:"), "", ("FILE:2:3", "unknown type: \"godefr\"")),
        (changed("[debug]", "[debg]"), "", ("FILE:10:50", "references exporter \"debg\" which is not configured")),
        (changed("[godefer]", "[]"), "", ("FILE:10:", "must have at least one receiver")),
        (changed("interval: 5s", "interval: \"${env:$X}\""), "", ("FILE:4:27", "unsupported characters")),
        (changed("interval: 5s", "interval: \"${vault:x}\""), "", ("FILE:4:27", "scheme \"vault\" is not supported")),
        (changed("interval: 5s", "interval: \"${file:GONE}\""), "", ("FILE:4:27", "unable to read the file file:GONE")),
        (part(), "interval: {\n", ("PART:", "YAML syntax")),
        (part(), "# The part.\nintervl: 5s\n", ("PART:2:1", "unknown key \"intervl\"")),
        (part(), "interval: 5s\nmax_records: many\n", ("PART:2:14", "value: \"many\"")),
        (part(), "interval: \"${file:PART}\"\n", ("PART:1:11", "contains itself")),
        (part(), "interval: \"\u{7}\"\n", ("PART:1:12", "control characters")),
    ]
}

#[test]
fn a_broken_file_changes_nothing_and_names_its_line() {
    let config = ConfigFile::new(QUIET);
    let mut service = Service::start(&config);
    let (file, part) = (config.path(), config.beside("part.yaml"));
    let (file, part) = (file.to_str().unwrap(), part.to_str().unwrap());
    let cases = cases();
    assert!(cases.len() >= 15);
    for (number, (text, part_text, (place, message))) in (1..).zip(&cases) {
        config.write_beside("part.yaml", &part_text.replace("PART", part));
        config.write(&text.replace("PART", part));
        service.signal(Signal::HUP);
        let told = service.line(message).replace(file, "FILE").replace(part, "PART");
        assert!(told.contains(&format!("\t{place}")), "{place} is not where {told} stands");
        service.line("Configuration rejected: the one before stays in place");
        service.metric(&format!("deferd_config_reloads{{result=\"rejected\",trigger=\"sighup\"}} {number}"));
    }
    service.metric("deferd_config_reloads{result=\"applied\",trigger=\"sighup\"} 0");
    config.write(QUIET);
    service.signal(Signal::HUP);
    service.line("Configuration applied");
    service.line("kept: 2 instances");
}
