//! The rules. Each says in its message what to do about it.

use super::Problem;
use crate::workspace::File;

/// Longest Rust file, tests included: what one can still hold in the head.
const MAX_LINES: usize = 400;

/// Folders whose subfolders are components.
const COMPONENT_ROOTS: [&str; 5] = ["receivers", "processors", "exporters", "connectors", "extensions"];

/// First folders of paths that exist on one machine only.
const MACHINE_FOLDERS: [&str; 5] = ["work", "root", "home", "Users", "tmp/wt"];

/// A Rust file stays short.
pub(super) fn length(file: &File) -> Option<Problem> {
    let lines = file.text.lines().count();
    (file.extension() == "rs" && lines > MAX_LINES).then(|| {
        Problem::new(
            &file.path,
            0,
            format!("{lines} lines, at most {MAX_LINES}: split it by concept, move its tests to tests.rs"),
        )
    })
}

/// A package takes its lints from the workspace.
pub(super) fn lints_inherited(file: &File) -> Option<Problem> {
    // The one crate with `unsafe`, which what is inherited forbids; its own lints deny it outside of one module.
    let exempt = file.path == "receivers/bpf/Cargo.toml" && has_line(&file.text, "unsafe_code = \"deny\"");
    let (_, name) = file.folder_and_name();
    if exempt || name != "Cargo.toml" || !has_line(&file.text, "[package]") {
        return None;
    }
    let inherits = file
        .text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line == "workspace = true");
    (!inherits).then(|| {
        Problem::new(&file.path, 0, "does not inherit the lints: add `[lints]` and below it `workspace = true`".to_owned())
    })
}

/// Rules that look at one line at a time.
pub(super) fn lines(file: &File) -> Vec<Problem> {
    let rust = file.extension() == "rs";
    let mut problems = Vec::new();
    for (line, text) in (1..).zip(file.text.lines()) {
        let mut complain = |text: String| {
            problems.push(Problem::new(&file.path, line, text));
        };
        if let Some(path) = machine_path(text) {
            complain(format!("names a path of one machine, {path}"));
        }
        if let Some(odd) = text.chars().find(|character| rust && !character.is_ascii()) {
            complain(format!("{odd:?} is not ASCII: write \\u{{{:x}}} in a literal", u32::from(odd)));
        }
        if rust && text.trim_start().starts_with("// SPDX") {
            complain("the licence is stated once, in LICENSE and Cargo.toml: remove the header".to_owned());
        }
    }
    problems
}

/// The first machine path in a line. A folder of that name further down a path
/// (`net/work/`) is not one.
fn machine_path(line: &str) -> Option<String> {
    MACHINE_FOLDERS.iter().map(|folder| format!("/{folder}/")).find(|path| {
        line.match_indices(path.as_str()).any(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            !before.is_some_and(|character| character.is_ascii_alphanumeric() || "._-/}*".contains(character))
        })
    })
}

/// A component (a folder with mod.rs and config.rs) explains itself and is
/// registered. A forgotten registration would be a component that silently
/// does not exist.
pub(super) fn components(files: &[File]) -> Vec<Problem> {
    let exists = |path: &str| files.iter().any(|file| file.path == path);
    let mut problems = Vec::new();
    for file in files {
        let (folder, name) = file.folder_and_name();
        let root = COMPONENT_ROOTS.iter().find(|root| folder.starts_with(&format!("{root}/")));
        let (Some(root), "mod.rs", true) = (root, name, exists(&format!("{folder}/config.rs"))) else {
            continue;
        };
        let mut complain = |text: String| {
            problems.push(Problem::new(folder, 0, text));
        };
        if !exists(&format!("{folder}/README.md")) {
            complain("a component has a README.md: what it does, its keys, its limits".to_owned());
        }
        let component = folder.rsplit('/').next().unwrap_or(folder);
        if !registered(files, root, component) {
            complain(format!("not registered: lib.rs of {root} needs `mod {component};` and a line with `{component}::`"));
        }
    }
    problems
}

/// Whether the `lib.rs` of a crate declares and uses a module, outside of comments.
fn registered(files: &[File], root: &str, component: &str) -> bool {
    let library = [format!("{root}/src/lib.rs"), format!("{root}/lib.rs")];
    let Some(file) = files.iter().find(|file| library.contains(&file.path)) else {
        return false;
    };
    let mut code = file.text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let declaration = format!("mod {component};");
    let declared = code.clone().any(|line| line == declaration || line.ends_with(&format!(" {declaration}")));
    declared && code.any(|line| line.contains(&format!("{component}::")))
}

fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.trim() == wanted)
}
