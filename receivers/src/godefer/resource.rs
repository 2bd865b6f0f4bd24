//! Who a process is, as resource attributes.

use std::collections::BTreeMap;

use deferd_goproc::target::{ProcessInfo, ProcessKey};
use deferd_pdata::build::EncodedAttributes;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

/// The namespace that the semantic conventions set aside for `service.instance.id`.
const INSTANCE_NAMESPACE: Uuid = Uuid::from_u128(0x4d63_009a_8d0f_11ee_aad7_4c79_6ed8_e320);

/// The resource of a process.
///
/// What the process says of itself (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) names the service, but never the instance:
/// `service.instance.id` follows from the process key alone, so two processes of one service never share a series.
pub(super) fn resource(info: &ProcessInfo, key: &ProcessKey) -> EncodedAttributes {
    let mut encoded = EncodedAttributes::default();
    for (name, value) in attributes(info, key) {
        encoded.push(&name, value.as_str());
    }
    // Numbers are numbers: the conventions say so.
    encoded.push("process.pid", i64::from(info.pid));
    if let Some(vpid) = info.vpid {
        encoded.push("process.vpid", i64::from(vpid));
    }
    encoded
}

/// The textual attributes, by name.
fn attributes(info: &ProcessInfo, key: &ProcessKey) -> BTreeMap<String, String> {
    let mut all = own_attributes(info.otel_resource_attributes.as_deref().unwrap_or_default());
    // The order of precedence of the SDK specification: OTEL_SERVICE_NAME over OTEL_RESOURCE_ATTRIBUTES.
    if let Some(name) = info.otel_service_name.as_ref().filter(|name| !name.is_empty()) {
        all.insert("service.name".to_owned(), name.clone());
    }
    all.entry("service.name".to_owned()).or_insert_with(|| format!("unknown_service:{}", info.executable_name));
    let instance = Uuid::new_v5(&INSTANCE_NAMESPACE, key.to_string().as_bytes());
    let executable = info.executable_path.to_string_lossy();
    let known = [
        ("service.instance.id", Some(instance.to_string())),
        ("process.executable.name", Some(info.executable_name.clone())),
        ("process.executable.path", Some(executable.into_owned())),
        ("process.runtime.name", Some("go".to_owned())),
        ("process.runtime.version", Some(info.go_version.clone())),
        ("host.name", Some(info.host_name.clone())),
        ("container.id", info.container_id.clone()),
        ("go.module.path", info.module_path.clone()),
        ("go.build.id", info.build_id.clone()),
    ];
    for (name, value) in known {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            all.insert(name.to_owned(), value);
        }
    }
    all
}

/// Parses `OTEL_RESOURCE_ATTRIBUTES`: comma-separated `key=value` pairs with percent-encoded values. What does not parse is left
/// out, and what would contradict what we know about the process is overwritten later.
fn own_attributes(text: &str) -> BTreeMap<String, String> {
    /// Numbers we write ourselves; a second attribute of the same name would make the resource ambiguous.
    const OURS: [&str; 2] = ["process.pid", "process.vpid"];
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), percent_decode_str(value.trim()).decode_utf8_lossy().into_owned()))
        .filter(|(name, _)| !name.is_empty() && !OURS.contains(&name.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ProcessInfo {
        ProcessInfo {
            pid: 42,
            vpid: Some(1),
            executable_name: "shop".into(),
            executable_path: "/srv/shop".into(),
            executable_deleted: false,
            command_line: vec![],
            uid: Some(0),
            started: None,
            go_version: "go1.26.6".into(),
            module_path: Some("example.com/shop".into()),
            build_id: None,
            container_id: None,
            otel_service_name: None,
            otel_resource_attributes: None,
            host_name: "node".into(),
        }
    }

    fn key(pid: u32) -> ProcessKey {
        ProcessKey {
            boot_id: "boot".into(),
            pid,
            start_ticks: 7,
            executable_device: 1,
            executable_inode: 2,
            build_id: "b".into(),
        }
    }

    #[test]
    fn the_name_of_the_service_is_the_programs_own_word_or_its_executable() {
        let name = |info: &ProcessInfo| attributes(info, &key(42)).get("service.name").cloned();
        assert_eq!(name(&info()).as_deref(), Some("unknown_service:shop"));
        let attributed = ProcessInfo { otel_resource_attributes: Some("service.name=a%20b, team=x ,junk".into()), ..info() };
        assert_eq!(name(&attributed).as_deref(), Some("a b"));
        assert_eq!(attributes(&attributed, &key(42)).get("team").map(String::as_str), Some("x"));
        let named = ProcessInfo { otel_service_name: Some("checkout".into()), ..attributed };
        assert_eq!(name(&named).as_deref(), Some("checkout"));
    }

    #[test]
    fn the_instance_follows_from_the_process_whatever_it_says_of_itself() {
        let claiming = ProcessInfo { otel_resource_attributes: Some("service.instance.id=mine,process.pid=1".into()), ..info() };
        let id = |pid| attributes(&claiming, &key(pid)).get("service.instance.id").cloned().unwrap();
        assert_eq!(id(42), id(42));
        assert_ne!(id(42), id(43));
        assert_ne!(id(42), "mine");
        let encoded = resource(&claiming, &key(42));
        assert_eq!(encoded.view().iter().filter(|(name, _)| *name == "process.pid").count(), 1);
    }
}
