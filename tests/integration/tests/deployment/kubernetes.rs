//! The manifests, decoded by the types of Kubernetes itself: a small Go program over `k8s.io/api` (folder `kubernetes`).

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use deferd_fixtures::{missing, newest, workspace};
use serde_json::{Value, json};

use crate::shipped::{self, run};

/// Builds the program; `None`, said loudly, where its modules cannot be had.
fn checker() -> Option<&'static PathBuf> {
    static FILE: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let file = workspace().join("target/go/manifests");
        let mut command = Command::new(&newest().go);
        command.args(["build", "-o"]).arg(&file).arg(".").current_dir(workspace().join("tests/integration/kubernetes"));
        command.env_remove("GOROOT");
        command.envs([("CGO_ENABLED", "0"), ("GOFLAGS", "-mod=readonly"), ("GOTOOLCHAIN", "local"), ("GOWORK", "off")]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let unreachable = said.contains("dial tcp") || said.contains("proxyconnect");
        assert!(output.status.success() || unreachable, "{said}");
        output.status.success().then_some(file)
    });
    if FILE.is_none() {
        missing::skip("the types of Kubernetes", "their Go modules cannot be fetched");
    }
    FILE.as_ref()
}

/// The documents of a manifest.
fn documents(manifest: &str) -> Option<Vec<Value>> {
    let file = shipped::path(&format!("deploy/kubernetes/{manifest}.yaml"));
    let ended = run(checker()?, &[file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    Some(ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The pod of the only document that has one, and its container `deferd`.
fn pod(documents: &[Value]) -> (&Value, &Value) {
    let pod = documents.iter().find_map(|document| document.get("pod")).unwrap();
    let containers = pod["containers"].as_array().unwrap();
    (pod, containers.iter().find(|container| container["name"] == "deferd").unwrap())
}

/// What both ways to run in Kubernetes have in common.
fn is_confined(documents: &[Value], rights: &[&str]) {
    let (pod, container) = pod(documents);
    assert_eq!(pod["automountServiceAccountToken"], false);
    let security = &container["securityContext"];
    assert_eq!(security["capabilities"], json!({"add": rights, "drop": ["ALL"]}));
    assert_eq!((&security["allowPrivilegeEscalation"], &security["readOnlyRootFilesystem"]), (&json!(false), &json!(true)));
    assert_eq!(security["privileged"], Value::Null);
    assert_eq!(container["resources"], json!({"limits": {"memory": "64Mi"}, "requests": {"cpu": "50m", "memory": "64Mi"}}));
    // Longer than deferd's own 20 s, so that the drain ends by itself.
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 20);
    let kinds: Vec<&str> =
        pod["volumes"].as_array().unwrap().iter().flat_map(|v| v.as_object().unwrap().keys()).map(String::as_str).collect();
    assert_eq!(kinds, ["name", "configMap"], "nothing of the host");
}

#[test]
fn the_sidecar_shares_the_processes_of_its_pod_and_nothing_else() {
    let Some(documents) = documents("sidecar") else { return };
    is_confined(&documents, &["SYS_PTRACE"]);
    let (pod, _) = pod(&documents);
    assert_eq!((&pod["shareProcessNamespace"], &pod["hostPID"], &pod["hostNetwork"]), (&json!(true), &Value::Null, &Value::Null));
}

#[test]
fn the_daemon_set_sees_the_processes_of_its_node_and_nothing_else() {
    let Some(documents) = documents("daemonset") else { return };
    is_confined(&documents, &["SYS_PTRACE", "BPF", "PERFMON"]);
    let (pod, _) = pod(&documents);
    assert_eq!((&pod["hostPID"], &pod["hostNetwork"], &pod["hostIPC"]), (&json!(true), &Value::Null, &Value::Null));
    let kinds: Vec<&Value> = documents.iter().map(|document| &document["kind"]).collect();
    assert_eq!(kinds, ["Namespace", "ServiceAccount", "ConfigMap", "DaemonSet"]);
}

#[test]
fn a_manifest_with_a_mistake_is_refused_at_its_place() {
    let Some(checker) = checker() else { return };
    let (folder, good) = (tempfile::tempdir().unwrap(), shipped::text("deploy/kubernetes/sidecar.yaml"));
    for (right, wrong, expected) in [
        ("readOnlyRootFilesystem", "readOnlyRootFileSystem", "containers[1].securityContext.readOnlyRootFileSystem"),
        ("shareProcessNamespace", "shareProcessNameSpace", "spec.template.spec.shareProcessNameSpace"),
        ("memory: 64Mi", "memory: 64MiB", "quantities must match"),
        ("port: deferd-self", "port: deferd-own", "a probe asks no port"),
        ("- name: deferd\n              mountPath", "- name: other\n              mountPath", "mounts volume \"other\""),
    ] {
        let (file, bad) = (folder.path().join("bad.yaml"), good.replace(right, wrong));
        assert_ne!(bad, good, "{right}");
        std::fs::write(&file, bad).unwrap();
        let ended = run(checker, &[file.to_str().unwrap()]);
        assert_eq!(ended.code, Some(1), "{wrong}");
        assert!(ended.stderr.contains("document 3") && ended.stderr.contains(expected), "{wrong}: {}", ended.stderr);
    }
}
