use super::{Problem, problems, size};
use crate::workspace::File;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn said(files: &[File]) -> Vec<String> {
    problems(files).iter().map(Problem::to_string).collect()
}

#[test]
fn sound_tree_has_no_problems() {
    let files = [
        file("processors/Cargo.toml", "[package]\nname = \"p\"\n\n[lints]\nworkspace = true\n"),
        file("processors/src/lib.rs", "pub mod batch;\nfn register(r: &mut R) {\n    batch::register(r);\n}\n"),
        file("processors/src/batch/mod.rs", ""),
        file("processors/src/batch/config.rs", ""),
        file("processors/src/batch/README.md", "any l\u{e4}nguage"),
    ];
    assert_eq!(said(&files), Vec::<String>::new());
}

#[test]
fn file_of_401_lines_is_too_long_and_one_of_400_is_not() {
    let files = [file("a.rs", &"x\n".repeat(400)), file("b.rs", &"x\n".repeat(401)), file("c.md", &"x\n".repeat(900))];
    assert_eq!(said(&files), ["b.rs: 401 lines, at most 400: split it by concept, move its tests to tests.rs"]);
}

#[test]
fn package_without_inherited_lints_is_found_and_a_bare_workspace_is_not() {
    let files = [
        file("Cargo.toml", "[workspace]\nmembers = []\n"),
        file("a/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nworkspace = true\n"),
        file("b/Cargo.toml", "[package]\n[lints]\n[dependencies]\nworkspace = true\n"),
    ];
    let said = said(&files);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|line| line.contains("does not inherit the lints")), "{said:?}");
}

#[test]
fn machine_path_is_found_but_a_folder_of_that_name_is_not() {
    let own = format!("see /{}/bob/x", "home");
    let files = [file("a.md", &format!("fine: net/work/x, $HOME/x, ${{X}}/root/x\n{own}\n"))];
    assert_eq!(said(&files), [format!("a.md:2: names a path of one machine, /{}/", "home")]);
}

#[test]
fn character_beyond_ascii_is_found_in_rust_alone() {
    let files = [file("a.rs", "let a = 1;\nlet \u{b5} = 1;\n"), file("a.md", "\u{b5}\n")];
    assert_eq!(said(&files), ["a.rs:2: '\u{b5}' is not ASCII: write \\u{b5} in a literal"]);
}

#[test]
fn licence_header_is_found() {
    let header = format!("// {}-License-Identifier: MIT\n", "SPDX");
    assert_eq!(said(&[file("a.rs", &header)]).len(), 1);
    assert_eq!(said(&[file("a.c", &header)]).len(), 0);
}

#[test]
fn component_without_readme_or_registration_is_found() {
    let component = |lib: &str| {
        said(&[
            file("exporters/src/lib.rs", lib),
            file("exporters/src/debug/mod.rs", ""),
            file("exporters/src/debug/config.rs", ""),
            file("exporters/src/debug/README.md", ""),
        ])
    };
    assert_eq!(component("mod debug;\nfn r() { debug::register(); }\n").len(), 0);
    assert_eq!(component("mod debug;\n// debug::register();\n").len(), 1);
    assert_eq!(component("mod nodebug;\nfn r() { debug::register(); }\n").len(), 1);

    let bare = said(&[file("receivers/src/otlp/mod.rs", ""), file("receivers/src/otlp/config.rs", "")]);
    assert_eq!(bare.len(), 2, "{bare:?}");
}

#[test]
fn folder_without_config_is_not_a_component() {
    assert_eq!(said(&[file("receivers/src/shared/mod.rs", "")]), Vec::<String>::new());
}

#[test]
fn size_names_median_and_largest() {
    let files = [file("a.rs", "1\n"), file("b.rs", "1\n2\n"), file("c.rs", "1\n2\n3\n4\n"), file("d.go", "1\n")];
    assert_eq!(
        size::report(&files),
        ["Rust: 3 files, 7 lines, median 2, largest 4 (c.rs)", "Go: 1 files, 1 lines, median 1, largest 1 (d.go)"]
    );
}
