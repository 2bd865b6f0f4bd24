//! The unit, read by systemd's own tools. It is not started: that takes a systemd as process 1.

use deferd_integration::deferd;

use crate::shipped::{self, has, run};

const UNIT: &str = "deploy/systemd/deferd.service";

/// Most exposure, in the tool's units of a tenth: 2.0 is what a service of the network can reach that has one capability.
const MOST_EXPOSURE: &str = "25";

/// A copy whose binary is there, so that only the unit is judged.
fn unit(folder: &std::path::Path) -> String {
    let file = folder.join("deferd.service");
    let text = shipped::text(UNIT).replace("/usr/bin/deferd", &deferd::binary().display().to_string());
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn the_unit_lets_the_process_that_holds_breakpoints_end_by_itself() {
    let modes: Vec<String> =
        shipped::text(UNIT).lines().filter_map(|line| line.strip_prefix("KillMode=")).map(str::to_owned).collect();
    // With "mixed" systemd kills it as soon as the service is gone.
    assert_eq!(modes, ["control-group"]);
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    if !has("systemd-analyze", "systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = unit(folder.path());
    let ended = run("systemd-analyze", &["verify", "--man=no", &file]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    // A misspelt key is only a warning to it, so that silence above means something.
    let text = std::fs::read_to_string(&file).unwrap().replace("PrivateTmp", "PrivateTemp");
    std::fs::write(&file, text).unwrap();
    assert!(run("systemd-analyze", &["verify", "--man=no", &file]).stderr.contains("PrivateTemp"));
}

#[test]
fn the_unit_is_exposed_as_little_as_its_rights_allow() {
    if !has("systemd-analyze", "systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = unit(folder.path());
    let threshold = format!("--threshold={MOST_EXPOSURE}");
    let ended = run("systemd-analyze", &["security", "--offline=true", "--no-pager", &threshold, &file]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let given = ended.stdout.lines().filter(|line| line.contains("CapabilityBoundingSet=") && !line.contains('\u{2713}'));
    let given: Vec<&str> = given.collect();
    let wanted = ["CAP_SYS_PTRACE", "CAP_BPF", "CAP_PERFMON"];
    let is_wanted = |line: &&str| wanted.iter().any(|right| line.contains(right));
    assert!(!given.is_empty() && given.iter().all(is_wanted), "{given:?}");
}
