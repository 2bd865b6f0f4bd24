//! `deferd probe`: the places it names are in the file where it says, and nothing in the process changes.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use deferd_fixtures::{Mode, binaries, toolchains};
use deferd_integration::deferd;
use deferd_integration::matrix::Matrix;
use serde_json::Value;

/// `push %rbp`.
const PUSH: u8 = 0x55;
/// Functions that a program without their use does not have.
const OPTIONAL: [&str; 1] = ["runtime.Goexit"];

#[test]
fn the_plan_of_the_oldest_and_the_newest_go_is_true() {
    let all = toolchains();
    for ends in [all.first(), all.last()].into_iter().flatten() {
        for (toolchain, mode, file) in binaries("matrix", std::slice::from_ref(ends), &[Mode::Plain, Mode::PieStripped]) {
            let matrix = Matrix::start(&file);
            let ended = deferd::run(["probe", &matrix.pid().to_string(), "--format", "json"]);
            assert_eq!(ended.code, Some(0), "{} {mode}: {}", toolchain.version, ended.stderr);
            let plan: Value = serde_json::from_str(&ended.stdout).unwrap();
            let binary = File::open(&file).unwrap();
            let running = File::open(format!("/proc/{}/mem", matrix.pid())).unwrap();
            for probe in plan["probes"].as_array().unwrap() {
                let name = probe["function"].as_str().unwrap();
                let Some(offset) = probe["file_offset"].as_u64() else {
                    assert!(OPTIONAL.contains(&name), "{} {mode}: {probe:#}", toolchain.version);
                    continue;
                };
                let mut byte = [0];
                binary.read_exact_at(&mut byte, offset).unwrap();
                assert_eq!(byte, [PUSH], "{} {mode}: {name}", toolchain.version);
                if mode == Mode::Plain {
                    running.read_exact_at(&mut byte, probe["address"].as_u64().unwrap()).unwrap();
                    assert_eq!(byte, [PUSH], "{} {mode}: a breakpoint stands in {name}", toolchain.version);
                }
            }
        }
    }
}
