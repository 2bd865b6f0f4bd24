//! Images shared by the processes that run the same file.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::image::{Image, ImageError};

/// What makes a file that file: replaced or rewritten, at least one of these changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    size: u64,
}

impl FileId {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            size: metadata.size(),
        }
    }
}

/// The executables of running processes. A thousand processes of one file cost one image.
///
/// An image lives as long as a process that uses it: it holds its file open, which would keep a file system busy that the process
/// has left.
#[derive(Debug, Default)]
pub struct ImageCache {
    images: Mutex<Vec<(FileId, Weak<Image>)>>,
}

impl ImageCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The image of `file`, read now unless a process that still runs has it. A file that is no Go program is not remembered:
    /// telling so takes microseconds.
    pub fn get(&self, file: &File) -> Result<Arc<Image>, ImageError> {
        let id = FileId::of(&file.metadata()?);
        if let Some(image) = self.find(id) {
            return Ok(image);
        }
        // Read without the lock: large programs take tens of milliseconds. Two readers at worst do it twice.
        let image = Arc::new(Image::read(file)?);
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        images.retain(|(_, image)| image.strong_count() > 0);
        images.push((id, Arc::downgrade(&image)));
        Ok(image)
    }

    fn find(&self, id: FileId) -> Option<Arc<Image>> {
        let images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        images.iter().filter(|(known, _)| *known == id).find_map(|(_, image)| image.upgrade())
    }
}
