//! How large the tree is, by language: the figures that are watched are the
//! median (a file is one idea) and the largest.

use crate::workspace::File;

/// The languages that are counted, by extension.
const LANGUAGES: [(&str, &str); 3] = [("Rust", "rs"), ("Go", "go"), ("C", "c")];

/// One line for each language that occurs.
pub(super) fn report(files: &[File]) -> Vec<String> {
    LANGUAGES.iter().filter_map(|(language, extension)| line(language, extension, files)).collect()
}

fn line(language: &str, extension: &str, files: &[File]) -> Option<String> {
    let mut sizes: Vec<(usize, &str)> = files
        .iter()
        .filter(|file| file.extension() == extension)
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .collect();
    sizes.sort_unstable();
    let (largest, path) = *sizes.last()?;
    let (median, _) = *sizes.get(sizes.len() / 2)?;
    let lines: usize = sizes.iter().map(|(lines, _)| lines).sum();
    let count = sizes.len();
    Some(format!("{language}: {count} files, {lines} lines, median {median}, largest {largest} ({path})"))
}
