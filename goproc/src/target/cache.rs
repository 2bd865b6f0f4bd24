//! Images shared by the processes that run the same file.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::image::{Image, ImageError};

/// Images kept, running or not; the one used longest ago goes first. An image keeps 8 bytes per function: the
/// largest programs have half a million.
const MAX_IMAGES: usize = 64;

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

/// Executables read so far. A thousand processes of one file cost one image.
#[derive(Debug, Default)]
pub struct ImageCache {
    /// The most recently used last.
    images: Mutex<Vec<(FileId, Arc<Image>)>>,
}

impl ImageCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The image of `file`, read now unless it was before. A file that is no Go program is not remembered: telling
    /// so takes microseconds.
    pub fn get(&self, file: &File) -> Result<Arc<Image>, ImageError> {
        let id = FileId::of(&file.metadata()?);
        if let Some(image) = self.find(id) {
            return Ok(image);
        }
        // Read without the lock: large programs take tens of milliseconds. Two readers at worst do it twice.
        let image = Arc::new(Image::read(file)?);
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if images.len() >= MAX_IMAGES {
            images.remove(0);
        }
        images.push((id, Arc::clone(&image)));
        Ok(image)
    }

    fn find(&self, id: FileId) -> Option<Arc<Image>> {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let place = images.iter().position(|(known, _)| *known == id)?;
        let found = images.remove(place);
        let image = Arc::clone(&found.1);
        images.push(found);
        Some(image)
    }
}
