//! Where the workspace is and what text it holds.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What holds no source of ours; `.git` is a file in a linked worktree.
const SKIPPED: [&str; 3] = ["target", ".git", "node_modules"];

/// Kinds of file that are read; a file without extension is read if it is text.
const READ: [&str; 11] = ["rs", "toml", "md", "yaml", "yml", "json", "go", "mod", "c", "h", "sh"];

/// The workspace cannot be found or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no Cargo.toml with [workspace] here or above; run this inside the repository")]
    NotFound,
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
}

/// A text file; its path is relative to the root of the workspace, with `/`.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The extension, empty if there is none.
    pub(crate) fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
    }

    /// The path split at the last `/`.
    pub(crate) fn folder_and_name(&self) -> (&str, &str) {
        self.path.rsplit_once('/').unwrap_or(("", &self.path))
    }
}

/// Finds the root, upwards from the current folder.
pub(crate) fn root() -> Result<PathBuf, Error> {
    let here = env::current_dir().map_err(|source| Error::Read { path: PathBuf::from("."), source })?;
    here.ancestors()
        .find(|folder| fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]")))
        .map(Path::to_path_buf)
        .ok_or(Error::NotFound)
}

/// Reads all text below `root`, in the order of paths. Links are not followed.
pub(crate) fn files(root: &Path) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let failed = |source| Error::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            if SKIPPED.iter().any(|skipped| name == *skipped) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.extend(read(root, &entry.path())?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Reads one file if it is of a kind that we look at.
fn read(root: &Path, path: &Path) -> Result<Option<File>, Error> {
    let extension = path.extension().map(|extension| extension.to_string_lossy());
    if extension.as_ref().is_some_and(|extension| !READ.contains(&extension.as_ref())) {
        return Ok(None);
    }
    let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
    let text = match (String::from_utf8(bytes), extension) {
        (Ok(text), _) => text,
        (Err(_), None) => return Ok(None),
        (Err(error), Some(_)) => {
            let source = io::Error::new(io::ErrorKind::InvalidData, error.utf8_error());
            return Err(Error::Read { path: path.to_path_buf(), source });
        }
    };
    let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    Ok(Some(File { path, text }))
}
