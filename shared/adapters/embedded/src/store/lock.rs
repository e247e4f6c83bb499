//! One process per directory: an advisory lock on a file. The system frees it even when the process is killed.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::private;
use crate::error::OpenError;

/// Holds the lock until it is dropped.
pub(super) struct DirLock(File);

impl DirLock {
    pub(super) fn acquire(dir: &Path) -> Result<Self, OpenError> {
        let directory_error = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
        let file = private::create_file(&dir.join("ulak.lock")).map_err(directory_error)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy(dir.to_owned())),
            Err(TryLockError::Error(cause)) => Err(directory_error(cause)),
        }
    }
}

impl Drop for DirLock {
    /// Closing the file is not enough: a child process that is being started inherits the open file, and with it
    /// the lock, until it executes its own program.
    fn drop(&mut self) {
        // If unlocking fails, the lock is freed when the last copy of the file is closed.
        let _ = self.0.unlock();
    }
}
