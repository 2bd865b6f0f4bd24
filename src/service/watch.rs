//! Reading the configuration again when one of its files has changed.
//!
//! By polling, on purpose. A Kubernetes `ConfigMap` is replaced by swapping a symbolic link two folders above the file, an editor
//! renames another file over it, a network file system reports nothing at all: what notifications tell about one path is not whether its
//! content has changed. A look costs one `stat` per file as long as nothing is new.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use deferd_component::{Stop, Stopper};
use deferd_config::FileState;
use tokio::sync::mpsc;

use super::request::{Request, Trigger};

/// A file whose time of change is this near may change again without another time: file systems count time in ticks of up to some
/// milliseconds, the coarsest in two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// Watches the files of one attempt to read the configuration. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Watcher(Stopper);

impl Watcher {
    /// Begins to watch. `files` is what was read; a difference to that, also one that came before this call, asks for one reload.
    pub(crate) fn start(files: Vec<FileState>, interval: Duration, requests: mpsc::Sender<Request>) -> Self {
        let stopper = Stopper::new();
        tokio::spawn(watch(files, interval, requests, stopper.listener()));
        Self(stopper)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.stop();
    }
}

async fn watch(files: Vec<FileState>, interval: Duration, requests: mpsc::Sender<Request>, stop: Stop) {
    let mut seen: Vec<Seen> = files.iter().map(|file| Seen { stat: None, state: file.clone() }).collect();
    let mut change = Change { known: files, last: None };
    loop {
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(interval) => {}
        }
        // A file system may hang; what waits for it must be no thread that carries data.
        let looked = tokio::task::spawn_blocking(move || {
            seen.iter_mut().for_each(Seen::look);
            seen
        });
        let Ok(looked) = looked.await else { return };
        seen = looked;
        if change.is_complete(seen.iter().map(|seen| seen.state.clone()).collect()) && !stop.is_set() {
            let request = Request::Reload(Trigger::File, None);
            // An error means that the service ends.
            tokio::select! {
                _ = requests.send(request) => {}
                () = stop.wait() => return,
            }
        }
    }
}

/// Tells a change that is over from one that goes on.
#[derive(Debug)]
struct Change {
    /// What was read, or asked to be read, last.
    known: Vec<FileState>,
    /// What the look before this one saw, if that was news.
    last: Option<Vec<FileState>>,
}

impl Change {
    /// Whether the files differ from what is known and have been the same for two looks: a file that is being written is left alone.
    /// Each change is told once.
    fn is_complete(&mut self, now: Vec<FileState>) -> bool {
        if now == self.known {
            self.last = None;
            return false;
        }
        if self.last.as_ref() != Some(&now) {
            self.last = Some(now);
            return false;
        }
        self.last = None;
        self.known = now;
        true
    }
}

/// A file at the last look.
#[derive(Debug)]
struct Seen {
    /// With these facts, a settled file still holds what it held.
    stat: Option<Stat>,
    state: FileState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Seen {
    fn look(&mut self) {
        let stat = Stat::of(&self.state.path);
        if stat.is_none() || stat != self.stat {
            self.state = FileState::now(&self.state.path);
        }
        self.stat = stat;
    }
}

impl Stat {
    /// The facts of a file, unless it changed so short ago that they may not tell the next change.
    fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        let age = SystemTime::now().duration_since(metadata.modified().ok()?).ok()?;
        (age > SETTLED).then(|| Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(digest: u64) -> Vec<FileState> {
        vec![FileState { path: "a".into(), digest: Some(digest) }]
    }

    #[test]
    fn a_change_counts_when_it_is_over_and_once() {
        let mut change = Change { known: files(1), last: None };
        let told: Vec<bool> = [1, 2, 3, 3, 3, 1, 3, 4, 1, 1].into_iter().map(|now| change.is_complete(files(now))).collect();
        // Still 1; 2 and 3 while it is written; 3 is over; 3 is known; 1 and 4 come and go; 1 is over.
        assert_eq!(told, [false, false, false, true, false, false, false, false, false, true]);
    }

    #[test]
    fn a_link_that_is_swapped_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (version, text) in [("one", "a: 1\n"), ("two", "a: 2\n")] {
            std::fs::create_dir(path(version)).unwrap();
            std::fs::write(path(version).join("c.yaml"), text).unwrap();
        }
        std::os::unix::fs::symlink("one", path("data")).unwrap();
        std::os::unix::fs::symlink("data/c.yaml", path("c.yaml")).unwrap();
        let state = FileState::now(&path("c.yaml"));
        let mut seen = Seen { stat: None, state: state.clone() };
        seen.look();
        assert_eq!(seen.state, state);
        std::os::unix::fs::symlink("two", path("next")).unwrap();
        std::fs::rename(path("next"), path("data")).unwrap();
        seen.look();
        assert_ne!(seen.state, state);
    }
}
