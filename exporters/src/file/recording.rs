//! A file of lines: whole lines only, whatever goes wrong.
//!
//! Every exporter of this process that writes to a path shares one [`Recording`], found by that path: metrics and logs of one configuration are two
//! exporters, and during a reload the former and the new one are there side by side. So nobody truncates what another writes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::config::Rotation;

/// Names that are tried for a backup, one per millisecond from now on.
const BACKUPS_PER_INSTANT: u128 = 1000;

/// Recordings by their real path. An entry ends with its last exporter; dead ones are swept when another is opened.
static OPEN: LazyLock<Mutex<BTreeMap<PathBuf, Weak<Recording>>>> = LazyLock::new(Mutex::default);

/// A file that lines are added to.
#[derive(Debug)]
pub(super) struct Recording {
    path: PathBuf,
    lines: Mutex<Lines<File>>,
}

impl Recording {
    /// Opens the file at `path`, creating it if need be. What is in it stays until the first line is written, even with `anew`, since
    /// a configuration that is being built may still be given up.
    pub(super) fn open(path: &Path, anew: bool) -> io::Result<Arc<Self>> {
        let mut open = OPEN.lock();
        open.retain(|_, recording| recording.strong_count() > 0);
        let file = append_to(path)?;
        let real = fs::canonicalize(path)?;
        if let Some(there) = open.get(&real).and_then(Weak::upgrade) {
            return Ok(there);
        }
        let metadata = file.metadata()?;
        let lines = Lines::new(file, metadata.len(), anew && metadata.is_file());
        let recording = Arc::new(Self { path: real.clone(), lines: Mutex::new(lines) });
        open.insert(real, Arc::downgrade(&recording));
        Ok(recording)
    }

    /// Adds a line. Blocks. After an error the file is as it was before.
    pub(super) fn add(&self, line: &str, rotation: Option<Rotation>) -> io::Result<()> {
        let mut lines = self.lines.lock();
        lines.begin()?;
        if let Some(rotation) = rotation {
            let after = lines.size.saturating_add(line.len() as u64 + 1);
            if lines.size > 0 && after > rotation.max_bytes() {
                rename_away(&self.path)?;
                *lines = Lines::new(append_to(&self.path)?, 0, false);
                prune(&self.path, rotation.max_backups)?;
            }
        }
        lines.add(line)
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Gives the file a name with the time in it, as `traces-1764043200123.jsonl`, one that nobody has.
fn rename_away(path: &Path) -> io::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let (beginning, end) = parts(path);
    for stamp in now..now.saturating_add(BACKUPS_PER_INSTANT) {
        let backup = path.with_file_name(format!("{beginning}{stamp:013}{end}"));
        if !backup.try_exists()? {
            return fs::rename(path, backup);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes the oldest backups beyond `keep`.
fn prune(path: &Path, keep: usize) -> io::Result<()> {
    let (Some(folder), 1..) = (path.parent(), keep) else {
        return Ok(());
    };
    let (beginning, end) = parts(path);
    let is_backup = |name: &str| {
        let stamp = name.strip_prefix(&beginning).and_then(|rest| rest.strip_suffix(&end));
        stamp.is_some_and(|stamp| stamp.len() >= 13 && stamp.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut backups: Vec<String> = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_backup(name))
        .collect();
    backups.sort_unstable();
    let excess = backups.len().saturating_sub(keep);
    backups.iter().take(excess).try_for_each(|name| fs::remove_file(folder.join(name)))
}

/// What stands before and after the time in the name of a backup.
fn parts(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let end = text(path.extension()).map(|extension| format!(".{extension}")).unwrap_or_default();
    (format!("{}-", text(path.file_stem()).unwrap_or_default()), end)
}

/// What lines are written to.
pub(super) trait Target: Write {
    /// Cuts everything beyond `size` off.
    fn cut(&mut self, size: u64) -> io::Result<()>;
}

impl Target for File {
    fn cut(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }
}

/// Whole lines in a target of which the size is known.
#[derive(Debug)]
pub(super) struct Lines<T> {
    target: T,
    size: u64,
    /// What is there goes before the first line.
    anew: bool,
    /// A piece of a line stands at the end and could not be cut off.
    torn: bool,
}

impl<T: Target> Lines<T> {
    pub(super) fn new(target: T, size: u64, anew: bool) -> Self {
        Self { target, size, anew, torn: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.anew {
            self.target.cut(0)?;
            (self.size, self.anew) = (0, false);
        }
        Ok(())
    }

    /// Adds a line, or nothing. If what was written of it cannot be taken back, the next line begins with a line's end.
    pub(super) fn add(&mut self, line: &str) -> io::Result<()> {
        self.begin()?;
        let end = if self.torn { "\n" } else { "" };
        // One buffer, so that usually one call writes it.
        let text = format!("{end}{line}\n");
        match self.target.write_all(text.as_bytes()) {
            Ok(()) => {
                self.size = self.size.saturating_add(text.len() as u64);
                self.torn = false;
                Ok(())
            }
            Err(error) => {
                self.torn |= self.target.cut(self.size).is_err();
                Err(error)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn target_mut(&mut self) -> &mut T {
        &mut self.target
    }
}
