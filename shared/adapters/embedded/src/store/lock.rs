//! One process per directory: an advisory lock on a file, which the system frees however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::OpenError;

/// Held while it lives.
pub(super) struct DirLock(File);

impl DirLock {
    pub(super) fn take(dir: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("ulak.lock"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy(dir.to_owned())),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }
}

impl Drop for DirLock {
    /// Closing the file is not enough: a child that this process starts just now holds a copy of it until it
    /// runs its own program.
    fn drop(&mut self) {
        // What cannot be unlocked is free once the last copy is closed.
        let _ = self.0.unlock();
    }
}
