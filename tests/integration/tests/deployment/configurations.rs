//! Every configuration that is shipped is one that deferd takes.

use std::path::Path;

use deferd_integration::deferd;
use deferd_integration::process;

use crate::shipped;

/// Validates a file as it is, and as it is in a pod.
fn validate(file: &Path) {
    for environment in [None, Some(("DEFERD_LISTEN", "0.0.0.0"))] {
        let mut command = deferd::command(["validate", "--config"]);
        command.arg(file).envs(environment);
        let ended = process::run(command);
        let said = (ended.code, ended.stdout.as_str(), ended.stderr.as_str());
        assert_eq!(said, (Some(0), "", ""), "{} with {environment:?}", file.display());
    }
}

/// The text under `key: |` in a manifest, without its indentation.
fn block(manifest: &str, key: &str) -> String {
    let indented = |line: &&str| line.is_empty() || line.starts_with("    ");
    let lines = manifest.lines().skip_while(|line| line.trim() != format!("{key}: |")).skip(1).take_while(indented);
    lines.flat_map(|line| [line.strip_prefix("    ").unwrap_or(line), "\n"]).collect()
}

#[test]
fn every_example_is_valid() {
    let examples = shipped::files("config/examples", "yaml");
    assert!(examples.len() >= 3, "{examples:?}");
    for example in &examples {
        validate(example);
    }
}

#[test]
fn manifests_carry_the_examples_word_for_word() {
    let folder = tempfile::tempdir().unwrap();
    for (manifest, example) in [("sidecar", "sidecar"), ("daemonset", "node")] {
        let carried = block(&shipped::text(&format!("deploy/kubernetes/{manifest}.yaml")), "config.yaml");
        assert_eq!(carried, shipped::text(&format!("config/examples/{example}.yaml")), "{manifest}");
        let file = folder.path().join(format!("{manifest}.yaml"));
        std::fs::write(&file, carried).unwrap();
        validate(&file);
    }
}

#[test]
fn the_example_of_the_image_and_of_the_unit_is_there() {
    for (file, example) in [("deploy/container/Containerfile", "sidecar"), ("deploy/systemd/deferd.service", "node")] {
        let name = format!("config/examples/{example}.yaml");
        assert!(shipped::text(file).contains(&name), "{file} names {name}");
        validate(&shipped::path(&name));
    }
}
