//! Files that are not read, and the reason that is given.

use std::fs;

use deferd_fixtures::newest;
use deferd_goproc::image::{Image, ImageError};

use crate::fixtures::{Mode, build};
use crate::sectionless::temporary;

fn refusal(bytes: &[u8]) -> ImageError {
    Image::read(&temporary(bytes)).expect_err("must be refused")
}

/// A stripped program; each test damages its own copy.
fn program() -> Vec<u8> {
    fs::read(build(newest(), Mode::Stripped).path).expect("the fixture")
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from);
    let at = at.expect("the bytes to replace");
    bytes[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn scripts_folders_and_empty_files_are_not_elf() {
    assert!(matches!(refusal(b""), ImageError::NotElf));
    assert!(matches!(refusal(b"#!/bin/sh\necho no\n"), ImageError::NotElf));
    assert!(matches!(refusal(b"\x7fELF"), ImageError::NotElf));
    let folder = fs::File::open("/").expect("the root folder");
    assert!(matches!(Image::read(&folder), Err(ImageError::NotRegular)));
}

#[test]
fn other_machines_are_named() {
    let mut bytes = program();
    bytes[18] = 183;
    let error = refusal(&bytes);
    assert!(matches!(&error, ImageError::UnsupportedMachine { machine } if machine == "arm64"));
    assert!(error.to_string().contains("only linux/amd64"), "{error}");
    bytes[5] = 2;
    assert!(refusal(&bytes).to_string().contains("big-endian"));
}

#[test]
fn programs_of_other_languages_are_not_go() {
    let this = fs::File::open("/proc/self/exe").expect("this test");
    assert!(matches!(Image::read(&this), Err(ImageError::NotGo)));
}

#[test]
fn older_and_newer_releases_are_refused_with_their_version() {
    let version = format!("go{}", newest().version);
    let with_version = |text: &str| {
        let mut bytes = program();
        let text = format!("{text:<width$}", width = version.len());
        // Only the copy in the build information has its length before it.
        let length = u8::try_from(version.len()).expect("short");
        let prefixed = |text: &str| [&[length], text.as_bytes()].concat();
        replace(&mut bytes, &prefixed(&version), &prefixed(&text));
        refusal(&bytes)
    };
    let old = with_version("go1.20");
    assert!(matches!(&old, ImageError::GoTooOld { .. }), "{old}");
    assert!(old.to_string().contains("go1.20"), "{old}");
    let new = with_version("go1.28");
    assert!(matches!(&new, ImageError::GoTooNew { .. }), "{new}");
    let odd = with_version("gone");
    assert!(matches!(&odd, ImageError::UnknownVersion { .. }), "{odd}");
}

#[test]
fn a_program_without_a_function_table_says_so() {
    let mut bytes = program();
    while let Some(at) = bytes.windows(8).position(|w| w == [0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]) {
        bytes[at] = 0xf0;
    }
    let error = refusal(&bytes);
    assert!(matches!(error, ImageError::FunctionTable { what: "not found" }), "{error}");
}

#[test]
fn a_program_whose_runtime_is_unrecognisable_names_the_variable() {
    let mut bytes = program();
    replace(&mut bytes, b"\0runtime.allgadd\0", b"\0runtime.allgabc\0");
    let error = refusal(&bytes);
    assert_eq!(error.to_string(), "runtime variable runtime.allgs not found");
}
