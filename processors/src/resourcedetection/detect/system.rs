//! The detector `system`: host and operating system, from files.

use super::{Surroundings, Value};

pub(super) fn detect(around: &impl Surroundings) -> Vec<(&'static str, Value)> {
    let line = |path: &str| around.file(path).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let release = around.file("/etc/os-release").or_else(|| around.file("/usr/lib/os-release")).unwrap_or_default();
    let kernel = |name: &str| line(&format!("/proc/sys/kernel/{name}"));
    let description = of_release(&release, "PRETTY_NAME").map(|name| {
        let parts = [kernel("ostype"), kernel("hostname"), kernel("osrelease"), kernel("version")];
        let mut uname: Vec<String> = parts.into_iter().flatten().collect();
        uname.push(std::env::consts::ARCH.to_owned());
        format!("{name} ({})", uname.join(" "))
    });
    let found = [
        ("host.name", kernel("hostname")),
        ("host.id", line("/etc/machine-id").or_else(|| line("/var/lib/dbus/machine-id"))),
        ("host.arch", Some(architecture(std::env::consts::ARCH).to_owned())),
        ("os.type", Some("linux".to_owned())),
        ("os.name", of_release(&release, "NAME")),
        ("os.version", of_release(&release, "VERSION_ID")),
        ("os.description", description),
    ];
    found.into_iter().filter_map(|(key, value)| Some((key, Value::Text(value?)))).collect()
}

/// The value of a key of `os-release`, without the quotes of a shell.
fn of_release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    let bare = value.trim_matches(|quote| quote == '"' || quote == '\'');
    (!bare.is_empty()).then(|| bare.replace('\\', ""))
}

/// The name that the semantic conventions give it.
fn architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}
